package tap

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Check implements Host.
func (l *local) Check() error {
	if err := errors.Join(checkTUN(), checkCapabilities()); err != nil {
		return err // what the trial would stumble over is known
	}
	return onThread(trial)
}

func checkTUN() error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	switch err {
	case nil:
		return unix.Close(fd)
	case unix.ENOENT:
		return errors.New("/dev/net/tun is missing: load the kernel module (modprobe tun), or give the container the device (--device /dev/net/tun)")
	case unix.ENODEV, unix.ENXIO:
		return errors.New("/dev/net/tun has no driver behind it: load the kernel module (modprobe tun)")
	}
	return fmt.Errorf("/dev/net/tun cannot be opened: %w", err)
}

func checkCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	var missing []error
	for _, needed := range []struct {
		bit  uint
		text string
	}{
		{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN is missing, without which no network card can be made: run as root"},
		{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN is missing, without which no namespace can be made or entered: run as root"},
	} {
		if data[0].Effective&(1<<needed.bit) == 0 {
			missing = append(missing, errors.New(needed.text))
		}
	}
	return errors.Join(missing...)
}

// trial makes a namespace, which it enters, a TAP and a mount, that vanish with the calling thread.
func trial() error {
	if err := newNetwork(); err != nil {
		return fmt.Errorf("network namespaces cannot be made: %w", err)
	}
	var missing []error
	if err := enterPath("/proc/thread-self/ns/net"); err != nil {
		missing = append(missing, fmt.Errorf("namespaces can be made, but not entered: seccomp or AppArmor forbids it here: %w", err))
	}
	if tap, err := openPlain("eth0"); err != nil {
		missing = append(missing, err)
	} else {
		tap.Close()
	}
	if err := trialMount(); err != nil {
		missing = append(missing, fmt.Errorf("mounting is not allowed (a container needs --cap-add SYS_ADMIN --security-opt apparmor=unconfined): %w", err))
	}
	return errors.Join(missing...)
}

func trialMount() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "none", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return err
	}
	return unix.Mount("/proc/thread-self/ns/net", "/dev/net/tun", "none", unix.MS_BIND, "")
}
