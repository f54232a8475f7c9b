package session

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// redirect makes a descriptor lead to where another one does, for this process and those that it starts.
func redirect(to, from *os.File) error {
	return os.NewSyscallError("dup3", unix.Dup3(int(to.Fd()), int(from.Fd()), 0))
}

// inheritable reports whether a descriptor goes on to the programs that this process starts.
func inheritable(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}

// ownSession keeps the terminal's signals, and its end, from a process that outlives it.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
