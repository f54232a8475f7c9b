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
	kind := openPlain
	if cfg.Offload {
		kind = openOffload
	}
	file, err := l.plug(ns, cfg.Name, kind)
	if err != nil {
		return nil, err
	}
	datagrams := false
	if cfg.Offload {
		if datagrams, err = leaveToUs(file); err != nil {
			return nil, err
		}
	}
	if err := Do(ns, func() error { return configure(cfg) }); err != nil {
		file.Close() // takes the card along, with its addresses and routes
		return nil, err
	}
	card, err := newCard(l, file, cfg.Name+" in namespace "+ns.Name)
	switch {
	case err != nil:
		return nil, err
	case cfg.Offload:
		return offload{card, datagrams}, nil
	}
	return plain{card}, nil
}

// plug makes a TAP of a kind in the workshop and moves it into a namespace, where it keeps its name.
func (l *local) plug(ns Namespace, name string, kind func(name string) (*os.File, error)) (file *os.File, err error) {
	err = l.inWorkshop(func() error {
		if _, err := netlink.LinkByName(name); err == nil { // lo, and perhaps sit0 or tunl0
			return takenError("every namespace has one of that name")
		}
		if file, err = kind(name); err != nil {
			return err
		}
		if err = move(name, ns.Path); err != nil {
			file.Close()
		}
		return err
	})
	if errors.Is(err, unix.EEXIST) {
		if pid := ownerOf(ns, name); pid != 0 {
			err = takenError(fmt.Sprintf("already exists, and is owned by process %d", pid))
		} else {
			err = takenError("already exists")
		}
	}
	return file, err
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
