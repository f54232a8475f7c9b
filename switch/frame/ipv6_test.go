package frame

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// chained is a datagram behind hop-by-hop options, a routing header, an authentication header and destination options.
func chained() []byte {
	headers := slices.Concat(
		[]byte{ProtoRouting, 0, 1, 4, 0, 0, 0, 0},
		[]byte{ProtoAH, 0, 4, 0, 0, 0, 0, 0},
		[]byte{ProtoDestOptions, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		[]byte{ProtoUDP, 0, 1, 4, 0, 0, 0, 0},
	)
	b := append(make([]byte, IPv6Header), headers...)
	b = append(b, make([]byte, UDPHeader+100)...)
	p := PutIPv6(b, ProtoHopByHop, 64, netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2"))
	PutUDP(p.Payload(), 1000, 53).SetChecksum(p.Src(), p.Dst())
	return b
}

func TestExtensionsAreWalked(t *testing.T) {
	p, err := ParseIPv6(chained())
	if err != nil || p.Proto() != ProtoUDP || p.HeaderLen() != IPv6Header+8+8+12+8 {
		t.Fatalf("%v: protocol %d behind %d bytes", err, p.Proto(), p.HeaderLen())
	}
	tuple, ok := IP(p).Tuple()
	if !ok || tuple.Source() != "[fd00::1]:1000" || tuple.Destination() != "[fd00::2]:53" {
		t.Errorf("tuple %v %v", tuple.Source(), tuple.Destination())
	}
	for n := range p {
		cut := slices.Clone(p[:n])
		if n >= IPv6Header {
			IP(cut).SetLength()
		}
		if _, err := ParseIPv6(cut); (err == nil) != (n >= p.HeaderLen()) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

// TestFragmentsOfSix: cut anywhere, the pieces come together again in any order, extension headers and all.
func TestFragmentsOfSix(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	whole := IP(chained())
	for range 50 {
		mtu := 80 + random.IntN(200)
		var pieces []IP
		for at := 0; at < whole.Divisible(); {
			var b []byte
			b, at = whole.AppendFragment(nil, at, whole.FragmentRoom(mtu), 9)
			if _, err := ParseIP(b); err != nil && len(pieces) > 0 {
				t.Fatalf("piece %d: %v", len(pieces), err)
			}
			pieces = append(pieces, b)
		}
		var f Fragments[IP]
		for _, i := range random.Perm(len(pieces)) {
			at, fit := f.Fit(pieces[i])
			if fit != Fits || FragmentKeyOf(pieces[i]) != FragmentKeyOf(pieces[0]) {
				t.Fatalf("piece %d fits: %v", i, fit)
			}
			f.Insert(at, pieces[i], pieces[i])
		}
		if again := f.AppendWhole(nil, func(p IP) IP { return p }); !bytes.Equal(again, whole) {
			t.Fatalf("another packet:\n%x\n%x", again, whole)
		}
	}
}

func TestRewriteSix(t *testing.T) {
	p := IP(chained())
	before, _ := p.Tuple()
	after := Tuple{SrcIP: AddrOf(netip.MustParseAddr("2001:db8::1")), DstIP: AddrOf(netip.MustParseAddr("2001:db8:ffff::2")), SrcPort: 7, DstPort: 8, Proto: ProtoUDP}
	p.Rewrite(before, after, false)
	if got, _ := p.Tuple(); got != after || !UDP(p.Payload()).ChecksumOK(p.Src(), p.Dst()) {
		t.Errorf("became %x", p)
	}
	p.Rewrite(after, before, false)
	if !bytes.Equal(p, chained()) {
		t.Error("and back is not the same")
	}
}

func TestGroupsAndInterfaceIdentifiers(t *testing.T) {
	mac := MAC{0x02, 0x42, 0x0a, 0x0b, 0x0c, 0x0d}
	for got, want := range map[netip.Addr]string{
		EUI64(LinkLocal, mac):                               "fe80::42:aff:fe0b:c0d",
		SolicitedNode(netip.MustParseAddr("fd00::12:3456")): "ff02::1:ff12:3456",
	} {
		if got != netip.MustParseAddr(want) {
			t.Errorf("%v, want %s", got, want)
		}
	}
	if got := GroupMAC(netip.MustParseAddr("ff02::1:ff12:3456")); got != (MAC{0x33, 0x33, 0xff, 0x12, 0x34, 0x56}) {
		t.Errorf("%v", got)
	}
}

// FuzzExtensions: whatever stands in front of a payload, nothing panics, all ways to look for it find the same, and a packet that is
// cut comes together again as it was.
func FuzzExtensions(f *testing.F) {
	f.Add(chained(), uint16(96))
	f.Add(AppendRouterAdvert(nil, RouterAdvert{}, netip.MustParseAddr("fe80::1"), AllNodes, MAC{2}), uint16(1280))
	pieces, _ := IP(chained()).AppendFragment(nil, 0, 48, 9)
	f.Add(pieces, uint16(0))
	f.Fuzz(func(t *testing.T, data []byte, mtu uint16) {
		if clipped, ok := ParseClippedIPv6(data); ok {
			if _, payload, whole := clipped.Upper(); whole && len(payload) > 0 {
				clipped.NDClaim(payload)
			}
		}
		p, err := ParseIPv6(data)
		if err != nil {
			return
		}
		end, fragment := IPv6Header, false
		p.Extensions(func(e Extension) bool {
			if e.Start != end {
				t.Fatalf("a header at %d, want %d", e.Start, end)
			}
			end, fragment = e.End, fragment || e.Proto == ProtoFragment
			return true
		})
		proto, payload, whole := p.Upper()
		if !whole || proto != p.Proto() || end != p.HeaderLen() || len(payload) != len(p)-end || fragment != p.HasFragmentHeader() ||
			p.HasExtensions() != (end > IPv6Header) || p[p.NextHeaderAt()] != proto {
			t.Fatalf("protocol %d or %d, behind %d or %d bytes, %d more", proto, p.Proto(), end, p.HeaderLen(), len(payload))
		}
		if fragment || len(p) > 4096 || IP(p).Divisible() == 0 {
			return
		}
		var f Fragments[IP]
		for at := 0; at < IP(p).Divisible(); {
			var b []byte
			b, at = IP(p).AppendFragment(nil, at, IP(p).FragmentRoom(int(mtu)), 9)
			place, fit := f.Fit(b)
			if fit != Fits {
				t.Fatalf("%x does not fit: %v", b, fit)
			}
			f.Insert(place, b, b)
		}
		if again := f.AppendWhole(nil, func(q IP) IP { return q }); !bytes.Equal(again, p) {
			t.Fatalf("another packet:\n%x\n%x", again, p)
		}
	})
}

// FuzzND: whatever the bytes, nothing panics, and what is believed says the same when it is written again.
func FuzzND(f *testing.F) {
	mac, a, b := MAC{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fd00::2")
	f.Add(AppendNeighborSolicit(nil, a, b, mac, false))
	f.Add(AppendNeighborAdvert(nil, NeighborAdvert{Src: a, Dst: b, Target: a, MAC: mac, Solicited: true}))
	f.Add(finish(append(make([]byte, IPv6Header), ICMPv6RouterSolicit, 0, 0, 0, 0, 0, 0, 0, optionSourceMAC, 1, 2, 0, 0, 0, 0, 1), a, AllRouters))
	f.Add(AppendRouterAdvert(nil, RouterAdvert{Lifetime: time.Hour, MTU: 1400, DNS: []netip.Addr{b}, Search: []string{"a.example", "b"},
		Prefixes: []AdvertPrefix{{Prefix: netip.MustParsePrefix("fd00::/64"), OnLink: true, Valid: NDInfinite}}}, a, AllNodes, mac))
	f.Add(chained())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseIPv6(data)
		if err != nil {
			return
		}
		IP(p).Tuple()
		IP(p).Quote()
		m, problem := ParseND(p)
		if problem != 0 || m.Type != ICMPv6RouterAdvert || len(m.Advert.DNS) > 100 || len(m.Advert.Search) > 5 {
			return
		}
		again, problem := ParseND(AppendRouterAdvert(nil, m.Advert, m.Src, m.Dst, mac))
		if problem != 0 || again.Advert.MTU != m.Advert.MTU || !slices.Equal(again.Advert.Prefixes, m.Advert.Prefixes) || !slices.Equal(again.Advert.DNS, m.Advert.DNS) {
			t.Errorf("%+v became %+v (problem %d)", m.Advert, again.Advert, problem)
		}
	})
}
