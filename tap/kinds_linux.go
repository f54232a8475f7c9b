package tap

import (
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"github.com/songgao/water"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// openPlain makes a TAP without offload headers in the calling thread's namespace. It vanishes when the file is closed,
// which is not passed on to children.
//
// Package water opens the descriptor without O_CLOEXEC; holding ForkLock keeps children from being forked before that is
// mended. It also loses the descriptor if the name is taken, so callers see to it that it is not.
func openPlain(name string) (*os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	tap, err := water.New(water.Config{
		DeviceType:             water.TAP,
		PlatformSpecificParams: water.PlatformSpecificParams{Name: name},
	})
	if err != nil {
		return nil, fmt.Errorf("make a TAP with /dev/net/tun: %w", err)
	}
	file := tap.ReadWriteCloser.(*os.File)
	return file, control(file, func(fd int) error {
		unix.CloseOnExec(fd)
		return nil
	})
}

// openOffload makes a TAP with offload headers in the calling thread's namespace, as openPlain makes one without.
func openOffload(name string) (*os.File, error) {
	if err := checkHeaders(); err != nil {
		return nil, err
	}
	tap := netlink.Tuntap{
		LinkAttrs:  netlink.LinkAttrs{Name: name},
		Mode:       netlink.TUNTAP_MODE_TAP,
		Flags:      netlink.TUNTAP_NO_PI | netlink.TUNTAP_VNET_HDR,
		Queues:     1,
		NonPersist: true,
	}
	if err := netlink.LinkAdd(&tap); err != nil {
		return nil, fmt.Errorf("make a TAP with offload: %w", err)
	}
	return tap.Fds[0], nil
}

// leaveToUs makes Linux keep its hands off TCP's checksums and segments, and off UDP's too from Linux 6.2 on: datagrams
// says whether it does. It is the same release that takes super-frames of datagrams which are written (virtio_net.h:
// VIRTIO_NET_HDR_GSO_UDP_L4); an earlier one refuses the write. The file is closed if that fails.
func leaveToUs(file *os.File) (datagrams bool, err error) {
	err = control(file, func(fd int) error {
		const tcp = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN
		err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tcp|unix.TUN_F_USO4|unix.TUN_F_USO6)
		if datagrams = err == nil; err == unix.EINVAL {
			err = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tcp)
		}
		if err != nil {
			return fmt.Errorf("%w (TUNSETOFFLOAD: %w)", ErrNoOffload, err)
		}
		return nil
	})
	return datagrams, err
}

// checkHeaders asks whether the kernel knows TAPs with offload headers (IFF_VNET_HDR); some sandboxes do not.
func checkHeaders() error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	defer unix.Close(fd)
	features, err := unix.IoctlGetUint32(fd, unix.TUNGETFEATURES)
	if err != nil {
		return fmt.Errorf("%w (TUNGETFEATURES: %w)", ErrNoOffload, err)
	}
	if features&unix.IFF_VNET_HDR == 0 {
		return ErrNoOffload
	}
	return nil
}

// control runs f with the descriptor of a file, which stays non-blocking, and closes the file if f fails.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn() // Fd may make the file blocking, and a Read then survives Close
	if err == nil {
		failed := raw.Control(func(fd uintptr) { err = f(int(fd)) })
		if failed != nil {
			err = failed
		}
	}
	if err != nil {
		file.Close()
	}
	return err
}

// plain is a TAP without offload headers: each read and each write is one frame, complete, as on a wire.
type plain struct{ *nic }

// Read implements Device.
func (d plain) Read() (frame.Frame, error) {
	data, err := d.read()
	return frame.Frame{Data: data}, err
}

// Write implements Device.
func (d plain) Write(f frame.Frame) error {
	if f.Unfinished() {
		return d.offload
	}
	return d.write(nil, f.Data)
}

// TakesOffload implements Device.
func (plain) TakesOffload(frame.GSO) bool { return false }

// offload is a TAP with offload headers: a read or a write is one frame, perhaps of 64 KiB, with word of what is still to
// be done to it.
type offload struct {
	*nic
	datagrams bool // the kernel takes and gives super-frames of them
}

// Read implements Device.
func (d offload) Read() (frame.Frame, error) {
	b, err := d.read()
	if err != nil {
		return frame.Frame{}, err
	}
	if len(b) < virtioSize { // the kernel writes no such thing
		return frame.Frame{}, fmt.Errorf("%s: %d bytes: %w", d.name, len(b), io.ErrUnexpectedEOF)
	}
	data := b[virtioSize:]
	return frame.Frame{Data: data, Offload: decode(b, data)}, nil
}

// Write implements Device.
func (d offload) Write(f frame.Frame) error {
	if !f.Offload.Valid(len(f.Data)) {
		return d.offload
	}
	var header virtioHeader
	header.encode(f.Offload)
	return d.write(&header, f.Data)
}

// TakesOffload implements Device.
func (d offload) TakesOffload(kind frame.GSO) bool { return kind != frame.GSOUDPL4 || d.datagrams }

// TunnelDevices names the kernel's own VXLAN devices of the calling thread's namespace whose packets arrive at a UDP port. Their socket
// belongs to no process.
func TunnelDevices(port uint16) (names []string) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil // a sandbox without answers has no such devices either
	}
	for _, l := range links {
		if v, ok := l.(*netlink.Vxlan); ok && v.Port == int(port) {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return names
}
