//go:build !linux

package session

import (
	"errors"
	"os"
	"syscall"
)

// redirect is for labs in the background, and there are none here.
func redirect(*os.File, *os.File) error { return errors.New("a lab in the background needs Linux") }

func ownSession() *syscall.SysProcAttr { return nil }
