package nat_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// notes are short names for what a step found.
var notes = map[trace.Note]string{
	trace.EchoAnswered: "echo-answered", trace.Originated: "originated", trace.ConnNew: "new", trace.ConnOriginal: "original",
	trace.ConnReply: "reply", trace.ConnRelated: "related", trace.ConnUntracked: "untracked", trace.NoRuleChanged: "no-rule",
	trace.ReplyTranslated: "reply-translated", trace.SameTranslation: "same-translation", trace.Logged: "logged",
	trace.RouteConnected: "connected", trace.RouteDefault: "default", trace.RoutePrefix: "prefix", trace.Reassembled: "reassembled",
	trace.FragmentHeld: "fragment-held", trace.FragmentedInto: "fragmented", trace.UplinkSent: "sent", trace.UplinkReceived: "received", trace.UplinkMachine: "machine", trace.UplinkAccepted: "accepted",
	trace.NeighborKnown: "known", trace.NeighborAsked: "asked", trace.NeighborWaiting: "waiting", trace.NeighborSent: "released",
	trace.NeighborProbe: "probe", trace.ARPAnswered: "arp-answered", trace.ARPLearned: "learned", trace.ARPHeard: "heard",
	trace.ARPNotMine: "not-mine", trace.ARPConflict: "conflict", trace.ARPDefended: "defended", trace.ARPAnnounced: "announced",
	trace.ErrorSent: "error-sent", trace.ARPProbed: "arp-probed", trace.ARPIgnored: "ignored", trace.NeighborStatic: "static", trace.Delivered: "delivered", trace.MachineError: "machine-error",
}

// line writes an event down: packet and hop, hook, verdict, and why.
func line(e trace.Event) string {
	s := fmt.Sprintf("%d.%d %v %v", e.Packet, e.Hop, e.Hook, e.Verdict)
	if e.Note != trace.NoNote {
		s += " " + notes[e.Note]
	}
	if e.Reason != trace.NoReason {
		s += " " + e.Reason.String()
	}
	if e.Verdict == trace.Rewrite {
		s += fmt.Sprintf(" %s > %s => %s > %s", e.Before.Source(), e.Before.Destination(), e.After.Source(), e.After.Destination())
	}
	if e.Rule != "" {
		s += " " + e.Rule
	}
	return s
}

// trace fails the test unless these are the events since it was last asked. Hops must count from 1 without a gap.
func (l *lab) trace(t testing.TB, want ...string) {
	t.Helper()
	var got []string
	hops := map[uint64]uint32{}
	var e trace.Event
	for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
		got = append(got, line(e))
		if hops[e.Packet]++; e.Hop != hops[e.Packet] {
			t.Errorf("%s: want hop %d", line(e), hops[e.Packet])
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("steps:\n  %s\nwant:\n  %s", joined(got), joined(want))
	}
}

func TestTracePingToTheGateway(t *testing.T) {
	l := newLab(t)
	l.listen()
	l.red.send(echo("11.11.11.2", "11.11.11.1", 7, ""))
	l.trace(t, "1.1 prerouting accept no-rule", "1.2 input accept -P INPUT ACCEPT", "1.3 input consume echo-answered",
		"2.1 output accept originated", "2.2 route accept connected", "2.3 output accept -P OUTPUT ACCEPT", "2.4 neighbor accept known")
}

func TestTraceMasquerade(t *testing.T) {
	l := newLab(t, masquerade)
	l.pink.send(udp("11.11.11.3:1818", "8.8.8.8:53", "")) // so that RED's port changes
	l.listen()
	l.red.send(udp(redPort, "8.8.8.8:53", "first"))
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:1819", "reply"))
	l.red.send(udp(redPort, "8.8.8.8:53", "later"))
	l.trace(t,
		"1.1 prerouting accept no-rule",
		"1.2 route accept default",
		"1.3 forward accept -P FORWARD ACCEPT",
		"1.4 postrouting rewrite 11.11.11.2:1818 > 8.8.8.8:53 => 192.0.2.2:1819 > 8.8.8.8:53 "+
			"-A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE",
		"1.5 egress accept sent",

		"2.1 ingress accept received",
		"2.2 prerouting rewrite reply-translated 8.8.8.8:53 > 192.0.2.2:1819 => 8.8.8.8:53 > 11.11.11.2:1818",
		"2.3 route accept connected",
		"2.4 forward accept -P FORWARD ACCEPT",
		"2.5 neighbor accept known",

		"3.1 prerouting accept original",
		"3.2 route accept default",
		"3.3 forward accept -P FORWARD ACCEPT",
		"3.4 postrouting rewrite same-translation 11.11.11.2:1818 > 8.8.8.8:53 => 192.0.2.2:1819 > 8.8.8.8:53",
		"3.5 egress accept sent")
}

