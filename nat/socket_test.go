package nat_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// program is a socket that keeps what it hears.
type program struct{ heard []string }

func (p *program) Deliver(f frame.Frame, _ time.Time) {
	p.heard = append(p.heard, describe(f.Packet().Data))
}

func (p *program) want(t testing.TB, lines ...string) {
	t.Helper()
	if !slices.Equal(p.heard, lines) {
		t.Errorf("heard\n  %s\nwant\n  %s", joined(p.heard), joined(lines))
	}
	p.heard = nil
}

// originate sends a packet of the gateway's own.
func (l *lab) originate(packet []byte) {
	l.Originate(frame.Frame{Data: append(make([]byte, frame.EthernetHeader), packet...)}, l.now)
}

// open plugs a program into a port, for as long as the test runs.
func (l *lab) open(proto uint8, port uint16) *program {
	l.Helper()
	p := &program{}
	release, err := l.Open(proto, port, p)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(release)
	return p
}

func TestSocketHearsWhatIsSentToThePort(t *testing.T) {
	l := newLab(t)
	names := l.open(frame.ProtoUDP, 53)
	l.red.send(udp("11.11.11.2:1818", "11.11.11.1:53", "who?"))
	names.want(t, "udp 11.11.11.2:1818 > 11.11.11.1:53 ttl 64 \"who?\"")
	l.want(l.br0)

	l.originate(udp("11.11.11.1:53", "11.11.11.2:1818", "me"))
	l.want(l.br0, "udp 11.11.11.1:53 > 11.11.11.2:1818 ttl 64 \"me\"")
	if c := l.conn(); !c.Replied {
		t.Error("the answer is no answer of the connection")
	}

	l.red.send(udp("11.11.11.2:1818", "11.11.11.1:54", "who?"))
	names.want(t)
	l.drops(trace.NoSocket, 1)
}

// filtered hears only one.
type filtered struct {
	program
	one string
}

func (c *filtered) Accepts(src, dst netip.Addr) bool { return src.String()+" "+dst.String() == c.one }

func TestSocketIsClosedToSome(t *testing.T) {
	l := newLab(t)
	names := &filtered{one: "11.11.11.2 11.11.11.1"}
	release, err := l.Open(frame.ProtoUDP, 53, names)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	l.red.send(udp("11.11.11.2:1818", "11.11.11.1:53", "who?"))
	names.want(t, "udp 11.11.11.2:1818 > 11.11.11.1:53 ttl 64 \"who?\"")
	l.drops(trace.NoSocket, 0)
	l.pink.send(udp("11.11.11.3:1818", "11.11.11.1:53", "who?"))
	names.want(t)
	l.drops(trace.NoSocket, 1)
	l.red.send(udp("11.11.11.2:1818", "22.22.22.1:53", "who?"))
	names.want(t)
	l.drops(trace.NoSocket, 2)
}

// TestSocketIsNotLedAway: a DNAT of its port is for those whom it does not hear.
func TestSocketIsNotLedAway(t *testing.T) {
	l := newLab(t, "-t nat -A PREROUTING -p udp --dport 53 -j DNAT --to-destination 22.22.22.2:5353")
	names := &filtered{one: "11.11.11.2 11.11.11.1"}
	release, err := l.Open(frame.ProtoUDP, 53, names)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	l.red.send(udp("11.11.11.2:1818", "11.11.11.1:53", "who?"))
	names.want(t, "udp 11.11.11.2:1818 > 11.11.11.1:53 ttl 64 \"who?\"")
	l.want(l.br1)
	l.originate(udp("11.11.11.1:53", "11.11.11.2:1818", "me"))
	l.want(l.br0, "udp 11.11.11.1:53 > 11.11.11.2:1818 ttl 64 \"me\"")
	l.pink.send(udp("11.11.11.3:1818", "11.11.11.1:53", "who?"))
	l.want(l.br1, "udp 11.11.11.3:1818 > 22.22.22.2:5353 ttl 63 \"who?\"")
	names.want(t)
}

func TestSocketBehindInput(t *testing.T) {
	l := newLab(t, "-A INPUT -p udp --dport 53 -j DROP")
	names := l.open(frame.ProtoUDP, 53)
	l.red.send(udp("11.11.11.2:1818", "11.11.11.1:53", "who?"))
	names.want(t)
	l.drops(trace.RuleDrop, 1)
}

