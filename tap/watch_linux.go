package tap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Watch implements Device. A netlink socket inside the card's namespace would keep that alive. So the socket is in the
// workshop and listens to every namespace that has a number there (NETLINK_LISTEN_ALL_NSID); a message is no more than
// the hint to look.
func (d *card) Watch(changed func(State)) (stop func(), err error) {
	socket, err := d.host.listen()
	if err != nil {
		return nil, fmt.Errorf("%s: watch: %w", d.name, err)
	}
	watch := watch{device: d, socket: socket, changed: changed}
	if err := watch.look(); err != nil {
		socket.Close()
		return nil, err
	}
	d.mu.Lock()
	closed := d.closed
	d.watches = append(d.watches, socket) // stays there after stop: closing twice does no harm
	d.mu.Unlock()
	if closed {
		socket.Close()
		return nil, d.gone
	}
	go watch.run()
	return func() { socket.Close() }, nil
}

// listen opens a socket that hears of every change to a link, in all namespaces that the workshop has a number for.
func (l *local) listen() (socket *os.File, err error) {
	err = l.inWorkshop(func() error {
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

// number returns the workshop's number for a namespace, and gives it one if it has none.
func (l *local) number(namespace *os.File) (nsid int, err error) {
	err = l.inWorkshop(func() error {
		fd := int(namespace.Fd())
		if nsid, err = netlink.GetNetNsIdByFd(fd); err != nil || nsid >= 0 {
			return err
		}
		if err := netlink.SetNetNsIdByFd(fd, -1); err != nil {
			return err
		}
		nsid, err = netlink.GetNetNsIdByFd(fd)
		return err
	})
	return nsid, err
}

// watch is one Watch at work; only its own goroutine touches it once run is called.
type watch struct {
	device  *card
	socket  *os.File
	changed func(State)

	last State
	nsid int // of the namespace in last
}

// run looks whenever the card's namespace reports a change, and ends when the socket is closed or the card is gone.
func (w *watch) run() {
	defer w.socket.Close()
	for {
		nsid, err := receive(w.socket)
		overflow := errors.Is(err, unix.ENOBUFS)
		if err != nil && !overflow {
			return
		}
		if !overflow && nsid != w.nsid {
			continue
		}
		before := w.last
		if err := w.look(); errors.Is(err, ErrGone) {
			return
		} else if err == nil && w.last != before {
			w.changed(w.last)
		}
	}
}

// look finds out what the card is like, and where.
func (w *watch) look() error {
	state, err := w.device.State()
	if err != nil {
		return err
	}
	if state.Namespace != w.last.Namespace {
		err := w.device.inside(func(namespace *os.File) (err error) {
			w.nsid, err = w.device.host.number(namespace)
			return err
		})
		if err != nil {
			return err
		}
	}
	w.last = state
	return nil
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
