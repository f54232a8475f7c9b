package frame

import (
	"encoding/binary"
	"net/netip"
)

// ARPLength is the length in bytes of an ARP packet for IPv4 over Ethernet.
const ARPLength = 28

// Operations of ARP (RFC 826).
const (
	ARPRequest uint16 = 1
	ARPReply   uint16 = 2
)

// ARP is a view of an ARP packet for IPv4 over Ethernet (RFC 826):
//
//	0       2       4   5   6    8            14        18           24        28
//	+-------+-------+---+---+----+------------+---------+------------+---------+
//	| htype | ptype |hln|pln| op | sender MAC | sender  | target MAC | target  |
//	|   1   | 0800  | 6 | 4 |    |            |   IP    |            |   IP    |
//	+-------+-------+---+---+----+------------+---------+------------+---------+
type ARP []byte

// ParseARP returns the view, without any padding, or false if the packet is short or is not about IPv4 over Ethernet.
func ParseARP(b []byte) (ARP, bool) {
	if len(b) < ARPLength {
		return nil, false
	}
	a := ARP(b[:ARPLength])
	ok := binary.BigEndian.Uint16(a[0:2]) == 1 && binary.BigEndian.Uint16(a[2:4]) == TypeIPv4 && a[4] == 6 && a[5] == 4
	return a, ok
}

// Op returns the operation: ARPRequest, ARPReply, or something that no one should have sent.
func (a ARP) Op() uint16 { return binary.BigEndian.Uint16(a[6:8]) }

// SenderMAC returns the hardware address of the sender (sha).
func (a ARP) SenderMAC() MAC { return MAC(a[8:14]) }

// SenderIP returns the protocol address of the sender (spa); 0.0.0.0 in a probe (RFC 5227).
func (a ARP) SenderIP() netip.Addr { return netip.AddrFrom4([4]byte(a[14:18])) }

// TargetMAC returns the hardware address of the target (tha).
func (a ARP) TargetMAC() MAC { return MAC(a[18:24]) }

// TargetIP returns the protocol address of the target (tpa).
func (a ARP) TargetIP() netip.Addr { return netip.AddrFrom4([4]byte(a[24:28])) }

// IsAnnouncement reports whether the sender asks for, or tells about, its own address (a gratuitous ARP, RFC 5227 2.3).
func (a ARP) IsAnnouncement() bool { return a.SenderIP() == a.TargetIP() }

// IsProbe reports whether the sender asks for an address that it does not have yet (RFC 5227 2.1.1).
func (a ARP) IsProbe() bool { return a.Op() == ARPRequest && a.SenderIP() == netip.IPv4Unspecified() }

// PutARP writes an ARP packet into b, which must hold ARPLength bytes. Both addresses must be IPv4.
func PutARP(b []byte, op uint16, senderMAC MAC, senderIP netip.Addr, targetMAC MAC, targetIP netip.Addr) {
	spa, tpa := senderIP.As4(), targetIP.As4()
	b = b[:ARPLength]
	copy(b, []byte{0, 1, 0x08, 0x00, 6, 4})
	binary.BigEndian.PutUint16(b[6:8], op)
	copy(b[8:14], senderMAC[:])
	copy(b[14:18], spa[:])
	copy(b[18:24], targetMAC[:])
	copy(b[24:28], tpa[:])
}
