//go:build !js

package engine

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"uswitch/tap"
)

// openTerminal also returns what is to be done once the command runs or could not be started.
func (c *console) openTerminal(cmd *exec.Cmd) (*console, func(), error) {
	near, far, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	if near, err = unblocked(near); err != nil {
		far.Close()
		return nil, nil, err
	}
	c.terminal, c.stdin = near, near
	cmd.Stdin, cmd.Stdout, cmd.Stderr = far, far, far
	cmd.SysProcAttr = tap.OwnTerminal()
	return c, func() { far.Close() }, nil
}

// unblocked returns a file that can be read with a deadline in place of one that pty has made block.
func unblocked(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("terminal: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// resize tells the command how large its terminal is.
func (c *console) resize(rows, columns uint16) error {
	if c.terminal == nil {
		return nil
	}
	return pty.Setsize(c.terminal, &pty.Winsize{Rows: rows, Cols: columns})
}

// hungUp reports whether the other side has closed a connection altogether: one that has closed only its half still listens.
func hungUp(conn net.Conn) bool {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	up := true
	err = raw.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd)}}
		_, failed := unix.Poll(look, 0)
		up = failed != nil || look[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) == 0
	})
	return err != nil || !up
}

// signalNumber returns the signal of a name, SIGTERM; 0 if there is none.
func signalNumber(name string) syscall.Signal { return unix.SignalNum(name) }
