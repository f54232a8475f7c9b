package frame

import (
	"encoding/binary"
	"net/netip"
)

// BroadcastOf returns the address of everyone on an IPv4 network (RFC 919): all host bits set. A /31 or /32 has none, nor has
// a network of IPv6; then the invalid Addr is returned, which equals no address.
func BroadcastOf(network netip.Prefix) netip.Addr {
	if !network.Addr().Is4() || network.Bits() >= 31 {
		return netip.Addr{}
	}
	ip := network.Addr().As4()
	host := uint32(1)<<(32-network.Bits()) - 1
	binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(ip[:])|host)
	return netip.AddrFrom4(ip)
}
