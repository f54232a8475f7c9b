package tap

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Open implements Host.
func (l *local) Open(ns Namespace, cfg Interface) (Device, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	device, err := l.open(ns, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s in namespace %s: %w", cfg.Name, ns.Name, err)
	}
	return device, nil
}

func (l *local) open(ns Namespace, cfg Interface) (Device, error) {
	var file *os.File
	// In a namespace of the Host's own an interface is made where it belongs; elsewhere it must not hold on to the namespace.
	own := ns.Lab != "" && l.homes.begin() == nil
	err := onThread(func() (err error) {
		if file, err = l.plug(ns, cfg, own); err != nil {
			return err
		}
		if err = configure(cfg); err != nil {
			file.Close() // takes the interface along, with its addresses and routes
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	datagrams := false
	if cfg.Offload {
		if datagrams, err = leaveToUs(file); err != nil {
			return nil, err
		}
	}
	nic, err := newNIC(l, file, cfg.Name+" in namespace "+ns.Name)
	if err != nil {
		return nil, err
	}
	if own {
		if err := l.homes.add(nic, ns); err != nil {
			return nil, errors.Join(err, nic.Close())
		}
	}
	if cfg.Offload {
		return offload{nic, datagrams}, nil
	}
	return plain{nic}, nil
}

// plug makes a TAP in a namespace: there, or in a staging namespace from which it is moved. The calling thread, which must come
// from onThread, is in that namespace then.
func (l *local) plug(ns Namespace, cfg Interface, there bool) (*os.File, error) {
	make := l.makeAndMove
	if there {
		make = l.makeThere
	}
	file, err := make(ns, cfg)
	if errors.Is(err, unix.EEXIST) {
		if pid := ownerOf(ns, cfg.Name); pid != 0 {
			return nil, takenError(fmt.Sprintf("already exists, and is owned by process %d", pid))
		}
		return nil, takenError("already exists")
	}
	return file, err
}

// makeThere makes a TAP where it belongs. Its file holds on to the namespace.
func (l *local) makeThere(ns Namespace, cfg Interface) (*os.File, error) {
	if err := enter(ns); err != nil {
		return nil, err
	}
	switch _, err := net.InterfaceByName(cfg.Name); { // opening a TAP that somebody has left there would take it over
	case err == nil && cfg.Name == "lo":
		return nil, errEverywhere
	case err == nil:
		return nil, unix.EEXIST
	}
	file, err := makeHere(cfg)
	if err != nil || !cfg.DisableIPv6 {
		return file, err
	}
	if err := disableIPv6(cfg.Name); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

const errEverywhere = takenError("every namespace has one of that name")

// makeHere makes a TAP in the calling thread's namespace.
func makeHere(cfg Interface) (*os.File, error) {
	if cfg.Offload {
		return openOffload(cfg.Name)
	}
	return openPlain(cfg.Name)
}

// makeAndMove makes a TAP in a staging namespace, for its file holds on to the namespace that it was opened in, and moves it to
// where it keeps its name.
func (l *local) makeAndMove(ns Namespace, cfg Interface) (*os.File, error) {
	staging, err := l.stagings.enter()
	if err != nil {
		return nil, err
	}
	defer l.stagings.leave(staging)
	here, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	defer here.Close()
	if _, err := here.LinkByName(cfg.Name); err == nil { // lo, and perhaps sit0 or tunl0
		return nil, errEverywhere
	}
	file, err := makeHere(cfg)
	if err != nil {
		return nil, err
	}
	if err := l.move(here, ns, cfg); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// move moves an interface from a staging namespace, to which here leads, into a namespace, and the calling thread before it.
//
// One call at a time, which costs nothing where many interfaces are made: the kernel moves one link at a time too, and then
// waits, with its lock of all links (RTNL) held, until everybody has forgotten where it was (rcu_barrier in
// __dev_change_net_namespace): some 10 to 30 ms, most of what an interface takes. But the sysctl of IPv6 tries for that lock
// instead of waiting for it (restart_syscall in addrconf_disable_ipv6), and would burn a processor all through somebody
// else's move.
func (l *local) move(here *netlink.Handle, ns Namespace, cfg Interface) error {
	link, err := here.LinkByName(cfg.Name)
	if err != nil {
		return err
	}
	target, err := netns.GetFromPath(ns.Path)
	if err != nil {
		return &os.PathError{Op: "open", Path: ns.Path, Err: err}
	}
	defer target.Close()
	if err := enter(ns); err != nil {
		return err
	}
	l.moving.Lock()
	defer l.moving.Unlock()
	if err := here.LinkSetNsFd(link, int(target)); err != nil || !cfg.DisableIPv6 {
		return err
	}
	return disableIPv6(cfg.Name)
}

// stagings are the nameless namespaces that TAPs are made in. There is one interface at a time in each, which has the name there
// that it will have where it belongs; so there are as many as interfaces are made at the same time. The link monitor subscribes in the first.
type stagings struct {
	mu   sync.Mutex // guards what follows
	all  []*os.File
	idle []*os.File // those of all that nobody makes an interface in
}

// inFirst runs f on a thread that is in the first staging namespace, whoever makes an interface there.
func (w *stagings) inFirst(f func() error) error {
	return onThread(func() error {
		if err := w.enterFirst(); err != nil {
			return err
		}
		return f()
	})
}

func (w *stagings) enterFirst() error {
	if w.first() == nil {
		own, err := w.enter()
		if err != nil {
			return err
		}
		w.leave(own)
	}
	return os.NewSyscallError("setns", unix.Setns(int(w.first().Fd()), unix.CLONE_NEWNET))
}

func (w *stagings) first() *os.File {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) == 0 {
		return nil
	}
	return w.all[0]
}

// enter moves the calling thread, which must come from onThread, into a staging namespace that it has to itself until leave.
func (w *stagings) enter() (*os.File, error) {
	w.mu.Lock()
	if last := len(w.idle) - 1; last >= 0 {
		own := w.idle[last]
		w.idle = w.idle[:last]
		w.mu.Unlock()
		return own, os.NewSyscallError("setns", unix.Setns(int(own.Fd()), unix.CLONE_NEWNET))
	}
	w.mu.Unlock()
	if err := newNetwork(); err != nil {
		return nil, err
	}
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, own)
	return own, nil
}

// leave gives a staging namespace back, with no interface in it any more.
func (w *stagings) leave(own *os.File) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, own)
}

// close forgets the stagings. They go with the interfaces that were made in them.
func (w *stagings) close() (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.all {
		err = errors.Join(err, one.Close())
	}
	w.all, w.idle = nil, nil
	return err
}
