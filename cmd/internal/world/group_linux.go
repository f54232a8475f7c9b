package world

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup makes the command the leader of a process group, so that a terminal's Ctrl-C goes to uswitch alone, which then
// ends the commands in its own order, each with everything that it has started.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func signalGroup(leader int, sig syscall.Signal) error { return unix.Kill(-leader, sig) }

// sweepGroup waits for the end of a group's leader and ends those that it has left behind, as the end of a container's
// first process does. The leader stays uncollected until then, so that its number can be nobody else's.
func sweepGroup(leader int) {
	for {
		err := unix.Waitid(unix.P_PID, leader, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	_ = unix.Kill(-leader, unix.SIGKILL)
}
