package uplink

import (
	"net"
	"net/netip"
)

// FallbackAddr is the uplink's address on a host that has no way out at the moment.
var FallbackAddr = netip.MustParsePrefix("192.168.104.2/24")

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
