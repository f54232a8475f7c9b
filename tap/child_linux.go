package tap

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// child is a Process that is one of this machine's.
type child struct {
	cmd   *exec.Cmd
	out   *outputs
	ended <-chan struct{}
}

// PID implements Process.
func (c child) PID() int { return c.cmd.Process.Pid }

// leads reports whether the program is the leader of a process group, as that of a session is.
func (c child) leads() bool { return c.cmd.SysProcAttr.Setpgid || c.cmd.SysProcAttr.Setsid }

// Ended implements Process.
func (c child) Ended() <-chan struct{} { return c.ended }

// Signal implements Process.
func (c child) Signal(sig syscall.Signal) error {
	if c.leads() {
		return unix.Kill(-c.PID(), sig)
	}
	return c.cmd.Process.Signal(sig)
}

// Wait implements Process. The leader of a group stays uncollected until the others are ended, so that its number can be
// nobody else's.
func (c child) Wait() (status int) {
	<-c.ended
	if c.leads() {
		_ = unix.Kill(-c.PID(), unix.SIGKILL)
	}
	_ = c.cmd.Wait() // what it complains about beside the status is input that nobody has taken
	c.out.copying.Wait()
	return ExitStatus(c.cmd.ProcessState)
}
