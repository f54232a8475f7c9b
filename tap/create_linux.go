package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// netnsDir is where "ip netns" keeps the names of namespaces.
const netnsDir = "/run/netns"

// Create implements Host. The steps are in an order that lets a crash between any two of them be cleaned up: the
// namespace has an identity before it has a name, and the record knows both before the name exists. What takes time comes
// before the lock, so that others wait for names only: a namespace without one goes with the thread.
func (l *local) Create(lab, name string) (Namespace, error) {
	if err := errors.Join(checkName("lab", lab), checkName("namespace", name)); err != nil {
		return Namespace{}, err
	}
	ns := Namespace{Name: name, Path: l.names.path(name), Lab: lab}
	err := onThread(func() (err error) {
		if err := newNetwork(); err != nil {
			return err
		}
		if ns.ID, err = currentID(); err != nil {
			return err
		}
		if err := loopbackUp(); err != nil {
			return err
		}
		return l.names.locked(func() error { return l.name(ns) })
	})
	if err != nil {
		return Namespace{}, fmt.Errorf("namespace %s: %w", name, err)
	}
	return ns, nil
}

// name puts the calling thread's namespace on record and gives it its name. The caller holds the lock of names.
func (l *local) name(ns Namespace) error {
	if err := l.checkFree(ns); err != nil {
		return err
	}
	if err := l.records.write(ns); err != nil {
		return err
	}
	if err := bindName(ns.Path); err != nil {
		return errors.Join(err, l.records.remove(ns.Lab, ns.Name))
	}
	return nil
}

// checkFree returns an error that says who has the name already. What a process left behind that is gone has no claim,
// and makes room.
func (l *local) checkFree(ns Namespace) error {
	if _, err := os.Lstat(ns.Path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	id, err := identify(ns.Path)
	if err != nil {
		return takenError(fmt.Sprintf("%v; if it is from before a reboot, \"ip netns del %s\" removes it", err, ns.Name))
	}
	owner, found := l.records.owner(id)
	switch {
	case !found:
		return takenError("already exists")
	case owner.alive():
		return fmt.Errorf("%w: lab %s, process %d; uswitch down %s ends it", ErrOwned, owner.Lab, owner.PID, owner.Lab)
	}
	_, err = l.reclaim(owner.Lab, owner.Namespace)
	return err
}

// bindName gives the calling thread's namespace a name that outlives the thread.
func bindName(path string) error {
	file, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return err
	}
	file.Close()
	if err := unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, ""); err != nil {
		return errors.Join(fmt.Errorf("mount on %s: %w", path, limitReached(err, "fs/mount-max", "mounts")), os.Remove(path))
	}
	return nil
}

// Adopt implements Host.
func (l *local) Adopt(nameOrPath string) (Namespace, error) {
	ns := Namespace{Name: nameOrPath, Path: nameOrPath}
	if !strings.Contains(nameOrPath, "/") {
		if err := checkName("namespace", nameOrPath); err != nil {
			return Namespace{}, err
		}
		ns.Path = l.names.path(nameOrPath)
	}
	var err error
	if ns.ID, err = identify(ns.Path); err != nil {
		return Namespace{}, fmt.Errorf("namespace %s: %w", nameOrPath, err)
	}
	return ns, nil
}

// Release implements Host.
func (l *local) Release(ns Namespace) error {
	if ns.Lab == "" {
		return nil
	}
	err := l.names.locked(func() error {
		if _, err := removeName(ns.Path, ns.ID); err != nil {
			return err
		}
		return errors.Join(l.records.removeFiles(l.records.filesDir(ns.Lab, ns.ID)), l.records.remove(ns.Lab, ns.Name))
	})
	if err != nil {
		return fmt.Errorf("namespace %s: %w", ns.Name, err)
	}
	return nil
}

// loopbackUp brings up lo in the calling thread's namespace.
func loopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("lo up: %w", err)
	}
	return nil
}

// newNetwork puts the calling thread, which must come from onThread, into a network namespace of its own.
func newNetwork() error {
	err := unix.Unshare(unix.CLONE_NEWNET)
	return os.NewSyscallError("unshare a network namespace", limitReached(err, "user/max_net_namespaces", "network namespaces"))
}

// limitReached explains the kernel's ENOSPC, which has nothing to do with a disk: that many of something are all that a user, or
// a mount namespace, may have (namespaces(7), Documentation/admin-guide/sysctl/fs.rst). Other errors are as they were.
func limitReached(err error, sysctl, what string) error {
	if err != unix.ENOSPC {
		return err
	}
	name, limit := strings.ReplaceAll(sysctl, "/", "."), "so many"
	if text, err := os.ReadFile("/proc/sys/" + sysctl); err == nil {
		limit = strings.TrimSpace(string(text))
	}
	return fmt.Errorf("there are no more than %s %s (%s); `sudo sysctl -w %s=N` allows more: %w", limit, what, name, name, err)
}
