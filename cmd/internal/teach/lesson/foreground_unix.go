//go:build unix

package lesson

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup has a command and all that it begins be a process group, which ends as a whole.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// foreground has a command of a group of its own run as a shell would: a Ctrl-C at the terminal is the command's alone. What
// it returns takes the terminal back.
func foreground(cmd *exec.Cmd, terminal *os.File) (back func()) {
	fd := int(terminal.Fd())
	cmd.SysProcAttr.Foreground, cmd.SysProcAttr.Ctty = true, fd
	return func() {
		// Whoever is in the background may not touch the terminal, unless it takes no notice of being told so.
		signal.Ignore(syscall.SIGTTOU)
		_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, syscall.Getpgrp())
		signal.Reset(syscall.SIGTTOU)
	}
}

// hangUp tells what is left of a job that its terminal goes away.
func (j *job) hangUp() {
	if !j.over() {
		_ = syscall.Kill(-j.pid, syscall.SIGHUP)
	}
}
