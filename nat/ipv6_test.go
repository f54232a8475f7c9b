package nat_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"uswitch/arp"
	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// lab6 is a lab whose gateway speaks IPv6 too:
//
//	RED fd00:1::2 --- br0 fd00:1::1 -+
//	                              gateway --- uplink 2001:db8::2/64, default route
//	BLUE fd00:2::2 -- br1 fd00:2::1 -+
type lab6 struct {
	*lab
	rules6      *rule.Tables
	red6, blue6 host6
}

// host6 is a station with IPv6; the gateway knows it.
type host6 struct {
	host
	addr netip.Addr
}

func ip6(s string) netip.Addr { return netip.MustParseAddr(s) }

func newLab6(t testing.TB, rules ...string) *lab6 {
	t.Helper()
	l := &lab6{rules6: rule.NewTables(rule.IPv6)}
	l.lab = newLabWith(t, nat.Config{Rules6: l.rules6})
	for leg, addr := range map[*nat.Interface]string{l.br0.leg: "fd00:1::1/64", l.br1.leg: "fd00:2::1/64", l.wan.leg: "2001:db8::2/64"} {
		if err := l.SetAddrs6(leg, []netip.Prefix{netip.MustParsePrefix(addr)}, l.now); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.AddRoute(netip.MustParsePrefix("::/0"), netip.Addr{}, l.wan.leg); err != nil {
		t.Fatal(err)
	}
	if err := l.rules6.Apply(rules); err != nil {
		t.Fatal(err)
	}
	l.red6, l.blue6 = host6{l.red, ip6("fd00:1::2")}, host6{l.blue, ip6("fd00:2::2")}
	l.red6.solicit("fd00:1::1")
	l.blue6.solicit("fd00:2::1")
	l.Tick(l.now)
	l.advance(2 * time.Second)
	l.br0.frames, l.br1.frames = nil, nil
	return l
}

// send6 sends an IPv6 packet to the gateway, or to a group.
func (h host6) send6(packets ...[]byte) {
	for _, p := range packets {
		f := h.frame(p)
		to := gatewayMAC
		if dst := frame.IPv6(p).Dst(); dst.IsMulticast() {
			to = frame.GroupMAC(dst)
		}
		frame.Ethernet(f.Data).SetHeader(to, h.mac, frame.TypeIPv6)
		h.inject(f)
	}
}

func (h host6) solicit(target string) {
	h.send6(frame.AppendNeighborSolicit(nil, h.addr, ip6(target), h.mac, false))
}

// raw6 returns the IPv6 packets that the gateway has sent there since the last call.
func (w *wire) raw6() (all []frame.IPv6) {
	for _, f := range w.frames {
		if e := frame.Ethernet(f.Data); e.Type() == frame.TypeIPv6 {
			all = append(all, frame.IPv6(e.Payload()))
		}
	}
	w.frames = nil
	return all
}

// of6 returns those of one type of ICMPv6.
func (w *wire) of6(icmpType uint8) []frame.IPv6 {
	return slices.DeleteFunc(w.raw6(), func(p frame.IPv6) bool { return p.Proto() != frame.ProtoICMPv6 || p.Payload()[0] != icmpType })
}

// one6 returns the only one.
func (w *wire) one6() frame.IPv6 {
	w.lab.Helper()
	all := w.raw6()
	if len(all) != 1 {
		w.lab.Fatalf("%d packets of IPv6 came out, want 1", len(all))
	}
	return all[0]
}

// packet6 makes a packet; make it whole with finish.
func packet6(proto, hops uint8, src, dst string, payload []byte) frame.IPv6 {
	b := append(make([]byte, frame.IPv6Header), payload...)
	return frame.PutIPv6(b, proto, hops, ip6(src), ip6(dst))
}

func echo6(src, dst string, icmpType uint8, id uint16, size int) frame.IPv6 {
	p := packet6(frame.ProtoICMPv6, 64, src, dst, make([]byte, frame.ICMPHeader+size))
	m := frame.ICMP(p.Payload())
	m[0] = icmpType
	binary.BigEndian.PutUint16(m[4:], id)
	frame.IP(p).SetICMPChecksum()
	return p
}

func udp6(src, dst string, srcPort, dstPort uint16, size int) frame.IPv6 {
	p := packet6(frame.ProtoUDP, 64, src, dst, make([]byte, frame.UDPHeader+size))
	frame.PutUDP(p.Payload(), srcPort, dstPort).SetChecksum(p.Src(), p.Dst())
	return p
}

// TestSixDiscovery: the gateway answers who asks for its address, learns the asker, and asks for others itself.
func TestSixDiscovery(t *testing.T) {
	l := newLab6(t)
	l.red6.solicit("fd00:1::1")
	m, problem := frame.ParseND(l.br0.one6())
	if problem != 0 || m.Type != frame.ICMPv6Advert || m.Target != ip6("fd00:1::1") || m.Dst != l.red6.addr || m.TargetMAC != gatewayMAC ||
		!m.Solicited || !m.Override || !m.Router {
		t.Errorf("answered %+v (problem %d)", m, problem)
	}
	l.red6.send6(frame.AppendNeighborSolicit(nil, netip.IPv6Unspecified(), ip6("fd00:1::1"), l.red.mac, false))
	if m, _ := frame.ParseND(l.br0.one6()); m.Type != frame.ICMPv6Advert || m.Dst != frame.AllNodes || m.Solicited {
		t.Errorf("a probe for the gateway's address was answered %+v", m)
	}
	l.red6.solicit("fd00:1::77")
	if all := l.br0.raw6(); len(all) != 0 {
		t.Errorf("a question for somebody else was answered: %v", all)
	}
	// GREEN is not known: the packet waits, three questions, then BLUE is told.
	l.blue6.send6(udp6("fd00:2::2", "fd00:1::9", 1, 2, 0))
	m, _ = frame.ParseND(l.br0.one6())
	if m.Type != frame.ICMPv6Solicit || m.Target != ip6("fd00:1::9") || m.Dst != ip6("ff02::1:ff00:9") || m.SourceMAC != gatewayMAC {
		t.Errorf("asked %+v", m)
	}
	l.advance(5 * time.Second)
	if told := l.br1.of6(frame.ICMPv6Unreachable); len(told) != 1 || told[0].Payload()[1] != frame.Unreachable6Address {
		t.Errorf("BLUE was told %x", told)
	}
	l.br0.frames = nil
	// Who advertises itself is believed where it was asked for, and what waited goes.
	l.blue6.send6(udp6("fd00:2::2", "fd00:1::9", 1, 2, 0))
	l.br0.frames = nil
	l.red6.send6(frame.AppendNeighborAdvert(nil, frame.NeighborAdvert{Src: ip6("fd00:1::9"), Dst: ip6("fd00:1::1"), Target: ip6("fd00:1::9"), MAC: l.red.mac, Solicited: true}))
	if p := l.br0.one6(); p.Proto() != frame.ProtoUDP || p.HopLimit() != 63 {
		t.Errorf("%v came out with %d hops", p.Proto(), p.HopLimit())
	}
	neighbors := l.br0.leg.Neighbors(l.now)
	at := slices.IndexFunc(neighbors, func(n arp.Neighbor) bool { return n.Addr == ip6("fd00:1::9") })
	if at < 0 || neighbors[at].State != arp.Reachable || neighbors[at].MAC != l.red.mac {
		t.Errorf("neighbours %+v", neighbors)
	}
}

// TestSixDiscoveryIsNotBelieved: each kind of message that somebody could lie with ends for its reason.
func TestSixDiscoveryIsNotBelieved(t *testing.T) {
	l := newLab6(t)
	good := func() []byte {
		return frame.AppendNeighborSolicit(nil, l.red6.addr, ip6("fd00:1::1"), l.red.mac, false)
	}
	bad := func(change func(b []byte) []byte) []byte {
		b := change(good())
		frame.IP(b).SetLength()
		frame.IP(b).SetICMPChecksum()
		return b
	}
	from := func(src, dst string, icmpType uint8, rest ...byte) []byte {
		p := packet6(frame.ProtoICMPv6, 255, src, dst, slices.Concat([]byte{icmpType, 0, 0, 0}, rest))
		frame.IP(p).SetICMPChecksum()
		return p
	}
	advert := func(src, dst, target string, mac frame.MAC, solicited bool) []byte {
		return frame.AppendNeighborAdvert(nil, frame.NeighborAdvert{Src: ip6(src), Dst: ip6(dst), Target: ip6(target), MAC: mac, Solicited: solicited})
	}
	mine, none4, option := ip6("fd00:1::1").AsSlice(), []byte{0, 0, 0, 0}, slices.Concat([]byte{1, 1}, l.red.mac[:])
	for n, c := range []struct {
		reason trace.Reason
		packet []byte
	}{
		{trace.BadND, from("::", "ff02::1:ff00:1", frame.ICMPv6Solicit, slices.Concat(none4, mine, option)...)},      // a probe says where it comes from
		{trace.BadND, from("::", "ff02::1", frame.ICMPv6Solicit, slices.Concat(none4, mine)...)},                     // a probe to all nodes
		{trace.BadND, from("fd00:1::2", "ff02::1:ff00:1", frame.ICMPv6Solicit, make([]byte, 20)...)},                 // for nobody
		{trace.BadND, from("::", "ff02::2", frame.ICMPv6RouterSolicit, slices.Concat(none4, option)...)},             // from nobody, and from where
		{trace.BadND, from("fd00:1::2", "ff02::1", frame.ICMPv6RouterAdvert, make([]byte, 12)...)},                   // not from a link-local address
		{trace.Unanswered, from("fd00:1::2", "fd00:1::1", frame.ICMPv6Redirect, make([]byte, 36)...)},                // routers follow none
		{trace.BadND, from("fd00:1::2", "fd00:1::1", frame.ICMPv6Solicit, slices.Concat(none4, mine, []byte{1})...)}, // half an option
		{trace.BadND, advert("fd00:1::2", "ff02::1", "fd00:1::2", l.red.mac, true)},                                  // an answer to everybody
		{trace.BadND, advert("::", "ff02::1", "fd00:1::2", l.red.mac, false)},
		{trace.BadND, advert("fd00:1::2", "ff02::1", "ff02::5", l.red.mac, false)},
		{trace.BadND, advert("fd00:1::2", "fd00:1::1", "fd00:1::2", frame.Broadcast, true)},
		{trace.NDSender, advert("fd00:1::2", "fd00:1::1", "fd00:1::2", l.blue.mac, true)},
		{trace.BadICMP, func() []byte { b := good(); b[42]++; return b }()},
		{trace.NDDistant, bad(func(b []byte) []byte { b[7] = 64; return b })},
		{trace.BadND, bad(func(b []byte) []byte { b[41] = 1; return b })},
		{trace.BadND, bad(func(b []byte) []byte { b[65] = 0; return b })},
		{trace.BadND, bad(func(b []byte) []byte { return b[:60] })},
		{trace.BadND, bad(func(b []byte) []byte { b[48] = 0xff; return b })},
		{trace.BadND, bad(func(b []byte) []byte { b[66] = 1; return b })},
		{trace.NDSender, bad(func(b []byte) []byte { b[71]++; return b })},
		{trace.ForeignRouter, frame.AppendRouterAdvert(nil, frame.RouterAdvert{Lifetime: time.Hour}, ip6("fe80::9"), frame.AllNodes, l.red.mac)},
		{trace.NDFragment, bad(func(b []byte) []byte {
			b = slices.Insert(b, frame.IPv6Header, frame.ProtoICMPv6, 0, 0, 0, 0, 0, 0, 9)
			b[6] = frame.ProtoFragment
			return b
		})},
	} {
		before := l.tracer.Drops(c.reason)
		l.red6.send6(c.packet)
		if got := l.tracer.Drops(c.reason); got != before+1 {
			t.Errorf("message %d: %d more are dropped for %v", n, got-before, c.reason)
		}
	}
	if all := l.br0.raw6(); len(all) != 0 {
		t.Errorf("%d answers", len(all))
	}
	if neighbors := l.br0.leg.Neighbors(l.now); slices.ContainsFunc(neighbors, func(n arp.Neighbor) bool { return n.Addr == ip6("fe80::9") }) {
		t.Errorf("a router was believed: %+v", neighbors)
	}
}

// TestSixRouted: a packet between two networks loses a hop and nothing else.
func TestSixRouted(t *testing.T) {
	l := newLab6(t)
	sent := echo6("fd00:1::2", "fd00:2::2", frame.ICMPv6Echo, 7, 100)
	l.red6.send6(sent)
	got := l.br1.one6()
	if got.HopLimit() != 63 || !slices.Equal(got[8:], sent[8:]) {
		t.Errorf("came out: %x", got)
	}
	l.blue6.send6(echo6("fd00:2::2", "fd00:1::2", frame.ICMPv6EchoReply, 7, 100))
	if got := l.br0.one6(); got.Payload()[0] != frame.ICMPv6EchoReply {
		t.Errorf("back came %x", got)
	}
	if c := l.conn(); c.Original.Proto != frame.ProtoICMPv6 || c.Original.SrcPort != 7 {
		t.Errorf("connection %+v", c)
	}
	l.red6.send6(echo6("fd00:1::2", "fd00:1::1", frame.ICMPv6Echo, 8, 10))
	if got := l.br0.one6(); got.Src() != ip6("fd00:1::1") || got.Payload()[0] != frame.ICMPv6EchoReply || !frame.IP(got).ICMPChecksumOK() {
		t.Errorf("the gateway answers %x", got)
	}
	l.red6.send6(echo6("fd00:1::2", "ff02::1", frame.ICMPv6Echo, 9, 10))
	if got := l.br0.one6(); got.Src() != ip6("fd00:1::1") || !frame.IP(got).ICMPChecksumOK() {
		t.Errorf("the gateway answers who asks all nodes: %x", got)
	}
}

// TestSixErrors: each packet that cannot go on ends for its reason, and its sender is told.
func TestSixErrors(t *testing.T) {
	l := newLab6(t, "-A INPUT -p tcp --dport 22 -j REJECT --reject-with icmp6-adm-prohibited")
	hops := echo6("fd00:1::2", "fd00:2::2", frame.ICMPv6Echo, 7, 0)
	hops[7] = 1
	narrow := &wire{lab: l.lab}
	narrow.leg = l.add(nat.InterfaceConfig{Name: "br2", Addr: netip.MustParsePrefix("33.33.33.1/24"), MAC: gatewayMAC, MTU: 1280, Segment: narrow,
		V6: []netip.Prefix{netip.MustParsePrefix("fd00:3::1/64")}})
	option := packet6(frame.ProtoHopByHop, 64, "fd00:1::2", "fd00:2::2", append([]byte{frame.ProtoUDP, 0, 0x9e, 4, 0, 0, 0, 0}, make([]byte, 8)...))
	syn := packet6(frame.ProtoTCP, 64, "fd00:1::2", "fd00:1::1", make([]byte, frame.TCPHeader))
	frame.PutTCP(syn.Payload(), frame.TCPFields{SrcPort: 1000, DstPort: 22, Flags: frame.SYN}).SetChecksum(syn.Src(), syn.Dst())
	for _, c := range []struct {
		packet         []byte
		reason         trace.Reason
		icmpType, code uint8
		word           uint32
	}{
		{hops, trace.TTLExpired, 3, 0, 0},
		{udp6("fd00:1::2", "fd00:3::2", 1, 2, 1300), trace.FragNeeded, 2, 0, 1280},
		{udp6("fd00:1::2", "fd00:1::1", 1, 2, 0), trace.NoSocket, 1, 4, 0},
		{packet6(99, 64, "fd00:1::2", "fd00:1::1", make([]byte, 8)), trace.NoProto, 4, 1, 6},
		{option, trace.IPOptions, 4, 2, 42},
		{syn, trace.RuleReject, 1, 1, 0},
	} {
		before := l.tracer.Drops(c.reason)
		l.red6.send6(c.packet)
		l.drops(c.reason, before+1)
		got := l.br0.one6()
		m := got.Payload()
		if got.Src() != ip6("fd00:1::1") || m[0] != c.icmpType || m[1] != c.code || binary.BigEndian.Uint32(m[4:]) != c.word ||
			!frame.IP(got).ICMPChecksumOK() || len(got) > frame.IPv6MinMTU {
			t.Errorf("%v: told %x, %d bytes", c.reason, m[:8], len(got))
		}
	}
	link := udp6("fd00:1::2", "fd00:2::2", 1, 2, 0)
	frame.IP(link).SetAddrs(ip6("fe80::2"), ip6("fd00:2::2"))
	l.red6.send6(link)
	l.drops(trace.BeyondScope, 1)
	for i := range 9 {
		l.red6.send6(packet6(frame.ProtoDestOptions, 64, "fd00:1::2", "fd00:2::2", chainOf(i+1)))
	}
	l.drops(trace.ExtensionChain, 2)
	for _, martian := range []frame.IPv6{echo6("::1", "fd00:2::2", 128, 1, 0), echo6("ff02::2", "fd00:2::2", 128, 1, 0), echo6("::", "fd00:2::2", 128, 1, 0),
		echo6("fd00:1::2", "::1", 128, 1, 0), echo6("fd00:1::2", "ff01::1", 128, 1, 0), echo6("::ffff:1.2.3.4", "fd00:2::2", 128, 1, 0)} {
		l.red6.send6(martian)
	}
	l.drops(trace.Martian, 6)
	l.red6.send6(echo6("fd00:2::9", "fd00:2::2", 128, 1, 0))
	l.drops(trace.SpoofedSource, 1)
	l.red6.send6(echo6("fd00:1::1", "fd00:2::2", 128, 1, 0))
	l.drops(trace.OwnSource, 1)
}

// chainOf makes so many headers of destination options in front of a datagram; the first is named by the packet.
func chainOf(n int) (b []byte) {
	for i := range n {
		next := frame.ProtoDestOptions
		if i == n-1 {
			next = frame.ProtoUDP
		}
		b = append(b, next, 0, 1, 4, 0, 0, 0, 0)
	}
	return append(b, 0, 1, 0, 2, 0, 8, 0, 0)
}

// TestSixFragments: what comes in fragments is whole for the rules, leaves in fragments that fit as those did which came, and
// what the gateway itself sends it cuts.
func TestSixFragments(t *testing.T) {
	l := newLab6(t)
	whole := echo6("fd00:1::2", "fd00:2::2", frame.ICMPv6Echo, 7, 4000)
	pieces := cut6(whole, 1400)
	slices.Reverse(pieces)
	l.red6.send6(pieces...)
	var f frame.Fragments[frame.IPv6]
	for _, p := range l.br1.raw6() {
		if len(p) > 1500 || p.HopLimit() != 63 {
			t.Errorf("a fragment of %d bytes, %d hops left", len(p), p.HopLimit())
		}
		at, fit := f.Fit(frame.IP(p))
		if fit != frame.Fits {
			t.Fatalf("a fragment fits: %v", fit)
		}
		f.Insert(at, frame.IP(p), p)
	}
	if _, ok := f.Whole(); !ok {
		t.Fatal("it did not come out whole")
	}
	again := frame.IP(f.AppendWhole(nil, func(p frame.IPv6) frame.IP { return frame.IP(p) }))
	again.SetTTL(64)
	if !slices.Equal(again, frame.IP(whole)) {
		t.Error("it is another packet now")
	}
	l.red6.send6(cut6(echo6("fd00:1::2", "fd00:1::1", frame.ICMPv6Echo, 7, 60000), 1400)...)
	if n := len(l.br0.raw6()); n < 41 {
		t.Errorf("the answer to a ping of 60000 bytes has %d pieces", n)
	}
	// RFC 5722: one that overlaps throws the packet away.
	pieces = cut6(echo6("fd00:1::2", "fd00:2::2", frame.ICMPv6Echo, 8, 4000), 1400)
	lie := slices.Clone(pieces[1])
	binary.BigEndian.PutUint16(lie[42:], uint16(8)|1)
	l.red6.send6(pieces[0], lie, pieces[1], pieces[2])
	if all := l.br1.raw6(); len(all) != 0 {
		t.Errorf("%d packets came of fragments that contradict each other", len(all))
	}
}

func cut6(whole frame.IPv6, mtu int) (pieces [][]byte) {
	p := frame.IP(whole)
	for at := 0; at < p.Divisible(); {
		var b []byte
		b, at = p.AppendFragment(nil, at, p.FragmentRoom(mtu), 77)
		pieces = append(pieces, b)
	}
	return pieces
}

// TestSixTranslated: MASQUERADE, DNAT and their errors are IPv4's, with the checksums that cover the addresses.
func TestSixTranslated(t *testing.T) {
	l := newLab6(t, "-t nat -A POSTROUTING -s fd00:1::/64 ! -o br0 -j MASQUERADE",
		"-t nat -A PREROUTING -d 2001:db8::2/128 -p udp -m udp --dport 8080 -j DNAT --to-destination [fd00:2::2]:80")
	l.red6.send6(udp6("fd00:1::2", "2001:db8:9::9", 4000, 53, 5), echo6("fd00:1::2", "2001:db8:9::9", frame.ICMPv6Echo, 7, 5))
	out := l.wan.raw()
	if len(out) != 2 {
		t.Fatalf("%d packets left", len(out))
	}
	u, e := frame.IP(out[0]), frame.IP(out[1])
	if u.Src() != ip6("2001:db8::2") || !frame.UDP(u.Payload()).ChecksumOK(u.Src(), u.Dst()) || e.Src() != ip6("2001:db8::2") || !e.ICMPChecksumOK() {
		t.Errorf("left: %x and %x", out[0], out[1])
	}
	l.wan.send(udp6("2001:db8:9::9", "2001:db8::2", 53, frame.UDP(u.Payload()).SrcPort(), 9))
	if got := l.br0.one6(); got.Dst() != l.red6.addr || !frame.UDP(got.Payload()).ChecksumOK(got.Src(), got.Dst()) {
		t.Errorf("back came %x", got)
	}
	// Too big, says a router outside about the first packet: RED hears it of its own packet.
	tooBig := frame.ICMPError{Type: frame.ICMPv6TooBig, MTU: 1300}.AppendV6(make([]byte, frame.IPv6Header), u)
	frame.IP(frame.PutIPv6(tooBig, frame.ProtoICMPv6, 60, ip6("2001:db8:5::5"), ip6("2001:db8::2"))).SetICMPChecksum()
	l.wan.send(tooBig)
	got := frame.IP(l.br0.one6())
	quote, ok := got.Quote()
	if !ok || !got.ICMPChecksumOK() || got.Dst() != l.red6.addr || quote.Src() != l.red6.addr || frame.UDP(quote.Payload()).SrcPort() != 4000 ||
		!frame.UDP(quote.Payload()).ChecksumOK(quote.Src(), quote.Dst()) {
		t.Errorf("RED hears %x", got)
	}
	l.wan.send(udp6("2001:db8:9::9", "2001:db8::2", 5000, 8080, 1))
	if got := l.br1.one6(); got.Dst() != l.blue6.addr || frame.UDP(got.Payload()).DstPort() != 80 {
		t.Errorf("BLUE hears %x", got)
	}
	l.blue6.send6(udp6("fd00:2::2", "2001:db8:9::9", 80, 5000, 1))
	if out := l.wan.raw(); len(out) != 1 || frame.IP(out[0]).Src() != ip6("2001:db8::2") || frame.UDP(frame.IP(out[0]).Payload()).SrcPort() != 8080 {
		t.Errorf("the answer left as %x", out)
	}
}

// TestSixRouterAdverts: hosts are told of the link when the gateway is to tell them, at once when they ask, and not more often
// than every three seconds; a network without a word for them stays silent.
func TestSixRouterAdverts(t *testing.T) {
	l := newLab6(t)
	l.listen()
	ask := append(make([]byte, frame.IPv6Header), frame.ICMPv6RouterSolicit, 0, 0, 0, 0, 0, 0, 0)
	frame.IP(frame.PutIPv6(ask, frame.ProtoICMPv6, frame.NDHopLimit, ip6("fe80::2"), frame.AllRouters)).SetICMPChecksum()
	l.red6.send6(ask)
	l.advance(time.Second)
	if all := l.br0.raw6(); len(all) != 0 {
		t.Errorf("a silent gateway said %d things", len(all))
	}
	says := frame.RouterAdvert{HopLimit: 64, Lifetime: 30 * time.Minute, MTU: 1400, Other: true, DNS: []netip.Addr{ip6("fd00:1::1")}, DNSLifetime: time.Hour,
		Search: []string{"lab.example"}, SearchLifetime: time.Hour,
		Prefixes: []frame.AdvertPrefix{{Prefix: netip.MustParsePrefix("fd00:1::/64"), OnLink: true, Autonomous: true, Valid: frame.NDInfinite, Preferred: time.Hour}}}
	l.Advertise(l.br0.leg, &says, l.now)
	l.advance(0)
	m, problem := frame.ParseND(l.br0.one6())
	if problem != 0 || m.Dst != frame.AllNodes || m.Src != frame.EUI64(frame.LinkLocal, gatewayMAC) || m.Advert.MTU != 1400 || !m.Advert.Other || m.Advert.Managed ||
		len(m.Advert.Prefixes) != 1 || m.Advert.Prefixes[0] != says.Prefixes[0] || len(m.Advert.DNS) != 1 || m.Advert.Search[0] != "lab.example" {
		t.Errorf("said %+v (problem %d)", m, problem)
	}
	for range 5 {
		l.red6.send6(ask)
	}
	l.advance(4 * time.Second)
	if n := len(l.br0.of6(frame.ICMPv6RouterAdvert)); n != 1 {
		t.Errorf("five who ask at once are answered %d times, want once", n)
	}
	l.Advertise(l.br0.leg, nil, l.now)
	if m, _ := frame.ParseND(l.br0.one6()); m.Advert.Lifetime != 0 {
		t.Errorf("said at its end %+v", m.Advert)
	}
	report := packet6(frame.ProtoHopByHop, 1, "fe80::2", "ff02::16", append([]byte{frame.ProtoICMPv6, 0, 5, 2, 0, 0, 1, 0}, 143, 0, 0, 0, 0, 0, 0, 0))
	frame.IP(report).SetICMPChecksum()
	l.red6.send6(report)
	seen := map[trace.Note]bool{}
	var e trace.Event
	for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
		seen[e.Note] = true
	}
	for _, n := range []trace.Note{trace.RouterSilent, trace.RouterAsked, trace.RouterAdvertised, trace.NeighborGroup, trace.MLDHeard} {
		if !seen[n] {
			t.Errorf("note %d was not told", n)
		}
	}
}

// TestSixIsNotFour: a lab without IPv6 says nothing in it, and a packet's family is what its frame says.
func TestSixIsNotFour(t *testing.T) {
	l := newLab(t)
	host6{l.red, ip6("fd00:1::2")}.solicit("fd00:1::1")
	l.drops(trace.NoIPv6, 1)
	l.advance(10 * time.Minute)
	if all := l.br0.raw6(); len(all) != 0 {
		t.Errorf("%d packets of IPv6 on a network without", len(all))
	}
}
