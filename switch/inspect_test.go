package vswitch_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

var (
	red6  = netip.MustParseAddr("fd00::2")
	blue6 = netip.MustParseAddr("fd00::3")
	evil6 = netip.MustParseAddr("fe80::bad")
)

// routerAdvert is the IPv6 packet in which host(3) says that it is a router.
func routerAdvert() frame.IPv6 {
	return frame.AppendRouterAdvert(nil, frame.RouterAdvert{Lifetime: 1800e9}, evil6, frame.AllNodes, host(3))
}

// datagram6 is an IPv6 packet with a UDP datagram for a port.
func datagram6(port uint16) frame.IPv6 {
	b := make([]byte, frame.IPv6Header+frame.UDPHeader+4)
	frame.PutUDP(b[frame.IPv6Header:], 547, port)
	return frame.PutIPv6(b, frame.ProtoUDP, 64, evil6, frame.AllNodes)
}

// advert is the packet in which a host says that it has an address.
func advert(target netip.Addr, mac frame.MAC) frame.IPv6 {
	return frame.AppendNeighborAdvert(nil, frame.NeighborAdvert{Src: evil6, Dst: frame.AllNodes, Target: target, MAC: mac, Override: true})
}

// behind puts extension headers of eight bytes, or with a length of so many more, in front of a packet's payload.
func behind(p frame.IPv6, extensions ...[8]byte) frame.IPv6 {
	var chain []byte
	next := p[6]
	for i := len(extensions) - 1; i >= 0; i-- {
		e := extensions[i]
		kind := e[0]
		e[0] = next
		next = kind
		chain = append(append(e[:], make([]byte, 8*int(e[1]))...), chain...)
	}
	q := append(append(append(frame.IPv6(nil), p[:frame.IPv6Header]...), chain...), p[frame.IPv6Header:]...)
	q[6] = next
	binary.BigEndian.PutUint16(q[4:], uint16(len(q)-frame.IPv6Header))
	return q
}

// cut returns the piece of a packet's payload behind a fragment header, in front of which stand extension headers.
func cut(p frame.IPv6, from, to int, more bool, extensions ...[8]byte) frame.IPv6 {
	q := append(append(frame.IPv6(nil), p[:frame.IPv6Header]...), p[frame.IPv6Header+from:frame.IPv6Header+to]...)
	q[6] = p[6]
	field := uint16(from)
	if more {
		field |= 1
	}
	fragment := [8]byte{frame.ProtoFragment, 0, byte(field >> 8), byte(field), 0, 0, 0, 7}
	return behind(q, append(extensions, fragment)...)
}

// tagged is the frame of host(3) with a packet behind VLAN tags.
func tagged(p []byte, etherType uint16, tags ...uint16) frame.Frame {
	b := make([]byte, frame.EthernetHeader)
	frame.Ethernet(b).SetHeader(frame.GroupMAC(frame.AllNodes), host(3), etherType)
	for _, tag := range tags {
		b = append(b[:12], append(binary.BigEndian.AppendUint16(nil, tag), append([]byte{0, 0}, b[12:]...)...)...)
	}
	return frame.Frame{Data: append(b, p...)}
}