func TestTraceNoTranslation(t *testing.T) {
	l := newLab(t)
	l.listen()
	l.red.send(udp(redPort, "22.22.22.2:53", ""))
	l.blue.send(udp("22.22.22.2:53", redPort, ""))
	l.trace(t,
		"1.1 prerouting accept no-rule", "1.2 route accept connected", "1.3 forward accept -P FORWARD ACCEPT",
		"1.4 postrouting accept no-rule", "1.5 neighbor accept known",
		"2.1 prerouting accept reply", "2.2 route accept connected", "2.3 forward accept -P FORWARD ACCEPT", "2.4 neighbor accept known")
}

func TestTraceDrops(t *testing.T) {
	l := newLab(t, "-P FORWARD DROP", "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset", "-A FORWARD -p udp -j LOG --log-prefix no")
	l.listen()
	l.red.send(udp(redPort, "8.8.8.8:53", ""))
	l.trace(t, "1.1 prerouting accept no-rule", "1.2 route accept default",
		"1.3 forward accept logged -A FORWARD -p udp -j LOG --log-prefix no", "1.4 forward drop policy-drop -P FORWARD DROP")
	l.red.send(tcp(redPort, server, seg{flags: "S"}))
	l.trace(t, "2.1 prerouting accept no-rule", "2.2 route accept default",
		"2.3 forward drop netfilter-reject -A FORWARD -p tcp -j REJECT --reject-with tcp-reset",
		"3.1 output accept error-sent", "3.2 route accept connected", "3.3 output accept -P OUTPUT ACCEPT", "3.4 neighbor accept known")
	l.red.send(udp("11.11.11.9:5", "127.0.0.1:53", ""))
	l.trace(t, "4.1 prerouting drop martian")
}

func TestTraceDNAT(t *testing.T) {
	l := newLab(t, "-t nat -A PREROUTING -i uplink -p udp -m udp --dport 8080 -j DNAT --to-destination 11.11.11.2:80")
	l.listen()
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:8080", "ask"))
	l.red.send(udp("11.11.11.2:80", "8.8.8.8:53", "answer"))
	l.trace(t,
		"1.1 ingress accept received",
		"1.2 prerouting rewrite new 8.8.8.8:53 > 192.0.2.2:8080 => 8.8.8.8:53 > 11.11.11.2:80 "+
			"-A PREROUTING -i uplink -p udp -m udp --dport 8080 -j DNAT --to-destination 11.11.11.2:80",
		"1.3 route accept connected", "1.4 forward accept -P FORWARD ACCEPT", "1.5 postrouting accept no-rule", "1.6 neighbor accept known",
		"2.1 prerouting accept reply", "2.2 route accept default", "2.3 forward accept -P FORWARD ACCEPT",
		"2.4 postrouting rewrite reply-translated 11.11.11.2:80 > 8.8.8.8:53 => 192.0.2.2:8080 > 8.8.8.8:53", "2.5 egress accept sent")
}

func TestTraceError(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp(redPort, "8.8.8.8:53", "q"))
	sent := l.wan.raw()[0]
	l.listen()
	l.wan.send(icmp("10.0.0.9", "192.0.2.2", 11, 0, 0, sent))
	l.trace(t, "1.1 ingress accept received",
		"1.2 prerouting rewrite related 10.0.0.9 id 0 > 192.0.2.2 id 0 => 10.0.0.9 id 0 > 11.11.11.2 id 0",
		"1.3 route accept connected", "1.4 forward accept -P FORWARD ACCEPT", "1.5 neighbor accept known")

	// The gateway's own, which answers what the TTL ended.
	l.red.send(withTTL(udp(redPort, "8.8.8.8:53", "q"), 1))
	l.trace(t, "2.1 prerouting accept original", "2.2 route accept default", "2.3 forward drop ttl-expired",
		"3.1 output accept error-sent", "3.2 route accept connected", "3.3 output accept -P OUTPUT ACCEPT", "3.4 neighbor accept known")
}

