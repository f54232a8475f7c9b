package tap

import (
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// linkMonitor notifies watches whenever a link changes in their device's namespace. One netlink socket serves them all: the
// kernel's work for an event grows with the sockets that might hear it. The socket is in a staging namespace, for inside a
// device's namespace it would keep that alive, and listens to every namespace that has a number there (NETLINK_LISTEN_ALL_NSID);
// a message is no more than the hint to look. Where such a socket is refused, which wants CAP_NET_BROADCAST, it looks now and then.
type linkMonitor struct {
	socket *os.File      // nil: refused
	ended  chan struct{} // closed with the Host
	looks  chan struct{} // has room for the watches that may look at the same time

	mu      sync.Mutex // guards what follows
	watches map[int]map[*watch]bool
	numbers map[*watch]int // the namespace of each
}

// looksAtOnce bounds the threads that look: messages that were lost make every watch of a lab look, and there may be
// thousands.
const looksAtOnce = 32

// linkMonitor returns the Host's monitor, which is made with the first watch.
func (l *local) linkMonitor() (*linkMonitor, error) {
	l.monitorMu.Lock()
	defer l.monitorMu.Unlock()
	if l.monitor != nil {
		return l.monitor, nil
	}
	socket, err := l.listen()
	if err != nil && !errors.Is(err, unix.EPERM) {
		return nil, err
	}
	l.monitor = &linkMonitor{socket: socket, ended: make(chan struct{}), looks: make(chan struct{}, looksAtOnce), watches: map[int]map[*watch]bool{}, numbers: map[*watch]int{}}
	go l.monitor.run()
	return l.monitor, nil
}

// add has the monitor notify a watch when something changes in the namespace of that number, and in no other.
func (b *linkMonitor) add(w *watch, nsid int) {
	b.remove(w)
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.stopped.Load() {
		return // and removed already
	}
	if b.watches[nsid] == nil {
		b.watches[nsid] = map[*watch]bool{}
	}
	b.watches[nsid][w], b.numbers[w] = true, nsid
}

func (b *linkMonitor) remove(w *watch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	nsid, known := b.numbers[w]
	if !known {
		return
	}
	delete(b.numbers, w)
	delete(b.watches[nsid], w)
	if len(b.watches[nsid]) == 0 {
		delete(b.watches, nsid)
	}
}

// lookPeriod is from one look at a device to the next where nobody says when to.
const lookPeriod = 500 * time.Millisecond

// close ends run.
func (b *linkMonitor) close() {
	close(b.ended)
	if b.socket != nil {
		b.socket.Close()
	}
}

// poll notifies everybody now and then until the monitor is closed.
func (b *linkMonitor) poll() {
	ticks := time.NewTicker(lookPeriod)
	defer ticks.Stop()
	for {
		select {
		case <-b.ended:
			return
		case <-ticks.C:
			for _, w := range b.watching(0, true) {
				w.notify()
			}
		}
	}
}

// run notifies until the socket is closed. Where messages were lost, it notifies everybody.
func (b *linkMonitor) run() {
	if b.socket == nil {
		b.poll()
		return
	}
	for {
		nsid, err := receive(b.socket)
		lost := errors.Is(err, unix.ENOBUFS)
		if err != nil && !lost {
			return
		}
		for _, w := range b.watching(nsid, lost) {
			w.notify()
		}
	}
}

// watching returns the watches at a number, or all.
func (b *linkMonitor) watching(nsid int, all bool) []*watch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if all {
		return slices.Collect(maps.Keys(b.numbers))
	}
	return slices.Collect(maps.Keys(b.watches[nsid]))
}

// listen opens a socket that hears of every change to a link, in all namespaces that the first staging namespace has a number for.
func (l *local) listen() (socket *os.File, err error) {
	err = l.stagings.inFirst(func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		err = os.NewSyscallError("listen to all namespaces", unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_LISTEN_ALL_NSID, 1))
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

// number returns the first staging namespace's number for a namespace, and gives it one if it has none.
func (l *local) number(namespace *os.File) (nsid int, err error) {
	err = l.stagings.inFirst(func() error {
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

// receive waits for a message and returns the number of the namespace that it comes from: -1 for the staging namespace itself.
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
