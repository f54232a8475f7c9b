package engine

import (
	"errors"
	"net"
	"os/exec"
	"syscall"
)

// openTerminal opens none: a page in a browser has no terminals of a machine.
func (c *console) openTerminal(*exec.Cmd) (*console, func(), error) {
	return nil, nil, errors.New("a page in a browser has no terminals: without -t it runs")
}

func (c *console) resize(rows, columns uint16) error { return nil }

// hungUp is for sockets.
func hungUp(net.Conn) bool { return false }

// signalNumber returns the signal of a name, of those that a simulated program can be sent.
func signalNumber(name string) syscall.Signal {
	return map[string]syscall.Signal{"SIGHUP": 1, "SIGINT": syscall.SIGINT, "SIGQUIT": syscall.SIGQUIT, "SIGKILL": syscall.SIGKILL, "SIGTERM": syscall.SIGTERM}[name]
}