func TestTraceWaiting(t *testing.T) {
	l := newLab(t)
	l.listen()
	l.red.send(udp(redPort, "22.22.22.9:53", "q"))
	l.green().arp(frame.ARPReply, gatewayMAC)
	l.trace(t, "1.1 prerouting accept no-rule", "1.2 route accept connected", "1.3 forward accept -P FORWARD ACCEPT",
		"1.4 postrouting accept no-rule", "1.5 neighbor queue asked", "2.1 arp accept originated",
		"3.1 arp consume learned", "1.6 neighbor accept released")
}

func TestTraceOfEveryRow(t *testing.T) {
	// Whatever happens, hops count from 1, the last step of a journey is an outcome, and a connection's id does not change.
	l := newLab(t, masquerade)
	l.listen()
	l.handshake()
	l.red.send(cut(whole(), 40)...)
	l.red.send(packetOf(47, ip4("11.11.11.2"), ip4("8.8.8.8"), nil), udp("11.11.11.2:5", "22.22.22.255:5", ""))
	conns, hops := map[uint64]uint64{}, map[uint64]uint32{}
	var e trace.Event
	for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
		if hops[e.Packet]++; e.Hop != hops[e.Packet] {
			t.Errorf("%s: want hop %d", line(e), hops[e.Packet])
		}
		if c := conns[e.Packet]; c != 0 && e.Conn != c {
			t.Errorf("%s: connection %d was %d before", line(e), e.Conn, c)
		}
		conns[e.Packet] = e.Conn
	}
}

// machineWay is a way out on which 192.0.2.1 stands for this machine.
type machineWay struct{ *way }

func (machineWay) IsMachine(a netip.Addr) bool { return a == netip.MustParseAddr("192.0.2.1") }

