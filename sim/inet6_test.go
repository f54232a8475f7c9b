package sim

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"uswitch/switch/frame"
)

// link6 is a host's interface, and a link on which nobody is but the test.
type link6 struct {
	clock *Clock
	nic   *NIC
	sent  []frame.IPv6 // by the host
	// answer, if not nil, is what somebody on the link says to a packet.
	answer func(frame.IPv6) []byte
}

var (
	peerMAC   = frame.MAC{2, 0, 0, 0, 0, 9}
	routerLL  = netip.MustParseAddr("fe80::1")
	network6  = netip.MustParsePrefix("2001:db8:1::/64")
	autonomic = frame.AdvertPrefix{Prefix: network6, OnLink: true, Autonomous: true, Valid: 24 * time.Hour, Preferred: 4 * time.Hour}
)

func newLink6(t *testing.T, stable, adverts bool, given ...string) *link6 {
	t.Helper()
	l := &link6{clock: NewClock(Epoch)}
	random := rand.New(rand.NewPCG(1, 1))
	wire := NewWire(l.clock, random, WireConfig{Latency: time.Microsecond})
	wire.PlugPort(func(f frame.Frame) {
		p, err := frame.ParseIPv6(f.Data[frame.EthernetHeader:])
		if err != nil {
			t.Errorf("the host sends %x: %v", f.Data, err)
			return
		}
		l.sent = append(l.sent, p)
		if l.answer != nil {
			if b := l.answer(p); b != nil {
				_ = wire.Write(frame.Frame{Data: b})
			}
		}
	})
	var err error
	if l.nic, err = NewHost(l.clock, random, "RED").AddNIC("eth0", frame.MAC{2, 0x42, 11, 11, 11, 2}, netip.Prefix{}, 1500, wire); err != nil {
		t.Fatal(err)
	}
	var addrs []netip.Prefix
	for _, a := range given {
		addrs = append(addrs, netip.MustParsePrefix(a))
	}
	l.nic.EnableIPv6(addrs, adverts)
	if stable {
		l.nic.SetStable(true)
		l.nic.SetUp(false)
		l.nic.SetUp(true)
	}
	return l
}

// pass lets time pass.
func (l *link6) pass(d time.Duration) {
	over := false
	l.clock.After(d, func() { over = true })
	for !over && l.clock.Step() {
	}
}

// hear hands the host a packet from the router.
func (l *link6) hear(b []byte) {
	to := frame.GroupMAC(frame.AllNodes)
	frame.Ethernet(b).SetHeader(to, peerMAC, frame.TypeIPv6)
	_ = l.nic.wire.Write(frame.Frame{Data: b})
	l.pass(time.Millisecond)
}

func (l *link6) advertise(lifetime time.Duration, prefixes ...frame.AdvertPrefix) {
	l.hear(frame.AppendRouterAdvert(make([]byte, frame.EthernetHeader), frame.RouterAdvert{Lifetime: lifetime, HopLimit: 32, Prefixes: prefixes},
		routerLL, frame.AllNodes, peerMAC))
}

// of counts the packets of a type of ICMPv6 that the host has sent.
func (l *link6) of(icmpType uint8) (all []frame.IPv6) {
	for _, p := range l.sent {
		if p.Payload()[0] == icmpType {
			all = append(all, p)
		}
	}
	return all
}

// taken answers every question whether an address may be had: somebody has it.
func taken(p frame.IPv6) []byte {
	m, problem := frame.ParseND(p)
	if problem != 0 || !m.IsDAD() {
		return nil
	}
	b := frame.AppendNeighborAdvert(make([]byte, frame.EthernetHeader), frame.NeighborAdvert{Src: m.Target, Dst: frame.AllNodes, Target: m.Target, MAC: peerMAC, Override: true})
	frame.Ethernet(b).SetHeader(frame.GroupMAC(frame.AllNodes), peerMAC, frame.TypeIPv6)
	return b
}

// TestAnAddressIsAskedFor: a link-local address is used after a second in which nobody said that it has it; then the host looks for
// routers, three times.
func TestAnAddressIsAskedFor(t *testing.T) {
	l := newLink6(t, false, true, "fd00::2/64")
	if got := l.nic.Addrs6(); len(got) != 2 || got[0].State != Tentative || got[1].State != Assigned {
		t.Fatalf("at once it has %+v", got)
	}
	l.pass(2 * time.Second)
	if got := l.nic.Addrs6()[0]; got.State != Assigned || got.Addr() != netip.MustParseAddr("fe80::42:bff:fe0b:b02") {
		t.Fatalf("after two seconds it has %+v", got)
	}
	questions := l.of(frame.ICMPv6Solicit)
	if m, problem := frame.ParseND(questions[0]); len(questions) != 1 || problem != 0 || !m.IsDAD() {
		t.Errorf("it has asked %d times, first %x", len(questions), questions[0])
	}
	l.pass(time.Minute)
	if n := len(l.of(frame.ICMPv6RouterSolicit)); n != 3 {
		t.Errorf("it has asked for routers %d times, want 3", n)
	}
	for _, report := range l.of(frame.ICMPv6MLD2Report) {
		if report.HopLimit() != 1 || report.Dst() != frame.AllMLDRouters || !frame.IP(report).ICMPChecksumOK() {
			t.Errorf("a report like %x", report)
		}
	}
}

