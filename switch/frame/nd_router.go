package frame

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"
)

// RouterAdvert is what a router says of itself and of the link (RFC 4861 4.2, RFC 8106).
type RouterAdvert struct {
	HopLimit         uint8 // that hosts are to send with; 0: it does not say
	Managed          bool  // M: addresses come by DHCPv6
	Other            bool  // O: DHCPv6 knows more, name servers for instance
	Lifetime         time.Duration
	Reachable, Retry time.Duration // 0: it does not say
	MTU              uint32        // 0: it does not say
	Prefixes         []AdvertPrefix
	DNS              []netip.Addr
	DNSLifetime      time.Duration
	Search           []string // domains
	SearchLifetime   time.Duration
}

// AdvertPrefix is a network of the link.
type AdvertPrefix struct {
	Prefix           netip.Prefix
	OnLink           bool // L: its addresses are neighbours
	Autonomous       bool // A: hosts may make themselves an address in it
	Valid, Preferred time.Duration
}

// NDInfinite is a lifetime that does not end.
const NDInfinite = time.Duration(1<<32-1) * time.Second

const (
	flagManaged    = 0x80
	flagOther      = 0x40
	flagOnLink     = 0x80
	flagAutonomous = 0x40
)

func (a *RouterAdvert) readFixed(b []byte) {
	a.HopLimit, a.Managed, a.Other = b[4], b[5]&flagManaged != 0, b[5]&flagOther != 0
	a.Lifetime = time.Duration(binary.BigEndian.Uint16(b[6:])) * time.Second
	a.Reachable, a.Retry = time.Duration(seconds(b[8:]))*time.Millisecond, time.Duration(seconds(b[12:]))*time.Millisecond
}

// readOption reads one that only a router sends. What is not known, or too short, is passed over.
func (a *RouterAdvert) readOption(o []byte) {
	switch {
	case o[0] == optionPrefix && len(o) == 32 && o[2] <= 128:
		a.Prefixes = append(a.Prefixes, AdvertPrefix{
			Prefix: netip.PrefixFrom(netip.AddrFrom16([16]byte(o[16:32])), int(o[2])).Masked(),
			OnLink: o[3]&flagOnLink != 0, Autonomous: o[3]&flagAutonomous != 0,
			Valid: time.Duration(seconds(o[4:])) * time.Second, Preferred: time.Duration(seconds(o[8:])) * time.Second,
		})
	case o[0] == optionMTU && len(o) == 8:
		a.MTU = seconds(o[4:])
	case o[0] == optionRDNSS && len(o) >= 24:
		a.DNSLifetime = time.Duration(seconds(o[4:])) * time.Second
		for b := o[8:]; len(b) >= 16; b = b[16:] {
			a.DNS = append(a.DNS, netip.AddrFrom16([16]byte(b[:16])))
		}
	case o[0] == optionDNSSL && len(o) >= 16:
		a.SearchLifetime = time.Duration(seconds(o[4:])) * time.Second
		a.Search = append(a.Search, domains(o[8:])...)
	}
}

// domains reads names as DNS writes them, without compression, up to the padding.
func domains(b []byte) (names []string) {
	var labels []string
	for len(b) > 0 {
		n := int(b[0])
		switch {
		case n == 0 && len(labels) == 0:
			return names
		case n == 0:
			names, labels, b = append(names, strings.Join(labels, ".")), nil, b[1:]
			continue
		case n > 63 || n >= len(b):
			return names
		}
		labels, b = append(labels, string(b[1:1+n])), b[1+n:]
	}
	return names
}

// AppendRouterAdvert appends the packet in which a router says what a holds, from its link-local address and MAC.
func AppendRouterAdvert(b []byte, a RouterAdvert, src, dst netip.Addr, mac MAC) []byte {
	at := len(b)
	b = append(b, make([]byte, IPv6Header+16)...)
	m := b[at+IPv6Header:]
	m[0], m[4] = ICMPv6RouterAdvert, a.HopLimit
	m[5] = flag(a.Managed, flagManaged) | flag(a.Other, flagOther)
	binary.BigEndian.PutUint16(m[6:], uint16(min(a.Lifetime/time.Second, 1<<16-1)))
	binary.BigEndian.PutUint32(m[8:], uint32(a.Reachable/time.Millisecond))
	binary.BigEndian.PutUint32(m[12:], uint32(a.Retry/time.Millisecond))
	b = appendMAC(b, optionSourceMAC, mac)
	if a.MTU != 0 {
		b = binary.BigEndian.AppendUint32(append(b, optionMTU, 1, 0, 0), a.MTU)
	}
	for _, p := range a.Prefixes {
		b = p.append(b)
	}
	b = a.appendDNS(b)
	finish(b[at:], src, dst)
	return b
}

func (p AdvertPrefix) append(b []byte) []byte {
	b = append(b, optionPrefix, 4, byte(p.Prefix.Bits()), flag(p.OnLink, flagOnLink)|flag(p.Autonomous, flagAutonomous))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Valid/time.Second))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Preferred/time.Second))
	network := p.Prefix.Masked().Addr().As16()
	return append(append(b, 0, 0, 0, 0), network[:]...)
}

// appendDNS appends the options of RFC 8106.
func (a *RouterAdvert) appendDNS(b []byte) []byte {
	if len(a.DNS) > 0 {
		b = append(b, optionRDNSS, byte(1+2*len(a.DNS)), 0, 0)
		b = binary.BigEndian.AppendUint32(b, uint32(a.DNSLifetime/time.Second))
		for _, server := range a.DNS {
			s := server.As16()
			b = append(b, s[:]...)
		}
	}
	if len(a.Search) > 0 {
		at := len(b)
		b = append(b, optionDNSSL, 0, 0, 0)
		b = binary.BigEndian.AppendUint32(b, uint32(a.SearchLifetime/time.Second))
		for _, domain := range a.Search {
			for label := range strings.SplitSeq(domain, ".") {
				b = append(append(b, byte(len(label))), label...)
			}
			b = append(b, 0)
		}
		for (len(b)-at)%8 != 0 {
			b = append(b, 0)
		}
		b[at+1] = byte((len(b) - at) / 8)
	}
	return b
}
