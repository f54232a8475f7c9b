package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// EthernetHeader is the length in bytes of destination, source and EtherType.
const EthernetHeader = 14

// EtherTypes that uswitch looks at (IEEE 802 numbers); every other one is carried unread.
const (
	TypeIPv4 uint16 = 0x0800
	TypeARP  uint16 = 0x0806
	TypeVLAN uint16 = 0x8100
	TypeIPv6 uint16 = 0x86dd

	typeServiceVLAN uint16 = 0x88a8 // the outer tag of two (IEEE 802.1ad)
)

// Ethernet is a view of a frame without preamble and check sequence:
//
//	0            6            12     14
//	+------------+------------+------+---------
//	| destination|   source   | type | payload
//	+------------+------------+------+---------
//
// A VLAN tag, if any, is left where it is: its type 0x8100 is the frame's type.
type Ethernet []byte

// ParseEthernet returns the view, or false if the header is not complete.
func ParseEthernet(b []byte) (Ethernet, bool) { return Ethernet(b), len(b) >= EthernetHeader }

// Dst returns the destination address.
func (e Ethernet) Dst() MAC { return MAC(e[0:6]) }

// Src returns the source address.
func (e Ethernet) Src() MAC { return MAC(e[6:12]) }

// Type returns the EtherType, or for an 802.3 frame the length field (below 0x0600).
func (e Ethernet) Type() uint16 { return binary.BigEndian.Uint16(e[12:14]) }

// Payload returns what follows the header.
func (e Ethernet) Payload() []byte { return e[EthernetHeader:] }

// Untagged returns the EtherType behind any VLAN tags, and what follows it.
func (e Ethernet) Untagged() (etherType uint16, payload []byte) {
	at := networkHeader(e)
	return binary.BigEndian.Uint16(e[at-2:]), e[at:]
}

// SetHeader writes the three fields of the header.
func (e Ethernet) SetHeader(dst, src MAC, etherType uint16) {
	copy(e[0:6], dst[:])
	copy(e[6:12], src[:])
	binary.BigEndian.PutUint16(e[12:14], etherType)
}

// What a link can answer when it is read or written. They live here because the package that opens devices and the one
// that switches frames know nothing of each other. Anything else that a link returns is a fault of that one frame.
var (
	// ErrLinkDown: the far side has taken its interface down. The link stays: it may come up again.
	ErrLinkDown = errors.New("the link is down")
	// ErrLinkFull: the far side does not read fast enough and its queue is full. The frame is lost, the link is fine.
	ErrLinkFull = errors.New("the link's queue is full")
	// ErrLinkGone: the device or its namespace no longer exists. Every further call says the same.
	ErrLinkGone = errors.New("the link is gone")
)

// MAC is a 48-bit IEEE 802 address. The zero value is the all-zero address, which no station may use as its own.
type MAC [6]byte

// Broadcast is the address of everyone: ff:ff:ff:ff:ff:ff.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// IsGroup reports whether the address names a group of stations (the I/G bit is set); broadcast is one such group.
func (m MAC) IsGroup() bool { return m[0]&1 != 0 }

// IsBroadcast reports whether the address is ff:ff:ff:ff:ff:ff.
func (m MAC) IsBroadcast() bool { return m == Broadcast }

// IsStation reports whether the address can be that of one station: not a group, not zero. Only such a source is valid
// (IEEE 802.1D-2004 7.8; the kernel's is_valid_ether_addr).
func (m MAC) IsStation() bool { return !m.IsGroup() && m != MAC{} }

// IsReserved reports whether the address is one of 01-80-C2-00-00-00 to -0F, which are a bridge's own
// (IEEE 802.1D-2004 table 7-10: spanning tree, PAUSE, LACP, 802.1X, LLDP).
func (m MAC) IsReserved() bool {
	return m[0] == 0x01 && m[1] == 0x80 && m[2] == 0xc2 && m[3] == 0 && m[4] == 0 && m[5] <= 0x0f
}

// String returns the usual six pairs of hexadecimal digits with colons.
func (m MAC) String() string {
	const hex = "0123456789abcdef"
	var b [17]byte
	for i, octet := range m {
		b[3*i], b[3*i+1] = hex[octet>>4], hex[octet&15]
		if i < 5 {
			b[3*i+2] = ':'
		}
	}
	return string(b[:])
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it accepts what ParseMAC accepts.
func (m *MAC) UnmarshalText(text []byte) error {
	parsed, err := ParseMAC(string(text))
	if err == nil {
		*m = parsed
	}
	return err
}

// ParseMAC reads six pairs of hexadecimal digits separated by colons or hyphens.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	if len(s) != 17 {
		return m, fmt.Errorf("MAC address %q: want six pairs of hex digits, as in 02:42:ac:11:00:02", s)
	}
	for i := range m {
		hi, lo := unhex(s[3*i]), unhex(s[3*i+1])
		separated := i == 5 || s[3*i+2] == s[2] && (s[2] == ':' || s[2] == '-')
		if hi < 0 || lo < 0 || !separated {
			return MAC{}, fmt.Errorf("MAC address %q: want six pairs of hex digits, as in 02:42:ac:11:00:02", s)
		}
		m[i] = byte(hi<<4 | lo)
	}
	return m, nil
}

// MACFromIPv4 returns Docker's classic address for a host: 02:42 followed by the four octets of its IPv4 address.
func MACFromIPv4(a netip.Addr) MAC {
	ip := a.As4()
	return MAC{0x02, 0x42, ip[0], ip[1], ip[2], ip[3]}
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