func TestSocketOfAPing(t *testing.T) {
	l := newLab(t)
	ping := l.open(frame.ProtoICMP, 7)
	l.originate(echo("11.11.11.1", "11.11.11.2", 7, ""))
	l.want(l.br0, "echo 11.11.11.1 > 11.11.11.2 ttl 64 id 7")
	l.red.send(echoReply("11.11.11.2", "11.11.11.1", 7, ""))
	ping.want(t, "echo-reply 11.11.11.2 > 11.11.11.1 ttl 64 id 7")

	// An error about the ping is for the ping; a question to the gateway with its number is the gateway's.
	l.red.send(icmp("11.11.11.2", "11.11.11.1", 3, 1, 0, echo("11.11.11.1", "11.11.11.2", 7, "")))
	ping.want(t, "icmp 3/1 11.11.11.2 > 11.11.11.1 ttl 64 about echo 11.11.11.1 > 11.11.11.2 ttl 64 id 7")
	l.red.send(echo("11.11.11.2", "11.11.11.1", 7, ""))
	ping.want(t)
	l.want(l.br0, "echo-reply 11.11.11.1 > 11.11.11.2 ttl 64 id 7")
}

func TestSocketIsAloneOnItsPort(t *testing.T) {
	l := newLab(t)
	release, err := l.Open(frame.ProtoTCP, 53, &program{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Open(frame.ProtoTCP, 53, &program{}); err == nil {
		t.Error("two programs on one port")
	}
	release()
	l.open(frame.ProtoTCP, 53)
}

func TestSourceIsTheInterfacesAddress(t *testing.T) {
	l := newLab(t)
	for dst, want := range map[string]string{"22.22.22.2": "22.22.22.1", "8.8.8.8": "192.0.2.2", "11.11.11.1": "11.11.11.1"} {
		if got, ok := l.Source(netip.MustParseAddr(dst)); !ok || got.String() != want {
			t.Errorf("to %s from %v, want %s", dst, got, want)
		}
	}
}

func TestForkKeepsPortsAndReachesNobody(t *testing.T) {
	l := newLab(t)
	names := l.open(frame.ProtoUDP, 53)
	f := l.Fork(nat.ForkConfig{Tracer: new(trace.Tracer), Now: l.now,
		Segment: func(*nat.Interface) nat.Segment { return l.br1 }, Uplink: func(*nat.Interface) nat.Uplink { return l.wan }})
	leg, _ := f.Interface("br0")
	before := f.Conns(l.now)
	leg.Input(l.red.frame(udp("11.11.11.2:1818", "11.11.11.1:53", "who?")), new(trace.Tracer).Begin(l.now), l.now)
	names.want(t)
	if len(f.Conns(l.now)) != len(before)+1 {
		t.Error("the fork has not seen the connection")
	}
}

// TestSocketIsToldOfFaults: what stops a program's packet comes back to it as an ICMP error; others are told nothing.
func TestSocketIsToldOfFaults(t *testing.T) {
	l := newLab(t, "-A OUTPUT -d 22.22.22.2 -j REJECT")
	ping := l.open(frame.ProtoICMP, 7)
	l.originate(echo("11.11.11.1", "11.11.11.9", 7, "")) // nobody is there
	l.advance(5 * time.Second)
	ping.want(t, "icmp 3/1 11.11.11.1 > 11.11.11.1 ttl 64 about echo 11.11.11.1 > 11.11.11.9 ttl 64 id 7")
	l.originate(echo("22.22.22.1", "22.22.22.2", 7, ""))
	ping.want(t, "icmp 3/3 22.22.22.1 > 22.22.22.1 ttl 64 about echo 22.22.22.1 > 22.22.22.2 ttl 64 id 7")
	before := len(l.Conns(l.now))
	l.originate(echo("22.22.22.1", "22.22.22.2", 8, ""))
	ping.want(t)
	if after := len(l.Conns(l.now)); after != before {
		t.Errorf("%d connections, %d before: a packet that nobody waits for has left something", after, before)
	}
}
