//go:build !unix

package doctor

import (
	"syscall"
	"uswitch/tap"
)

// Sockets tries nothing.
func Sockets() []tap.Trial { return nil }

// errnoName has no names.
func errnoName(syscall.Errno) string { return "" }
