//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// heldAll is what hold says when all its connections are open.
const heldAll = "held\n"

// raiseFiles lets this process have as many descriptors as it may.
func raiseFiles() {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &l)
	}
}

// keep accepts connections until it is killed.
func keep(port int) error {
	raiseFiles()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Port: port}), unix.Listen(fd, 1024)); err != nil {
		return err
	}
	for {
		if _, err := again(func() (int, error) { c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC); return c, err }); err != nil {
			return err
		}
	}
}

// hold opens connections and keeps them until its input ends.
func hold(at netip.AddrPort, count int) error {
	raiseFiles()
	for i := range count {
		if _, err := connect(at); err != nil {
			return fmt.Errorf("connection %d of %d: %w", i+1, count, err)
		}
	}
	fmt.Print(heldAll)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
