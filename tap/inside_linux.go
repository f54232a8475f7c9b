package tap

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// Look reads what a namespace's kernel knows. The Inside holds a socket in the namespace until it is closed.
func Look(ns Namespace) (in *Inside, err error) {
	err = onThread(func() error {
		if err := enter(ns); err != nil {
			return err
		}
		in, err = lookHere()
		return err
	})
	return in, err
}

// LookHere looks at the namespace of this process.
func LookHere() (in *Inside, err error) {
	err = onThread(func() error {
		in, err = lookHere()
		return err
	})
	return in, err
}

// lookHere looks at the calling thread's namespace.
func lookHere() (*Inside, error) {
	in := &Inside{sysctls: map[string]int{}}
	if err := in.router.open(); err != nil {
		return nil, err
	}
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("netlink: %w", err)
	}
	defer handle.Close()
	for _, read := range []func(*netlink.Handle) error{in.readLinks, in.readRoutes, in.readRules, in.readNeighbors} {
		if err := read(handle); err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			in.Close()
			return nil, err
		}
	}
	in.readSysctls()
	in.readSockets()
	in.readNFTables()
	in.readLegacyTables()
	in.readOtherHooks()
	in.readTraffic(handle)
	return in, nil
}

func (in *Inside) readLinks(h *netlink.Handle) error {
	links, err := h.LinkList()
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return fmt.Errorf("links: %w", err)
	}
	names := map[int]string{}
	for _, l := range links {
		a := l.Attrs()
		names[a.Index] = a.Name
		link := Link{Name: a.Name, Index: a.Index, Kind: l.Type(), MTU: a.MTU, Up: a.RawFlags&unix.IFF_UP != 0, NoARP: a.RawFlags&unix.IFF_NOARP != 0}
		if link.Kind == "device" {
			link.Kind = ""
		}
		if len(a.HardwareAddr) == len(link.MAC) {
			link.MAC = frame.MAC(a.HardwareAddr)
		}
		if a.Xdp != nil && a.Xdp.Attached {
			in.Unseen = append(in.Unseen, Unseen{At: AtIngress, Dev: a.Name, Text: "an XDP program at " + a.Name, Shown: "ip link show " + a.Name})
		}
		in.Links = append(in.Links, link)
	}
	for i, l := range links {
		in.Links[i].Master = names[l.Attrs().MasterIndex]
	}
	addrs, err := h.AddrList(nil, netlink.FAMILY_V4)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return fmt.Errorf("addresses: %w", err)
	}
	for _, a := range addrs {
		addr, ok := netip.AddrFromSlice(a.IP.To4())
		link := in.linkOf(a.LinkIndex)
		if !ok || link == nil {
			continue
		}
		bits, _ := a.Mask.Size()
		link.Addresses = append(link.Addresses, netip.PrefixFrom(addr, bits))
	}
	return nil
}

func (in *Inside) linkOf(index int) *Link {
	for i := range in.Links {
		if in.Links[i].Index == index {
			return &in.Links[i]
		}
	}
	return nil
}

// dev names a device by its index.
func (in *Inside) dev(index int) string {
	if l := in.linkOf(index); l != nil {
		return l.Name
	}
	return ""
}

// routeTypes are the kernel's numbers.
var routeTypes = map[int]RouteType{unix.RTN_UNICAST: Unicast, unix.RTN_LOCAL: Local, unix.RTN_BROADCAST: Broadcast, unix.RTN_MULTICAST: Multicast,
	unix.RTN_BLACKHOLE: Blackhole, unix.RTN_UNREACHABLE: Unreachable, unix.RTN_PROHIBIT: Prohibit, unix.RTN_THROW: Throw}

func (in *Inside) readRoutes(h *netlink.Handle) error {
	routes, err := h.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return fmt.Errorf("routes: %w", err)
	}
	for _, r := range routes {
		f := FIBRoute{Table: r.Table, Type: routeTypes[r.Type], Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Metric: r.Priority,
			Dev: in.dev(r.LinkIndex)}
		f.Hops = len(r.MultiPath)
		if r.Dst != nil {
			addr, _ := netip.AddrFromSlice(r.Dst.IP.To4())
			bits, _ := r.Dst.Mask.Size()
			f.Prefix = netip.PrefixFrom(addr, bits)
		}
		if via, ok := netip.AddrFromSlice(r.Gw.To4()); ok {
			f.Via = via
		}
		f.Text = f.text()
		in.Routes = append(in.Routes, f)
	}
	return nil
}

// text is the route as `ip route` prints it.
func (f *FIBRoute) text() string {
	var words []string
	if f.Type != Unicast {
		words = append(words, string(f.Type))
	}
	switch {
	case f.Prefix.Bits() == 0:
		words = append(words, "default")
	case f.Prefix.IsSingleIP():
		words = append(words, f.Prefix.Addr().String())
	default:
		words = append(words, f.Prefix.String())
	}
	if f.Via.IsValid() {
		words = append(words, "via", f.Via.String())
	}
	if f.Dev != "" {
		words = append(words, "dev", f.Dev)
	}
	return strings.Join(words, " ")
}

// matching finds the route that decided about a destination: the longest prefix of a table, by the device and the next hop that
// were chosen.
func (in *Inside) matching(d Decision, dst netip.Addr) *FIBRoute {
	var best *FIBRoute
	for i := range in.Routes {
		r := &in.Routes[i]
		if r.Table == d.Table && r.Type == d.Type && r.Prefix.Contains(dst) && (d.Type == Local || r.Dev == d.Dev && r.Via == d.Via) &&
			(best == nil || r.Prefix.Bits() > best.Prefix.Bits()) {
			best = r
		}
	}
	return best
}

// Matching returns the route that led to a decision about a destination, as `ip route` prints it, and its prefix; empty if it
// cannot be told.
func (in *Inside) Matching(d Decision, dst netip.Addr) (prefix netip.Prefix, text string) {
	if r := in.matching(d, dst); r != nil {
		return r.Prefix, r.Text
	}
	return netip.Prefix{}, ""
}

// Several reports whether packets to a destination are shared among several next hops: which of them was chosen depends on the
// packet.
func (in *Inside) Several(d Decision, dst netip.Addr) bool {
	var best *FIBRoute
	for i := range in.Routes {
		r := &in.Routes[i]
		if r.Table == d.Table && r.Type == Unicast && r.Prefix.Contains(dst) && (best == nil || r.Prefix.Bits() > best.Prefix.Bits() ||
			r.Prefix == best.Prefix && r.Metric < best.Metric) {
			best = r
		}
	}
	return d.Type == Unicast && best != nil && best.Hops > 1
}

func (in *Inside) readNeighbors(h *netlink.Handle) error {
	for _, proxy := range []bool{false, true} {
		list := h.NeighList
		if proxy {
			list = h.NeighProxyList
		}
		rows, err := list(0, netlink.FAMILY_V4)
		if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			return fmt.Errorf("neighbours: %w", err)
		}
		for _, r := range rows {
			n := Neighbor{Dev: in.dev(r.LinkIndex), State: r.State, Proxy: proxy}
			n.Addr, _ = netip.AddrFromSlice(r.IP.To4())
			if len(r.HardwareAddr) == len(n.MAC) {
				n.MAC = frame.MAC(r.HardwareAddr)
			}
			in.Neighbors = append(in.Neighbors, n)
		}
	}
	return nil
}
