//go:build !linux

package world

import "syscall"

// There are no namespaces here, so no command is ever started in one.

func ownGroup() *syscall.SysProcAttr { return nil }

func signalGroup(int, syscall.Signal) error { return nil }

func sweepGroup(int) {}
