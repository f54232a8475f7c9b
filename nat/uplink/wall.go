//go:build !js

package uplink

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"uswitch/switch/trace"
)

// refuses reports whether a destination is closed to the lab, for a flow that begins. What the host does not tell about is
// closed as well: an answer that failed must not be the way in.
func (h *Host) refuses(dst netip.Addr) trace.Reason {
	if r := h.refusesAlways(dst); h.allowHost || r != trace.NoReason {
		return r
	}
	switch own, err := h.own.Owns(dst); {
	case err != nil:
		return trace.HostUnknown
	case own:
		return trace.HostForbidden
	}
	return trace.NoReason
}

// refusesAlways is refuses as far as nobody has to be asked, which is cheap enough for each packet.
func (h *Host) refusesAlways(dst netip.Addr) trace.Reason {
	if !h.allowHost && (dst.IsLoopback() || dst.IsUnspecified() || dst.IsLinkLocalUnicast() || dst.Is4In6() || metadata6[dst]) {
		return trace.HostForbidden // of 169.254/16 are the addresses where clouds tell a machine its secrets
	}
	return trace.NoReason
}

// metadata6 are those addresses of IPv6 where clouds tell a machine its secrets: of EC2, and of Google's.
var metadata6 = map[netip.Addr]bool{netip.MustParseAddr("fd00:ec2::254"): true, netip.MustParseAddr("fd20:ce::254"): true}

// Refuses reports whether a destination is closed to the lab at this moment, and why.
func (h *Host) Refuses(dst netip.Addr) trace.Reason { return h.refuses(dst) }

// addrList is an Own that reads the addresses of the host's interfaces from time to time. It knows of no address that has no
// interface, and of a new one only after refreshAfter: it is for hosts whose routes cannot be asked.
type addrList struct {
	now  func() time.Time
	read func() ([]netip.Prefix, error) // hostPrefixes

	mu   sync.Mutex // guards all below; held while the list is read, since whoever comes meanwhile needs it as well
	at   time.Time  // when the list was read
	list map[netip.Addr]bool
}

// refreshAfter is how long a new address of the host's may stay unknown.
const refreshAfter = time.Second

// Owns implements Own. When the addresses cannot be read, the last list that could be goes on, for what it has; about the
// rest there is the error.
func (l *addrList) Owns(a netip.Addr) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now(); l.list == nil || now.Sub(l.at) >= refreshAfter {
		prefixes, err := l.read()
		if err != nil {
			return l.list[a], err
		}
		l.at, l.list = now, make(map[netip.Addr]bool, len(prefixes))
		for _, p := range prefixes {
			l.list[p.Addr()] = true
		}
	}
	return l.list[a], nil
}

// OutgoingAddr returns the address, with its network, that the host would send from if it sent to the Internet, or
// FallbackAddr and false if it has no default route. Nothing is sent: connecting a UDP socket only looks up the route.
func OutgoingAddr() (addr netip.Prefix, ok bool) {
	c, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return FallbackAddr, false
	}
	defer c.Close()
	own := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	if own.IsLoopback() {
		return FallbackAddr, false
	}
	prefixes, _ := hostPrefixes() // without them there is no better prefix than the usual one
	for _, p := range prefixes {
		if p.Addr() == own && p.Bits() < 31 {
			return p, true
		}
	}
	return netip.PrefixFrom(own, 24), true // a point-to-point link: only the address matters
}

// OutgoingAddr6 is OutgoingAddr in IPv6, whose networks are nobody's business: any host of one may be spoken to.
func OutgoingAddr6() netip.Addr {
	c, err := net.Dial("udp6", "[2001:db8::1]:9")
	if err != nil {
		return FallbackAddr6
	}
	defer c.Close()
	own := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	if own.IsLoopback() || own.IsLinkLocalUnicast() {
		return FallbackAddr6
	}
	return own
}

// hostPrefixes lists the addresses of all of the host's interfaces.
func hostPrefixes() (found []netip.Prefix, err error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				bits, _ := n.Mask.Size()
				if ip = ip.Unmap(); ip.Is4() && len(n.Mask) == net.IPv6len {
					bits -= 96
				}
				found = append(found, netip.PrefixFrom(ip, bits))
			}
		}
	}
	return found, nil
}
