//go:build !linux

package session

import (
	"errors"
	"os"
	"syscall"
)

// redirect is for labs in the background, and there are none here.
func redirect(*os.File, *os.File) error { return errors.New("a lab in the background needs Linux") }

// inheritable is for programs of real hosts.
func inheritable(int) bool { return false }

func ownSession() *syscall.SysProcAttr { return nil }
