package nat_test

import (
	"strings"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

func TestN17ICMPQueryMapping(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(echo("11.11.11.2", "8.8.8.8", 7, "red"), echo("11.11.11.2", "1.1.1.1", 7, "red"))
	l.pink.send(echo("11.11.11.3", "8.8.8.8", 7, "pink"))
	l.want(l.wan, `echo 192.0.2.2 > 8.8.8.8 ttl 63 id 7 "red"`, `echo 192.0.2.2 > 1.1.1.1 ttl 63 id 7 "red"`,
		`echo 192.0.2.2 > 8.8.8.8 ttl 63 id 8 "pink"`)
	l.wan.send(echoReply("8.8.8.8", "192.0.2.2", 8, "pink"), echoReply("8.8.8.8", "192.0.2.2", 7, "red"))
	l.want(l.br0, `echo-reply 8.8.8.8 > 11.11.11.3 ttl 63 id 7 "pink"`, `echo-reply 8.8.8.8 > 11.11.11.2 ttl 63 id 7 "red"`)
}

func TestN17QuestionIsNoAnswer(t *testing.T) {
	// 8.8.8.8 asks the gateway itself, by chance with the identifier that RED asks it with.
	l := newLab(t, masquerade)
	l.red.send(echo("11.11.11.2", "8.8.8.8", 7, ""))
	l.wan.raw()
	l.wan.send(echo("8.8.8.8", "192.0.2.2", 7, ""))
	l.want(l.br0)
	if l.conn().Replied {
		t.Error("a question counts as an answer")
	}
}

func TestN18ICMPIdle(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(echo("11.11.11.2", "8.8.8.8", 7, ""))
	l.advance(59 * time.Second)
	l.wan.send(echoReply("8.8.8.8", "192.0.2.2", 7, ""))
	l.want(l.br0, "echo-reply 8.8.8.8 > 11.11.11.2 ttl 63 id 7")
	l.advance(61 * time.Second)
	l.wan.send(echoReply("8.8.8.8", "192.0.2.2", 7, ""))
	l.want(l.br0)
}

func TestN19Checksums(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(b frame.IPv4)
		why   trace.Reason
	}{
		"ICMP": {func(b frame.IPv4) { b[22]++ }, trace.BadICMP},
		"quoted header": {func(b frame.IPv4) {
			b[28+10]++
			frame.ICMP(b.Payload()).SetChecksum()
		}, trace.Unanswered},
		"quoted transport": {func(b frame.IPv4) {
			b[28+20+16] ^= 0x55 // TCP's
			frame.ICMP(b.Payload()).SetChecksum()
		}, trace.NoReason},
	} {
		l := newLab(t, masquerade)
		l.red.send(tcp("11.11.11.2:1818", "8.8.8.8:80", seg{flags: "S"}))
		b := icmp("10.0.0.9", "192.0.2.2", 11, 0, 0, l.wan.raw()[0])
		c.spoil(b)
		l.wan.send(b)
		if c.why != trace.NoReason {
			l.drops(c.why, 1)
		}
		if n := len(l.br0.raw()); (n == 1) != (c.why == trace.NoReason) {
			t.Errorf("%s: %d errors reached the host", name, n)
		}
	}
}

func TestN19QuotedOptions(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(withOptions(udp("11.11.11.2:1818", "8.8.8.8:53", "q"), 7, 7, 4, 0, 0, 0, 0, 0))
	l.wan.send(icmp("10.0.0.9", "192.0.2.2", 11, 0, 0, l.wan.raw()[0]))
	l.want(l.br0, `icmp 11/0 10.0.0.9 > 11.11.11.2 ttl 63 about udp 11.11.11.2:1818 > 8.8.8.8:53 ttl 63 "q"`)
}

func TestN20ErrorsInsideOut(t *testing.T) {
	start := func(t *testing.T) (*lab, []byte) {
		l := newLab(t, masquerade)
		l.pink.send(udp("11.11.11.3:1818", "8.8.8.8:53", "")) // so that RED's port is changed
		l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", "question"))
		return l, l.wan.raw()[1]
	}
	about := ` about udp 11.11.11.2:1818 > 8.8.8.8:53 ttl 63 "question"`
	for _, c := range []struct {
		kind, code uint8
		rest       uint32
		want       string
	}{
		{11, 0, 0, "icmp 11/0 10.0.0.9 > 11.11.11.2 ttl 63"},
		{3, 3, 0, "icmp 3/3 10.0.0.9 > 11.11.11.2 ttl 63"},
		{3, 4, 1280, "icmp 3/4 mtu 1280 10.0.0.9 > 11.11.11.2 ttl 63"},
		{12, 0, 0, "icmp 12/0 10.0.0.9 > 11.11.11.2 ttl 63"},
	} {
		l, sent := start(t)
		l.wan.send(icmp("10.0.0.9", "192.0.2.2", c.kind, c.code, c.rest, sent))
		l.want(l.br0, c.want+about)
	}

	// Eight bytes of the transport header are all that a router must quote (RFC 792).
	l, sent := start(t)
	l.wan.send(icmp("10.0.0.9", "192.0.2.2", 11, 0, 0, sent[:28]))
	quote := frame.IPv4(l.br0.raw()[0][28:])
	if got := describe(quote); got != "udp 11.11.11.2:1818 > 8.8.8.8:53 ttl 63" || !quote.ChecksumOK() {
		t.Error(got)
	}
}

