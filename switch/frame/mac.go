package frame

import (
	"fmt"
	"net/netip"
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
