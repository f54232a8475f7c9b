package tap

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// State implements Device.
func (d *nic) State() (state State, err error) {
	err = d.inside(func(namespace *os.File) error {
		state, err = d.stateIn(namespace)
		return err
	})
	return state, err
}

// stateIn asks the namespace that the interface is in.
func (d *nic) stateIn(namespace *os.File) (state State, err error) {
	err = onThread(func() error {
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("setns", err)
		}
		state, err = d.stateHere()
		return err
	})
	return state, err
}

// stateHere asks the calling thread's namespace.
func (d *nic) stateHere() (State, error) {
	id, err := currentID()
	if err != nil {
		return State{}, err
	}
	attrs, err := d.attributes()
	if err != nil {
		return State{}, err
	}
	state := State{
		Name:      attrs.Name,
		Index:     attrs.Index,
		MTU:       attrs.MTU,
		Up:        attrs.RawFlags&unix.IFF_UP != 0,
		Namespace: id.Inode,
	}
	copy(state.MAC[:], attrs.HardwareAddr)
	return state, nil
}

// attributes asks the calling thread's namespace. The interface is found by its name, and the name may change between the two
// questions; so a second attempt is made.
func (d *nic) attributes() (*netlink.LinkAttrs, error) {
	for attempt := 1; ; attempt++ {
		name, err := d.currentName()
		if err != nil {
			return nil, err
		}
		link, err := netlink.LinkByName(name)
		if err == nil {
			return link.Attrs(), nil
		}
		if !errors.As(err, &netlink.LinkNotFoundError{}) || attempt > 1 {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
	}
}

// Dropped returns how many frames of the namespace's the interface has dropped because its queue was full, or it had no carrier: the
// TX dropped of `ip -s link`. Nobody else ever sees them.
func (d *nic) Dropped() (n uint64, err error) {
	err = d.inside(func(namespace *os.File) error {
		return onThread(func() error {
			if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
				return os.NewSyscallError("setns", err)
			}
			attrs, err := d.attributes()
			if err == nil && attrs.Statistics != nil {
				n = attrs.Statistics.TxDropped
			}
			return err
		})
	})
	return n, err
}

// inside opens the namespace that the interface is in at this moment (TUNGETDEVNETNS, Linux 5.7), for as long as f runs.
func (d *nic) inside(f func(namespace *os.File) error) error {
	d.mu.RLock()
	if d.closed {
		d.mu.RUnlock()
		return d.gone
	}
	fd, err := unix.IoctlRetInt(d.fd, unix.TUNGETDEVNETNS)
	d.mu.RUnlock()
	if err != nil {
		return d.ioctlError("find its namespace", err)
	}
	namespace := os.NewFile(uintptr(fd), "namespace of "+d.name)
	defer namespace.Close()
	return f(namespace)
}

// currentName asks the TAP itself what it is called now.
func (d *nic) currentName() (string, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return "", d.gone
	}
	request, _ := unix.NewIfreq("")
	if err := unix.IoctlIfreq(d.fd, unix.TUNGETIFF, request); err != nil {
		return "", d.ioctlError("find its name", err)
	}
	return request.Name(), nil
}

// ioctlError translates what the kernel answers when the interface is no more (tun.c: __tun_chr_ioctl without a tun).
func (d *nic) ioctlError(what string, err error) error {
	if err == unix.EBADFD {
		return d.gone
	}
	return fmt.Errorf("%s: %s: %w", d.name, what, err)
}

// SetGateway implements Device.
func (d *nic) SetGateway(a netip.Addr) error {
	return d.inside(func(namespace *os.File) error {
		return onThread(func() error {
			if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
				return os.NewSyscallError("setns", err)
			}
			return d.setGatewayHere(a)
		})
	})
}

// setGatewayHere changes the calling thread's namespace.
func (d *nic) setGatewayHere(a netip.Addr) error {
	name, err := d.currentName()
	if err != nil {
		return err
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	if a.IsValid() {
		err = netlink.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: a.AsSlice()})
	} else {
		err = netlink.RouteDel(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(netip.PrefixFrom(netip.IPv4Unspecified(), 0))})
		if err == unix.ESRCH {
			err = nil // somebody inside was faster
		}
	}
	if err != nil {
		return fmt.Errorf("%s: default route via %s: %w", d.name, a, err)
	}
	return nil
}

// showFiles shows the calling thread, which has mounts of its own, the files of its namespace in /etc, and gives it the name
// that stands in the file hostname. What /etc does not have cannot be covered and stays away. Where mounting is forbidden
// the program gets the files that there are.
func (l *local) showFiles(ns Namespace) error {
	dir, ok := l.records.findFiles(ns.ID)
	if !ok {
		return nil
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		err := unix.Mount(filepath.Join(dir, file.Name()), filepath.Join("/etc", file.Name()), "none", unix.MS_BIND, "")
		switch {
		case err == unix.EPERM || err == unix.EACCES:
			return nil
		case err != nil && err != unix.ENOENT:
			return fmt.Errorf("mount %s over /etc/%s: %w", file.Name(), file.Name(), err)
		}
	}
	return setHostname(filepath.Join(dir, "hostname"))
}

// setHostname gives the calling thread the host name that stands in a file, if there is one.
func setHostname(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = unix.Unshare(unix.CLONE_NEWUTS)
	}
	if err == nil {
		err = unix.Sethostname([]byte(strings.TrimSpace(string(text))))
	}
	if err == unix.EPERM {
		return nil
	}
	return err
}
