//go:build unix

package doctor

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"uswitch/tap"
)

// Sockets tries, with the rights of this process, the sockets of this machine that the host uplink uses.
func Sockets() []tap.Trial {
	return []tap.Trial{
		{What: TrialPing, Err: open(unix.SOCK_DGRAM), Optional: true},
		{What: TrialRaw, Err: open(unix.SOCK_RAW), Optional: true},
		{What: TrialLowPorts, Err: lowPort(), Optional: true},
	}
}

// open opens a socket of ICMP's.
func open(kind int) error {
	fd, err := unix.Socket(unix.AF_INET, kind, unix.IPPROTO_ICMP)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	return unix.Close(fd)
}

// lowPort takes a port below 1024 that nobody has.
func lowPort() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(fd)
	for port := 1023; port > 0; port-- {
		if err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != unix.EADDRINUSE {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// errnoName returns what the field calls an error number: EPERM.
func errnoName(number syscall.Errno) string { return unix.ErrnoName(number) }