// TestATakenAddress: what somebody has is not used; where the lower half is drawn it is drawn again, three times.
func TestATakenAddress(t *testing.T) {
	for stable, want := range map[bool]int{false: 1, true: 1 + maxDraws} {
		l := newLink6(t, stable, true)
		l.answer = taken
		l.pass(time.Minute)
		if got := l.nic.Addrs6(); len(got) != 1 || got[0].State != Duplicate {
			t.Errorf("drawn %v: it has %+v", stable, got)
		}
		asked := map[netip.Addr]bool{}
		for _, p := range l.of(frame.ICMPv6Solicit) {
			m, _ := frame.ParseND(p)
			asked[m.Target] = true
		}
		if len(asked) != want || len(l.of(frame.ICMPv6RouterSolicit)) != 0 {
			t.Errorf("drawn %v: it has asked for %v, want %d", stable, asked, want)
		}
	}
}

// TestAdvertisedLifetimes: an address and routes last as long as a router says, and nobody who pretends to be one can shorten that to
// less than two hours (RFC 4862 5.5.3).
func TestAdvertisedLifetimes(t *testing.T) {
	l := newLink6(t, false, true)
	l.pass(2 * time.Second)
	made := func() *Addr6 {
		for _, a := range l.nic.Addrs6() {
			if a.Dynamic {
				return &a
			}
		}
		return nil
	}
	l.advertise(30*time.Minute, autonomic)
	l.pass(2 * time.Second)
	if a := made(); a == nil || a.State != Assigned || a.Addr() != netip.MustParseAddr("2001:db8:1:0:42:bff:fe0b:b02") {
		t.Fatalf("it makes itself %+v", a)
	}
	host := l.nic.host
	if d := host.Way(netip.MustParseAddr("2001:db8:9::9")); d.Via != routerLL || d.Src != made().Addr() || d.TTL != 32 {
		t.Errorf("the way out is %+v", d)
	}
	short := autonomic
	short.Valid, short.Preferred = time.Minute, time.Minute
	l.advertise(0, short)
	if left := made().Valid.Sub(l.clock.Now()); left < twoHours-time.Minute || left > twoHours {
		t.Errorf("it is left %v of its address", left)
	}
	if d := host.Way(netip.MustParseAddr("2001:db8:9::9")); d.Kind != NoRoute {
		t.Errorf("its router is one no longer, and the way out is %+v", d)
	}
	l.pass(2 * time.Minute)
	if a := made(); !a.Deprecated(l.clock.Now()) {
		t.Errorf("it still prefers %+v", a)
	}
	l.pass(3 * time.Hour)
	if a := made(); a != nil {
		t.Errorf("it still has %+v", a)
	}
	for _, r := range host.Routes() {
		t.Errorf("it still has the route %v", r.Prefix)
	}
}

// TestNotARouter: advertisements that come from elsewhere, say the impossible, or are not asked for by this host change nothing.
func TestNotARouter(t *testing.T) {
	forever := autonomic
	forever.Preferred = 48 * time.Hour // longer than it is valid
	wide := autonomic
	wide.Prefix = netip.MustParsePrefix("2001:db8::/56")
	routed := frame.AppendRouterAdvert(make([]byte, frame.EthernetHeader), frame.RouterAdvert{Lifetime: time.Hour, Prefixes: []frame.AdvertPrefix{autonomic}}, routerLL, frame.AllNodes, peerMAC)
	frame.IP(routed[frame.EthernetHeader:]).SetTTL(254)
	global := frame.AppendRouterAdvert(make([]byte, frame.EthernetHeader), frame.RouterAdvert{Lifetime: time.Hour}, netip.MustParseAddr("2001:db8::1"), frame.AllNodes, peerMAC)
	for name, say := range map[string]func(*link6){
		"from behind a router":        func(l *link6) { l.hear(routed) },
		"not by a link-local address": func(l *link6) { l.hear(global) },
		"preferred longer than valid": func(l *link6) { l.advertise(0, forever) },
		"no /64":                      func(l *link6) { l.advertise(0, wide) },
		"a router itself":             func(l *link6) { l.nic.forwards = true; l.advertise(time.Hour, autonomic) },
		"it does not listen":          func(l *link6) { l.nic.six.adverts = false; l.advertise(time.Hour, autonomic) },
	} {
		l := newLink6(t, false, true)
		l.pass(2 * time.Second)
		say(l)
		l.pass(2 * time.Second)
		for _, a := range l.nic.Addrs6() {
			if a.Dynamic {
				t.Errorf("%s: it makes itself %v", name, a.Prefix)
			}
		}
		if d := l.nic.host.Way(netip.MustParseAddr("2001:db8:9::9")); d.Kind != NoRoute {
			t.Errorf("%s: the way out is %+v", name, d)
		}
	}
}

