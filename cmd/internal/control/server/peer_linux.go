package server

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUID returns the user at the other end of a connection, as the kernel noted it when it was made.
func peerUID(conn net.Conn) (uid int, err error) {
	uid = -1
	err = onSocket(conn, func(fd int) error {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err == nil {
			uid = int(cred.Uid)
		}
		return err
	})
	return uid, err
}
