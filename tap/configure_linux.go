package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// configure sets up an interface in the calling thread's namespace, and lo beside it.
func configure(cfg Interface) error {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer handle.Close()
	link, err := handle.LinkByName(cfg.Name)
	if err != nil {
		return err
	}
	if err := configureLink(handle, link, cfg); err != nil {
		return err
	}
	if err := followRouters(cfg); err != nil {
		return err
	}
	for _, address := range cfg.Addresses {
		if err := handle.AddrAdd(link, addrOf(address)); err != nil {
			return fmt.Errorf("address %s: %w", address, err)
		}
	}
	if !cfg.Down {
		if err := bringUp(handle, link, cfg); err != nil {
			return fmt.Errorf("up: %w", err)
		}
		if err := addRoutes(handle, link, cfg); err != nil {
			return err
		}
	}
	return loopbackUp() // last, for nothing takes it back
}

// bringUp takes an interface up. The kernel announces the addresses of an interface that comes up within that call, if arp_notify says so
// (inetdev_event in net/ipv4/devinet.c); afterwards that is off again, as on every other interface.
func bringUp(handle *netlink.Handle, link netlink.Link, cfg Interface) error {
	if !cfg.Announce {
		return handle.LinkSetUp(link)
	}
	if err := setNotify(cfg.Name, link, 1); err != nil {
		return err
	}
	return errors.Join(handle.LinkSetUp(link), setNotify(cfg.Name, link, 0))
}

// setNotify sets arp_notify of an interface in the calling thread's namespace: by netlink where a container's /proc/sys is read-only.
func setNotify(name string, link netlink.Link, value uint32) error {
	err := os.WriteFile("/proc/sys/net/ipv4/conf/"+name+"/arp_notify", strconv.AppendUint(nil, uint64(value), 10), 0o644)
	if !closedSysctl(err) {
		return err
	}
	const inetConf, arpNotify = 1, 22 // IFLA_INET_CONF, IPV4_DEVCONF_ARP_NOTIFY of linux/if_link.h and linux/ip.h
	request := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	message := nl.NewIfInfomsg(unix.AF_UNSPEC)
	message.Index = int32(link.Attrs().Index)
	request.AddData(message)
	spec := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	spec.AddRtAttr(unix.AF_INET, nil).AddRtAttr(inetConf, nil).AddRtAttr(arpNotify, nl.Uint32Attr(value))
	request.AddData(spec)
	_, err = request.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// closedSysctl reports whether a sysctl could not be set because /proc/sys is not to be written here.
func closedSysctl(err error) bool {
	return errors.Is(err, unix.EROFS) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
}

// configureLink sets what belongs to the link itself, and must stand before the interface comes up.
func configureLink(handle *netlink.Handle, link netlink.Link, cfg Interface) error {
	if cfg.MAC.IsStation() {
		if err := handle.LinkSetHardwareAddr(link, cfg.MAC[:]); err != nil {
			return fmt.Errorf("MAC address %s: %w", cfg.MAC, err)
		}
	}
	if err := handle.LinkSetMTU(link, cfg.MTU); err != nil {
		return fmt.Errorf("MTU %d: %w", cfg.MTU, err)
	}
	if err := handle.LinkSetTxQLen(link, cfg.QueueLength); err != nil {
		return fmt.Errorf("queue length %d: %w", cfg.QueueLength, err)
	}
	return nil
}

func addRoutes(handle *netlink.Handle, link netlink.Link, cfg Interface) error {
	index := link.Attrs().Index
	for _, gateway := range []netip.Addr{cfg.Gateway, cfg.Gateway6} {
		if !gateway.IsValid() {
			continue
		}
		if err := handle.RouteAdd(&netlink.Route{LinkIndex: index, Gw: gateway.AsSlice()}); err != nil {
			return fmt.Errorf("default route via %s: %w", gateway, err)
		}
	}
	for _, route := range cfg.Routes {
		err := handle.RouteAdd(&netlink.Route{
			LinkIndex: index,
			Dst:       ipNet(route.To.Masked()),
			Gw:        route.Via.AsSlice(),
			Scope:     scopeOf(route),
		})
		if err != nil {
			return fmt.Errorf("route to %s: %w", route.To, err)
		}
	}
	return nil
}

// scopeOf is "link" for a destination on the wire itself, as in "ip route add 10.0.0.0/8 dev eth0".
func scopeOf(route Route) netlink.Scope {
	if route.Via.IsValid() || route.To.Addr().Is6() {
		return netlink.SCOPE_UNIVERSE
	}
	return netlink.SCOPE_LINK
}

// addrOf is an address as netlink has it. One of IPv6 that the lab gives is nobody else's: it is there at once, as Docker gives
// it, and not tentative for a second first.
func addrOf(p netip.Prefix) *netlink.Addr {
	a := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

// followRouters says whether the interface takes what routers advertise (net.ipv6.conf.NAME.accept_ra). A kernel without IPv6 has
// nothing to say it to, and where /proc/sys is read-only it stays as it is.
func followRouters(cfg Interface) error {
	if cfg.DisableIPv6 || cfg.RouterAdverts {
		return nil // it does unless it is told not to
	}
	err := os.WriteFile("/proc/sys/net/ipv6/conf/"+cfg.Name+"/accept_ra", []byte("0"), 0o644)
	if errors.Is(err, fs.ErrNotExist) || closedSysctl(err) {
		return nil
	}
	return err
}

// disableIPv6 switches IPv6 off for one interface of the calling thread's namespace: /proc/sys/net shows every thread its own
// namespace. A kernel without IPv6 has nothing to switch off. Where a container's /proc/sys is read-only, the interface is kept from
// having an address (IN6_ADDR_GEN_MODE_NONE), and has nothing to say then.
func disableIPv6(name string) error {
	err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !closedSysctl(err) {
		return err
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	const none = 1
	return netlink.LinkSetIP6AddrGenMode(link, none)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// Set sets settings of a namespace's network, by the names that sysctl has for them, in the order of these names.
func Set(ns Namespace, settings map[string]string) error {
	return onThread(func() error {
		if err := enter(ns); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			if err := setHere(name, settings[name]); err != nil {
				return fmt.Errorf("sysctl %s=%s: %w", name, settings[name], err)
			}
		}
		return nil
	})
}

// setHere sets a setting of the calling thread's namespace: /proc/sys/net shows every thread its own.
func setHere(name, value string) error {
	if first := strings.IndexAny(name, "./"); first >= 0 && name[first] == '.' {
		name = strings.Map(swapped, name) // as sysctl(8) has it: net.ipv4.conf.eth0/1.rp_filter is of eth0.1
	}
	path := "/proc/sys/" + name
	if !strings.HasPrefix(path, "/proc/sys/net/") || strings.Contains(path, "/../") {
		return errors.New("is no setting of a network")
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err.(*os.PathError).Err
	}
	defer file.Close()
	if _, err := file.WriteString(value); err != nil {
		return err.(*os.PathError).Err
	}
	return nil
}

// swapped makes a slash of a dot and a dot of a slash.
func swapped(r rune) rune {
	switch r {
	case '.':
		return '/'
	case '/':
		return '.'
	}
	return r
}
