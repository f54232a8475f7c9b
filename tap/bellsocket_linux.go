package tap

import (
	"encoding/binary"
	"errors"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// listen opens a socket that hears of every change to a link, in all namespaces that the first workshop has a number for.
func (l *local) listen() (socket *os.File, err error) {
	err = l.workshops.inFirst(func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		err = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_LISTEN_ALL_NSID, 1)
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK})
		}
		if err != nil {
			unix.Close(fd)
			return err
		}
		socket = os.NewFile(uintptr(fd), "netlink")
		return nil
	})
	return socket, err
}

// number returns the first workshop's number for a namespace, and gives it one if it has none.
func (l *local) number(namespace *os.File) (nsid int, err error) {
	err = l.workshops.inFirst(func() error {
		fd := int(namespace.Fd())
		if nsid, err = netlink.GetNetNsIdByFd(fd); err != nil || nsid >= 0 {
			return err
		}
		if err := netlink.SetNetNsIdByFd(fd, -1); err != nil && err != unix.EEXIST { // somebody else was faster
			return err
		}
		nsid, err = netlink.GetNetNsIdByFd(fd)
		return err
	})
	return nsid, err
}

// receive waits for a message and returns the number of the namespace that it comes from: -1 for the workshop itself.
func receive(socket *os.File) (nsid int, err error) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	var message [1]byte // the rest is cut off: what happened is not read here
	control := make([]byte, unix.CmsgSpace(4))
	var length int
	var failure error
	err = raw.Read(func(fd uintptr) bool {
		_, length, _, _, failure = unix.Recvmsg(int(fd), message[:], control, 0)
		return failure != unix.EAGAIN && failure != unix.EINTR
	})
	if err = errors.Join(err, failure); err != nil {
		return 0, err
	}
	parts, err := unix.ParseSocketControlMessage(control[:length])
	if err != nil {
		return 0, err
	}
	for _, part := range parts {
		if part.Header.Level == unix.SOL_NETLINK && part.Header.Type == unix.NETLINK_LISTEN_ALL_NSID && len(part.Data) >= 4 {
			return int(int32(binary.NativeEndian.Uint32(part.Data))), nil
		}
	}
	return -1, nil
}
