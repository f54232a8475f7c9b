package uplink

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// FallbackAddr is the uplink's address on a host that has no way out at the moment.
var FallbackAddr = netip.MustParsePrefix("192.168.104.2/24")

// OutgoingAddr returns the address, with its network, that the host would send from if it sent to the Internet, or
// FallbackAddr if it has no default route. Nothing is sent: connecting a UDP socket only looks up the route.
func OutgoingAddr() netip.Prefix {
	c, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return FallbackAddr
	}
	defer c.Close()
	own := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	if own.IsLoopback() {
		return FallbackAddr
	}
	for _, p := range hostPrefixes() {
		if p.Addr() == own && p.Bits() < 31 {
			return p
		}
	}
	return netip.PrefixFrom(own, 24) // a point-to-point link: only the address matters
}

// forbidden knows which destinations are the host's own business.
type forbidden struct {
	mu   sync.Mutex // serialises refreshing
	at   atomic.Int64
	addr atomic.Pointer[map[netip.Addr]bool]
}

// refreshAfter is how long a new address of the host's may stay unknown.
const refreshAfter = time.Second

// metadata is where clouds tell a machine its secrets.
var metadata = netip.AddrFrom4([4]byte{169, 254, 169, 254})

// covers reports whether a lab has to ask (AllowHost) before it may talk to a.
func (f *forbidden) covers(a netip.Addr) bool {
	if a.IsLoopback() || a.IsUnspecified() || a == metadata {
		return true
	}
	own := f.addr.Load()
	return own != nil && (*own)[a]
}

// refresh reads the host's addresses again if the last time is long ago. Addresses come and go with VPNs and cables.
func (f *forbidden) refresh(now time.Time) {
	if now.UnixNano()-f.at.Load() < int64(refreshAfter) && f.addr.Load() != nil || !f.mu.TryLock() {
		return
	}
	defer f.mu.Unlock()
	own := map[netip.Addr]bool{}
	for _, p := range hostPrefixes() {
		own[p.Addr()] = true
	}
	f.addr.Store(&own)
	f.at.Store(now.UnixNano())
}

// hostPrefixes lists the IPv4 addresses of all of the host's interfaces. A host that does not tell has none.
func hostPrefixes() []netip.Prefix {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var found []netip.Prefix
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap().Is4() {
				bits, _ := n.Mask.Size()
				if len(n.Mask) == net.IPv6len {
					bits -= 96
				}
				found = append(found, netip.PrefixFrom(ip.Unmap(), bits))
			}
		}
	}
	return found
}