func TestN20ErrorAboutTheAnswer(t *testing.T) {
	// RED refuses what 8.8.8.8 answers: the outside must see neither RED's address nor its port.
	l := newLab(t, masquerade)
	l.pink.send(udp("11.11.11.3:1818", "8.8.8.8:53", ""))
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
	l.wan.raw()
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:1819", "answer"))
	l.red.send(icmp("11.11.11.2", "8.8.8.8", 3, 3, 0, l.br0.raw()[0]))
	l.want(l.wan, `icmp 3/3 192.0.2.2 > 8.8.8.8 ttl 63 about udp 8.8.8.8:53 > 192.0.2.2:1819 ttl 63 "answer"`)
}

func TestN20ErrorFromBehindDNAT(t *testing.T) {
	l := newLab(t, "-t nat -A PREROUTING -i uplink -p udp --dport 8080 -j DNAT --to-destination 11.11.11.2:80")
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:8080", "ask"))
	l.red.send(icmp("11.11.11.2", "8.8.8.8", 3, 3, 0, l.br0.raw()[0]))
	l.want(l.wan, `icmp 3/3 192.0.2.2 > 8.8.8.8 ttl 63 about udp 8.8.8.8:53 > 192.0.2.2:8080 ttl 63 "ask"`)
}

func TestN20RedirectIsNotTranslated(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
	l.wan.send(icmp("192.0.2.1", "192.0.2.2", frame.ICMPRedirect, 1, 0x0a000001, l.wan.raw()[0]))
	l.nothing()
}

func TestN21ErrorsDoNotRefresh(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", "q"))
	sent := l.wan.raw()[0]
	l.advance(4 * time.Minute)
	l.wan.send(icmp("10.0.0.9", "192.0.2.2", 11, 0, 0, sent))
	if c := l.conn(); c.Timeout != time.Minute || c.Packets != [2]uint64{1, 0} || c.Replied {
		t.Errorf("after an error: %+v", c)
	}
	// Nor does an error about a packet that nobody sent reach anybody.
	l.br0.raw()
	l.wan.send(icmp("10.0.0.9", "192.0.2.2", 11, 0, 0, udp("192.0.2.2:1818", "9.9.9.9:53", "q")))
	l.wan.send(icmp("10.0.0.9", "192.0.2.2", 11, 0, 0, udp("11.11.11.2:1818", "8.8.8.8:53", "q")))
	l.wan.send(icmp("10.0.0.9", "11.11.11.2", 11, 0, 0, sent)) // somebody else's business
	l.want(l.br0, `icmp 11/0 10.0.0.9 > 11.11.11.2 ttl 63 about udp 192.0.2.2:1818 > 8.8.8.8:53 ttl 63 "q"`)
}

func TestN21HairpinnedError(t *testing.T) {
	l := newLab(t, hairpin...)
	l.pink.send(udp("11.11.11.3:5", "192.0.2.2:8080", "ask"))
	l.red.send(icmp("11.11.11.2", "11.11.11.1", 3, 3, 0, l.br0.raw()[0]))
	l.want(l.br0, `icmp 3/3 192.0.2.2 > 11.11.11.3 ttl 63 about udp 11.11.11.3:5 > 192.0.2.2:8080 ttl 63 "ask"`)
}

func TestN22PortExhaustion(t *testing.T) {
	l := newLab(t, "-t nat -A POSTROUTING -s 11.11.11.0/24 -p udp -j MASQUERADE --to-ports 5000-5001")
	for _, src := range []string{"11.11.11.2:1", "11.11.11.2:2", "11.11.11.2:3"} {
		l.red.send(udp(src, "8.8.8.8:53", "q"))
	}
	l.want(l.wan, `udp 192.0.2.2:5000 > 8.8.8.8:53 ttl 63 "q"`, `udp 192.0.2.2:5001 > 8.8.8.8:53 ttl 63 "q"`)
	l.want(l.br0, `icmp 3/13 11.11.11.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:3 > 8.8.8.8:53 ttl 63 "q"`)
	l.drops(trace.NATNoPort, 1)
	if n := len(l.Conns(l.now)); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
	l.advance(6 * time.Minute) // the others' time is over
	l.red.send(udp("11.11.11.2:3", "8.8.8.8:53", "q"))
	l.want(l.wan, `udp 192.0.2.2:5000 > 8.8.8.8:53 ttl 63 "q"`)
}

func TestN22TableFull(t *testing.T) {
	l := newLabWith(t, nat.Config{MaxConns: 4}, masquerade)
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:9", "")) // the gateway refuses, and remembers
	l.wan.raw()
	for i, src := range []string{"11.11.11.2:1", "11.11.11.2:2", "11.11.11.2:3", "11.11.11.2:4"} {
		l.red.send(udp(src, "8.8.8.8:53", "q"))
		if i < 3 {
			l.wan.send(udp("8.8.8.8:53", strings.Replace(src, "11.11.11.2", "192.0.2.2", 1), "a"))
			l.red.send(udp(src, "8.8.8.8:53", "q"))
		}
	}
	l.drops(trace.SourceLimit, 1)
	got := l.br0.packets()
	if last := got[len(got)-1]; last != `icmp 3/13 11.11.11.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:4 > 8.8.8.8:53 ttl 63 "q"` {
		t.Error(last)
	}
}
