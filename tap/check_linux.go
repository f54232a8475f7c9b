package tap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Check implements Host.
func (l *local) Check() error {
	var missing []error
	for _, t := range l.try(false) {
		if !t.Optional {
			missing = append(missing, t.Err)
		}
	}
	return errors.Join(missing...)
}

// Try implements Tryer.
func (l *local) Try() []Trial { return l.try(true) }

// Look implements Tryer.
func (l *local) Look() []Trial {
	return []Trial{{What: TrialTUN, Err: checkTUN()}, {What: TrialCapabilities, Err: checkCapabilities()}}
}

// try does what a lab does, with what vanishes with the threads that do it. more says whether also what a lab can do without, and
// what can be tried although something before it has failed.
func (l *local) try(more bool) []Trial {
	t := &trials{names: l.names, all: l.Look()}
	tun, capable := t.all[0].Err == nil, t.all[1].Err == nil
	if !more && !(tun && capable) {
		return t.all // what the trial would stumble over is known
	}
	_ = onThread(func() error {
		networks := t.add(TrialNetworks, t.network())
		if networks && tun {
			t.nic()
		}
		if networks || more {
			t.mounts()
		}
		return nil
	})
	if more {
		t.optional(TrialMonitor, func() error {
			socket, err := l.listen()
			if err == nil {
				socket.Close()
			}
			return err
		})
		if tun {
			t.offload()
		}
	}
	return t.all
}

func checkTUN() error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	switch err {
	case nil:
		return unix.Close(fd)
	case unix.ENOENT:
		return fmt.Errorf("/dev/net/tun is missing: %w", err)
	case unix.ENODEV, unix.ENXIO:
		return fmt.Errorf("/dev/net/tun has no driver behind it: %w", err)
	}
	return fmt.Errorf("/dev/net/tun cannot be opened: %w", err)
}

func checkCapabilities() error {
	_, data, err := capabilities()
	if err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	var missing []error
	for _, needed := range []struct {
		bit  uint
		text string
	}{
		{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN is missing, without which no network interface can be made"},
		{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN is missing, without which no namespace can be made or entered"},
	} {
		if data[0].Effective&(1<<needed.bit) == 0 {
			missing = append(missing, errors.New(needed.text))
		}
	}
	return errors.Join(missing...)
}

// trialNIC is what the interface of the trial is called; only its own namespaces ever see it.
const trialNIC = "uswitch-trial"

// trials is one try.
type trials struct {
	names namesDir
	all   []Trial
}

// add notes how something went, and reports whether it went well.
func (t *trials) add(what string, err error) bool {
	t.all = append(t.all, Trial{What: what, Err: err})
	return err == nil
}

// optional tries, on a thread of its own, something that labs can do without.
func (t *trials) optional(what string, f func() error) {
	t.all = append(t.all, Trial{What: what, Err: onThread(f), Optional: true})
}

// network gives the calling thread a namespace and enters it by its path.
func (t *trials) network() error {
	if err := newNetwork(); err != nil {
		return fmt.Errorf("network namespaces cannot be made: %w", err)
	}
	if err := enterPath("/proc/thread-self/ns/net"); err != nil {
		return fmt.Errorf("namespaces can be made, but not entered: seccomp or AppArmor forbids it here: %w", err)
	}
	return nil
}

// nic makes an interface in the calling thread's namespace, moves it to a new one, where the thread is then, and takes it up there.
func (t *trials) nic() {
	here, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		t.add(TrialNIC, fmt.Errorf("netlink: %w", err))
		return
	}
	defer here.Close()
	nic, err := openPlain(trialNIC)
	if !t.add(TrialNIC, err) {
		return
	}
	defer nic.Close()
	if !t.add(TrialMove, moveTrial(here)) {
		return
	}
	err = disableIPv6(trialNIC)
	if err != nil {
		err = fmt.Errorf("IPv6 of a network interface cannot be switched off: %w", err)
	}
	t.add(TrialIPv6, err)
	err = upTrial()
	if err != nil {
		err = fmt.Errorf("a network interface cannot be brought up: %w", err)
	}
	t.add(TrialUp, err)
}

func moveTrial(here *netlink.Handle) error {
	link, err := here.LinkByName(trialNIC)
	if err != nil {
		return err
	}
	if err := newNetwork(); err != nil {
		return err
	}
	target, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer target.Close()
	if err := here.LinkSetNsFd(link, int(target.Fd())); err != nil {
		return fmt.Errorf("a network interface cannot be moved to a namespace: %w", err)
	}
	return nil
}

func upTrial() error {
	there, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer there.Close()
	link, err := there.LinkByName(trialNIC)
	if err != nil {
		return err
	}
	return bringUp(there, link, Interface{Name: trialNIC, Announce: true})
}

// mounts mounts in mounts of the calling thread's own, and asks whether names can be made where they would be.
func (t *trials) mounts() {
	err := unix.Unshare(unix.CLONE_NEWNS)
	if err != nil {
		err = fmt.Errorf("a mount namespace cannot be made: %w", limitReached(err, "user/max_mnt_namespaces", "mount namespaces"))
	}
	if t.add(TrialMountNamespace, err) && t.add(TrialMounts, mountTrial()) {
		t.add(TrialNames, t.names.trial())
	}
}

func mountTrial() error {
	if err := unix.Mount("", "/", "none", unix.MS_SLAVE|unix.MS_REC, ""); err == unix.EINVAL {
		return fmt.Errorf("mounting is not possible in a chroot: / is no mount point: %w", err)
	} else if err != nil {
		return fmt.Errorf("mounting is not allowed: %w", err)
	}
	if err := unix.Mount("/proc/thread-self/ns/net", "/dev/null", "none", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting is not allowed: %w", err)
	}
	return nil
}

// trial asks whether names can be made in the directory, on a thread whose mounts are its own.
func (d namesDir) trial() error {
	dir := string(d)
	missing := false
	for {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			break
		}
		dir, missing = filepath.Dir(dir), true // what is missing will be made, in what there is
	}
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("%s cannot be written, where namespaces have their names: %w", dir, err)
	}
	if missing {
		return nil
	}
	return d.share()
}

// offload tries what makes interfaces fast.
func (t *trials) offload() {
	kinds := []struct {
		what  string
		flags int
	}{
		{TrialCSUM, unix.TUN_F_CSUM},
		{TrialTSO, unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN},
		{TrialUSO, unix.TUN_F_CSUM | unix.TUN_F_USO4 | unix.TUN_F_USO6},
	}
	t.optional(TrialHeaders, checkHeaders)
	for _, kind := range kinds {
		t.optional(kind.what, func() error {
			if err := newNetwork(); err != nil {
				return err
			}
			file, err := openOffload(trialNIC)
			if err != nil {
				return err
			}
			defer file.Close()
			return control(file, func(fd int) error { return unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, kind.flags) })
		})
	}
}
