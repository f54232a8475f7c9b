//go:build unix

package learn

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// foreground has a command run as a shell would: a Ctrl-C at the terminal is the command's alone. What it returns takes the
// terminal back.
func foreground(cmd *exec.Cmd, terminal *os.File) (back func()) {
	fd := int(terminal.Fd())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: fd}
	return func() {
		// Whoever is in the background may not touch the terminal, unless it takes no notice of being told so.
		signal.Ignore(syscall.SIGTTOU)
		_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, syscall.Getpgrp())
		signal.Reset(syscall.SIGTTOU)
	}
}
