package frame

import (
	"encoding/binary"
	"net/netip"
)

// Kinds of records in a report of MLDv2 (RFC 3810 5.2.12): a group is heard, and from now on it is.
const (
	MLDHears uint8 = 2
	MLDJoins uint8 = 4
)

// AppendMLDReport appends the packet in which a station says which groups it hears (MLDv2, RFC 3810 5.2), from all senders.
func AppendMLDReport(b []byte, src netip.Addr, kind uint8, groups []netip.Addr) []byte {
	at := len(b)
	b = append(b, make([]byte, IPv6Header)...)
	b = append(b, ProtoICMPv6, 0, 5, 2, 0, 0, 1, 0) // hop-by-hop: a router alert (RFC 2711), and padding
	b = append(b, ICMPv6MLD2Report, 0, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(groups)))
	for _, g := range groups {
		group := g.As16()
		b = append(append(b, kind, 0, 0, 0), group[:]...)
	}
	IP(PutIPv6(b[at:], ProtoHopByHop, 1, src, AllMLDRouters)).SetICMPChecksum()
	return b
}

// AppendRouterSolicit appends the packet that asks whether there is a router (RFC 4861 4.1).
func AppendRouterSolicit(b []byte, src netip.Addr, mac MAC) []byte {
	at := len(b)
	b = append(append(b, make([]byte, IPv6Header)...), ICMPv6RouterSolicit, 0, 0, 0, 0, 0, 0, 0)
	if !src.IsUnspecified() {
		b = appendMAC(b, optionSourceMAC, mac)
	}
	finish(b[at:], src, AllRouters)
	return b
}