// TestGuards is V2: a host is no router, however it hides that it says so (RFC 6105, RFC 7113, CVE-2021-27853); has no address that
// is the gateway's or assigned to another port; and is no DHCP server where its port says so.
func TestGuards(t *testing.T) {
	dest, hop, long := [8]byte{frame.ProtoDestOptions, 0, 1, 4}, [8]byte{frame.ProtoHopByHop, 0, 1, 4}, [8]byte{frame.ProtoDestOptions, 30, 1, 4}
	never := func(*vswitch.PortFlags) {}
	noRA := func(k *vswitch.PortFlags) { k.RAGuard = false }
	noND := func(k *vswitch.PortFlags) { k.NDGuard = false }
	dhcp := func(k *vswitch.PortFlags) { k.DHCPGuard = true }
	none := func(k *vswitch.PortFlags) { k.RAGuard, k.NDGuard = false, false }
	const passes = "RED BLUE gateway"
	six := func(p frame.IPv6, tags ...uint16) frame.Frame { return tagged(p, frame.TypeIPv6, tags...) }
	ra, na := routerAdvert(), advert(blue6, host(3))
	offer := tagged(ipv4(68, 0), frame.TypeIPv4)
	many := make([][8]byte, 9)
	for i := range many {
		many[i] = dest
	}
	for _, test := range []struct {
		name  string
		flags func(*vswitch.PortFlags)
		f     frame.Frame
		want  string
	}{
		{"an advertisement", never, six(ra), "!ra-guard"},
		{"behind options", never, six(behind(ra, hop, dest)), "!ra-guard"},
		{"behind long options", never, six(behind(ra, long)), "!ra-guard"},
		{"behind too many headers", never, six(behind(ra, many...)), "!ipv6-extension-chain"},
		{"as an atomic fragment", never, six(cut(ra, 0, len(ra)-frame.IPv6Header, false)), "!ra-guard"},
		{"its first fragment", never, six(cut(ra, 0, 8, true)), "!ra-guard"},
		{"its first fragment without it", never, six(cut(ra, 0, 0, true)), "!ipv6-extension-chain"},
		{"its first fragment with half a header", never, six(cut(behind(ra, long), 0, 8, true)), "!ipv6-extension-chain"},
		{"a later fragment", never, six(cut(ra, 8, len(ra)-frame.IPv6Header, false)), passes},
		{"behind a tag", never, six(ra, 0x8100), "!ra-guard"},
		{"behind two tags", never, six(ra, 0x8100, 0x88a8), "!ra-guard"},
		{"allowed", noRA, six(ra), passes},
		{"allowed, of the gateway's address", noRA, six(frame.AppendRouterAdvert(nil, frame.RouterAdvert{}, netip.MustParseAddr("fd00::1"), frame.AllNodes, host(3))), "!nd-guard"},
		{"no chain, no guards", none, six(behind(ra, many...)), passes},
		{"a solicitation", never, six(frame.AppendNeighborSolicit(nil, evil6, blue6, host(3), false)), passes},
		{"a solicitation of BLUE's", never, six(frame.AppendNeighborSolicit(nil, blue6, red6, host(3), false)), "!nd-guard"},
		{"a probe for BLUE's address", never, six(frame.AppendNeighborSolicit(nil, netip.IPv6Unspecified(), blue6, host(3), false)), passes},
		{"of BLUE's address", never, six(na), "!nd-guard"},
		{"of BLUE's address, behind options", never, six(behind(na, dest)), "!nd-guard"},
		{"of BLUE's address, in fragments", never, six(cut(na, 0, 8, true)), "!nd-fragment"},
		{"of the gateway's address", never, six(advert(netip.MustParseAddr("fd00::1"), gateway)), "!nd-guard"},
		{"of its own", never, six(advert(red6, host(3))), passes},
		{"of BLUE's address, allowed", noND, six(na), passes},
		{"an offer by IPv4", dhcp, offer, "!dhcp-guard"},
		{"a question by IPv4", dhcp, tagged(ipv4(67, 0), frame.TypeIPv4), passes},
		{"a later fragment by IPv4", dhcp, tagged(ipv4(68, 1), frame.TypeIPv4), passes},
		{"an offer by IPv6", dhcp, six(datagram6(546)), "!dhcp-guard"},
		{"an offer by IPv6, hidden", dhcp, six(cut(datagram6(546), 0, 0, true)), "!ipv6-extension-chain"},
		{"a question by IPv6", dhcp, six(datagram6(547)), passes},
		{"offers of a port without a guard", never, offer, passes},
		{"cut off", never, six(ra[:50]), "!ra-guard"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, vswitch.Config{}, "RED", "BLUE", "EVIL")
			l.Assign(l.ports["BLUE"], host(2), blue6)
			l.set("EVIL", test.flags)
			l.input("EVIL", test.f)
			l.expect(test.want)
		})
	}
}

// TestAssigned: who an address is assigned to has it whatever he and others have said, in a copy too, until his port goes; the
// gateway may say what it wants; and a conflict is told of in IPv6 as in IPv4.
func TestAssigned(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "EVIL")
	say := func(from string, mac frame.MAC, want string) {
		t.Helper()
		f := tagged(advert(blue6, mac), frame.TypeIPv6)
		frame.Ethernet(f.Data).SetHeader(frame.GroupMAC(frame.AllNodes), mac, frame.TypeIPv6)
		l.input(from, f)
		l.expect(want)
	}
	say("EVIL", host(3), "RED BLUE gateway")
	l.Assign(l.ports["BLUE"], host(2), blue6)
	say("EVIL", host(3), "!nd-guard")
	say("BLUE", host(2), "RED EVIL gateway")
	say("EVIL", host(3), "!nd-guard")
	if n, last := l.Conflicts(); n != 2 || last.Addr != blue6 || last.Port != "EVIL" || last.From != "BLUE" {
		t.Errorf("%d conflicts, the last %+v", n, last)
	}
	say("gateway", gateway, "RED BLUE EVIL")

	fork := l.Fork(new(trace.Tracer), func(*vswitch.Port) vswitch.Link { return sink{} })
	evil, _ := fork.Port("EVIL")
	fork.Input(evil, tagged(advert(blue6, host(3)), frame.TypeIPv6), l.now)
	if n := evil.Counters().RxDropped; n != 1 {
		t.Errorf("the copy has dropped %d", n)
	}
	if err := l.Detach(l.ports["BLUE"]); err != nil {
		t.Fatal(err)
	}
	say("EVIL", host(3), "RED gateway")
}

// ipv4 is a packet with a UDP datagram for a port, or the fragment of one from an offset in units of eight bytes.
func ipv4(port uint16, offset byte) []byte {
	b := make([]byte, 20+frame.UDPHeader+20)
	b[0], b[3], b[7], b[9] = 0x45, byte(len(b)), offset, frame.ProtoUDP
	frame.PutUDP(b[20:], 67, port)
	return b
}