// TestTraceOfTheMachineItself: a client on this machine has never been outside; a router with the address that stands for it has.
func TestTraceOfTheMachineItself(t *testing.T) {
	l := newLab(t)
	if err := l.SetAddr(l.br1.leg, netip.Prefix{}, l.now); err != nil {
		t.Fatal(err)
	}
	l.Remove(l.wan.leg)
	l.wan.leg = l.add(nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: machineWay{l.wan}})
	l.listen()
	l.wan.send(udp("192.0.2.1:5", "192.0.2.2:9", "from here"), udp("192.0.2.9:5", "192.0.2.2:9", "from outside"),
		packetOf(frame.ProtoICMP, ip4("192.0.2.1"), ip4("192.0.2.2"), []byte{frame.ICMPTimeExceeded, 0, 0xf4, 0xff, 0, 0, 0, 0}))
	var e trace.Event
	var got []string
	for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
		if e.Hook == trace.Ingress {
			got = append(got, e.Text(trace.English))
		}
	}
	if want := []string{"comes from this machine itself, for which 192.0.2.1 stands", "comes from the outside", "comes from the outside"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestUndelivered: what the machine says of a packet that has left becomes an error of the gateway's own, to whoever sent it, as
// the sender knows the packet; within the limits of such errors; and of what nobody has sent, nobody hears.
func TestUndelivered(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:5", "8.8.8.8:53", "q"))
	left := l.wan.frames[0].Data[frame.EthernetHeader:]
	l.listen()
	l.red.frames = nil
	l.Undelivered(nat.Failure{Type: frame.ICMPUnreachable, Code: frame.UnreachableHost, Packet: left}, l.now)
	l.trace(t, "1.1 output accept machine-error", "1.2 route accept connected", "1.3 output accept -P OUTPUT ACCEPT", "1.4 neighbor accept known")
	if len(l.red.frames) != 1 {
		t.Fatalf("RED got %d frames", len(l.red.frames))
	}
	ip := frame.IPv4(l.red.frames[0].Data[frame.EthernetHeader:])
	m := frame.ICMP(ip.Payload())
	quote := frame.IPv4(m.Payload())
	about, _ := frame.TupleOf(quote)
	if ip.Src().String() != "11.11.11.1" || m.Type() != frame.ICMPUnreachable || m.Code() != frame.UnreachableHost || !m.ChecksumOK() ||
		!quote.ChecksumOK() || about.Src().String() != "11.11.11.2" || about.SrcPort != 5 || about.DstPort != 53 {
		t.Errorf("RED hears %v from %v about %v", m, ip.Src(), about)
	}
	foreign := append(frame.IP(nil), left...)
	foreign[frame.IPv4Header+1]++ // its source port
	l.Undelivered(nat.Failure{Type: frame.ICMPUnreachable, Code: frame.UnreachableHost, Packet: foreign}, l.now)
	if n := l.tracer.Drops(trace.NoConnForICMP); n != 1 || len(l.red.frames) != 1 {
		t.Errorf("about a packet that nobody sent: %d frames, %d counted", len(l.red.frames), n)
	}
	l.Undelivered(nat.Failure{Type: frame.ICMPUnreachable, Code: frame.UnreachableTooBig, MTU: 1400, Packet: left}, l.now)
	if m := frame.ICMP(frame.IPv4(l.red.frames[len(l.red.frames)-1].Data[frame.EthernetHeader:]).Payload()); len(l.red.frames) != 2 || m[6] != 1400>>8 || m[7] != 1400&0xff {
		t.Errorf("RED got %d frames, the last with %v", len(l.red.frames), m)
	}
	for range 20 {
		l.Undelivered(nat.Failure{Type: frame.ICMPUnreachable, Code: frame.UnreachableHost, Packet: left}, l.now)
	}
	if n := len(l.red.frames) - 2; n != 5 {
		t.Errorf("%d errors at once", n)
	}
}

// TestTraceOfARefusal: what an uplink refuses has not left by it: there is one step, and that is the drop.
func TestTraceOfARefusal(t *testing.T) {
	l := newLab(t, masquerade)
	l.wan.refuse = trace.UplinkTooBig
	l.listen()
	l.red.send(udp("11.11.11.2:5", "8.8.8.8:53", "q"))
	var e trace.Event
	var got []string
	for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
		if e.Hook == trace.Egress {
			got = append(got, e.Verdict.String()+" "+e.Reason.String())
		}
	}
	if want := []string{"drop uplink-too-big"}; !slices.Equal(got, want) {
		t.Errorf("steps at the uplink: %q", got)
	}
}

// TestIdentifierOfBothEnds: where the identifier of a ping changes, it is the port of both ends, at each step: between the
// two translations of the answer the packet has the one that its host knows.
func TestIdentifierOfBothEnds(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(echo("11.11.11.2", "8.8.8.8", 7, ""))
	l.listen()
	l.pink.send(echo("11.11.11.3", "8.8.8.8", 7, ""))
	outside := l.outsideID("11.11.11.3")
	l.wan.send(echoReply("8.8.8.8", "192.0.2.2", outside, ""))
	var e trace.Event
	rewritten := 0
	for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
		if e.Before.SrcPort != e.Before.DstPort || e.After.SrcPort != e.After.DstPort {
			t.Errorf("%v: %+v becomes %+v", e.Hook, e.Before, e.After)
		}
		if e.Verdict == trace.Rewrite && e.After.SrcPort != e.Before.SrcPort {
			rewritten++
		}
		if e.Hook == trace.Forward && e.Before.DstIP == frame.AddrOf(netip.AddrFrom4([4]byte{11, 11, 11, 3})) && e.Before.DstPort != 7 {
			t.Errorf("the answer is forwarded with identifier %d", e.Before.DstPort)
		}
	}
	if outside == 7 || rewritten != 2 {
		t.Errorf("the identifier outside is %d, and changed %d times", outside, rewritten)
	}
}

// outsideID returns the identifier that the ping of a host has outside.
func (l *lab) outsideID(host string) uint16 {
	for _, c := range l.Conns(l.now) {
		if c.Original.Src().String() == host {
			return c.Reply.DstPort
		}
	}
	l.Fatalf("no connection of %s", host)
	return 0
}
