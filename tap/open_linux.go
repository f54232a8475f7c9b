package tap

import (
	"errors"
	"fmt"
	"os"

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
	err := onThread(func() (err error) {
		if file, err = l.plug(ns, cfg); err != nil {
			return err
		}
		if err = configure(cfg); err != nil {
			file.Close() // takes the card along, with its addresses and routes
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	card, err := newCard(l, file, cfg.Name+" in namespace "+ns.Name)
	switch {
	case err != nil:
		return nil, err
	case cfg.Offload:
		return offload{card}, nil
	}
	return plain{card}, nil
}

// plug makes a TAP in the workshop and moves it into a namespace, where it keeps its name. The calling thread, which must
// come from onThread, is in that namespace then.
func (l *local) plug(ns Namespace, cfg Interface) (*os.File, error) {
	file, err := l.makeIn(ns, cfg)
	if errors.Is(err, unix.EEXIST) {
		if pid := ownerOf(ns, cfg.Name); pid != 0 {
			return nil, takenError(fmt.Sprintf("already exists, and is owned by process %d", pid))
		}
		return nil, takenError("already exists")
	}
	return file, err
}

// makeIn is plug, one call at a time. That costs nothing where many cards are made: the kernel moves one link at a time, and
// waits meanwhile, with its lock of all links (RTNL) held, until everybody has forgotten the place where it was
// (rcu_barrier in __dev_change_net_namespace, some 10 to 20 ms). A sysctl of IPv6 that needs that lock is tried over and
// over (restart_syscall in addrconf_disable_ipv6), which burns the processor as long as somebody else moves a card: so it
// is set before the next one is.
func (l *local) makeIn(ns Namespace, cfg Interface) (*os.File, error) {
	l.making.Lock()
	defer l.making.Unlock()
	if err := l.enterWorkshop(); err != nil {
		return nil, err
	}
	if _, err := netlink.LinkByName(cfg.Name); err == nil { // lo, and perhaps sit0 or tunl0
		return nil, takenError("every namespace has one of that name")
	}
	kind := openPlain
	if cfg.Offload {
		kind = openOffload
	}
	file, err := kind(cfg.Name)
	if err != nil {
		return nil, err
	}
	if err = move(cfg.Name, ns.Path); err == nil {
		err = enter(ns)
	}
	if err == nil && cfg.DisableIPv6 {
		err = disableIPv6(cfg.Name)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// move takes a link from the calling thread's namespace to another one.
func move(name, path string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	target, err := netns.GetFromPath(path)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer target.Close()
	return netlink.LinkSetNsFd(link, int(target))
}
