package tap

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// SetGateway implements Device.
func (d *card) SetGateway(a netip.Addr) error {
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
func (d *card) setGatewayHere(a netip.Addr) error {
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
