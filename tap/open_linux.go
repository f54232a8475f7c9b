package tap

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/songgao/water"
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
	file, fd, err := l.plug(ns, cfg.Name)
	if err != nil {
		return nil, fmt.Errorf("%s in namespace %s: %w", cfg.Name, ns.Name, err)
	}
	if err := Do(ns, func() error { return configure(cfg) }); err != nil {
		file.Close() // takes the card along, with its addresses and routes
		return nil, fmt.Errorf("%s in namespace %s: %w", cfg.Name, ns.Name, err)
	}
	return newPlain(l, file, fd, cfg.Name+" in namespace "+ns.Name), nil
}

// plug makes a TAP in the workshop and moves it into a namespace, where it keeps its name.
func (l *local) plug(ns Namespace, name string) (file *os.File, fd int, err error) {
	err = l.inWorkshop(func() error {
		if _, err := netlink.LinkByName(name); err == nil { // lo, and perhaps sit0 or tunl0
			return takenError("every namespace has one of that name")
		}
		if file, fd, err = openTAP(name); err != nil {
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
	return file, fd, err
}

// openTAP makes a TAP without offload headers in the calling thread's namespace. It vanishes when the file is closed,
// which is not passed on to children.
//
// Package water opens the descriptor without O_CLOEXEC; holding ForkLock keeps children from being forked before that is
// mended. It also loses the descriptor if the name is taken, so callers see to it that it is not.
func openTAP(name string) (file *os.File, fd int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	tap, err := water.New(water.Config{
		DeviceType:             water.TAP,
		PlatformSpecificParams: water.PlatformSpecificParams{Name: name},
	})
	if err != nil {
		return nil, 0, fmt.Errorf("make a TAP with /dev/net/tun: %w", err)
	}
	file = tap.ReadWriteCloser.(*os.File)
	raw, err := file.SyscallConn() // Fd may make the file blocking, and a Read then survives Close
	if err == nil {
		err = raw.Control(func(descriptor uintptr) { fd = int(descriptor) })
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	unix.CloseOnExec(fd)
	return file, fd, nil
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
