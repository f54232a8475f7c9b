//go:build darwin || freebsd

package server

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUID returns the user at the other end of a connection, as the kernel noted it when it was made (unix(4)).
func peerUID(conn net.Conn) (uid int, err error) {
	uid = -1
	err = onSocket(conn, func(fd int) error {
		const local = 0 // SOL_LOCAL
		cred, err := unix.GetsockoptXucred(fd, local, unix.LOCAL_PEERCRED)
		if err == nil {
			uid = int(cred.Uid)
		}
		return err
	})
	return uid, err
}
