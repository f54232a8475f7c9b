//go:build darwin || freebsd

package server

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// peerUID returns the user at the other end of a connection, as the kernel noted it when it was made (unix(4)).
func peerUID(conn net.Conn) (int, error) {
	c, ok := conn.(syscall.Conn)
	if !ok || conn.LocalAddr().Network() != "unix" {
		return -1, errors.New("not a unix socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	const local = 0 // SOL_LOCAL
	var cred *unix.Xucred
	var failure error
	err = raw.Control(func(fd uintptr) { cred, failure = unix.GetsockoptXucred(int(fd), local, unix.LOCAL_PEERCRED) })
	if err = errors.Join(err, failure); err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}
