//go:build !linux

package world

import "syscall"

// ownGroup is for real processes, and there are no namespaces here to start one in.
func ownGroup() *syscall.SysProcAttr { return nil }