// TestSourceOfIPv6: RFC 6724 5, rule by rule.
func TestSourceOfIPv6(t *testing.T) {
	l := newLink6(t, false, false, "fd00:1::2/64", "2001:db8:1::2/64", "2001:db8:2::2/64")
	l.pass(2 * time.Second)
	for dst, want := range map[string]string{
		"2001:db8:2::2":        "2001:db8:2::2",         // 1: the same
		"fe80::9":              "fe80::42:bff:fe0b:b02", // 2: no further than it has to
		"ff02::1":              "fe80::42:bff:fe0b:b02",
		"fd00:9::9":            "fd00:1::2",     // 6: of the same kind
		"2001:db8:1:2::9":      "2001:db8:1::2", // 8: more bits in common
		"2001:db8:2:2::9":      "2001:db8:2::2",
		"2001:4860:4860::8888": "2001:db8:1::2",
	} {
		if got := l.nic.host.source6(l.nic, netip.MustParseAddr(dst)); got.String() != want {
			t.Errorf("to %s from %v, want %s", dst, got, want)
		}
	}
	l.nic.six.addrs[2].Preferred = l.clock.Now()
	if got := l.nic.host.source6(l.nic, netip.MustParseAddr("2001:db8:1:2::9")); got.String() != "2001:db8:2::2" {
		t.Errorf("from %v, which is deprecated", got) // 3
	}
}

// TestNarrowLink: IPv6 leaves a link on which it does not fit, and comes back.
func TestNarrowLink(t *testing.T) {
	l := newLink6(t, false, false, "fd00::2/64")
	l.pass(2 * time.Second)
	l.nic.SetMTU(1000)
	if got, routes := l.nic.Addrs6(), l.nic.host.Routes(); len(got)+len(routes) > 0 {
		t.Errorf("it has %+v and %+v", got, routes)
	}
	l.nic.SetMTU(1280)
	l.pass(2 * time.Second)
	if got := l.nic.Addrs6(); len(got) != 1 || got[0].State != Assigned {
		t.Errorf("it has %+v", got)
	}
}

// TestSmallerSegments: where a router says that less fits the way, a stream goes on in smaller segments, down to what every link of
// IPv6 carries and no further (RFC 8201).
func TestSmallerSegments(t *testing.T) {
	l := newLink6(t, false, false, "fd00::2/64")
	l.pass(2 * time.Second)
	l.nic.SetNeighbor(netip.MustParseAddr("fd00::9"), peerMAC)
	received, next := 0, uint32(0)
	l.answer = func(p frame.IPv6) []byte {
		if p.Proto() != frame.ProtoTCP {
			return nil
		}
		s, _ := frame.ParseTCP(p.Payload())
		if len(p) > 1400 {
			b := appendError(make([]byte, frame.EthernetHeader+frame.IPv6Header), frame.ICMPError{Type: frame.ICMPUnreachable, Code: frame.UnreachableTooBig, MTU: 1400}, frame.IP(p))
			frame.IP(frame.PutIPv6(b[frame.EthernetHeader:], frame.ProtoICMPv6, 64, netip.MustParseAddr("fd00::1"), p.Src())).SetICMPChecksum()
			frame.Ethernet(b).SetHeader(l.nic.MAC(), peerMAC, frame.TypeIPv6)
			return b
		}
		if s.Flags()&frame.SYN != 0 || s.Seq() == next {
			received, next = received+len(s.Payload()), s.Seq()+span(s)
		}
		f := frame.TCPFields{SrcPort: s.DstPort(), DstPort: s.SrcPort(), Seq: 1, Ack: next, Flags: frame.ACK, Window: ourWindow}
		if s.Flags()&frame.SYN != 0 {
			f.Seq, f.Flags, f.MSS = 0, frame.SYN|frame.ACK, 1440
		}
		b := make([]byte, frame.EthernetHeader+frame.IPv6Header+f.HeaderLen())
		frame.PutTCP(b[frame.EthernetHeader+frame.IPv6Header:], f).SetChecksum(p.Dst(), p.Src())
		frame.PutIPv6(b[frame.EthernetHeader:], frame.ProtoTCP, 64, p.Dst(), p.Src())
		frame.Ethernet(b).SetHeader(l.nic.MAC(), peerMAC, frame.TypeIPv6)
		return b
	}
	nothing := func() {}
	s, err := l.nic.host.Dial(netip.MustParseAddrPort("[fd00::9]:80"), StreamEvents{Opened: nothing, Data: func([]byte) {}, Sent: nothing, Ended: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	l.pass(10 * time.Millisecond)
	s.Write(make([]byte, 100_000))
	l.pass(2 * time.Minute)
	if received != 100_000 || s.Queued() != 0 {
		t.Errorf("%d bytes have arrived, and %d wait", received, s.Queued())
	}
	for _, p := range l.sent {
		if p.HasFragmentHeader() {
			t.Errorf("a segment was cut: %d bytes", len(p))
		}
	}
}
