package nat_test

import (
	"strings"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/trace"
)

func TestN1EndpointIndependentMapping(t *testing.T) {
	for proto, packet := range map[string]func(src, dst string) []byte{
		"udp": func(src, dst string) []byte { return udp(src, dst, "") },
		"tcp": func(src, dst string) []byte { return tcp(src, dst, seg{flags: "S"}) },
	} {
		l := newLab(t, masquerade)
		l.pink.send(packet("11.11.11.3:1818", "9.9.9.9:53")) // takes 1818
		l.red.send(packet("11.11.11.2:1818", "8.8.8.8:53"), packet("11.11.11.2:1818", "1.1.1.1:53"), packet("11.11.11.2:1818", "8.8.8.8:54"))
		for i, p := range l.wan.packets() {
			source := "192.0.2.2:1819"
			if i == 0 {
				source = "192.0.2.2:1818"
			}
			if !strings.HasPrefix(p, proto+" "+source) {
				t.Errorf("packet %d left as %s, want the source %s", i, p, source)
			}
		}
	}
}

func TestN1RangeOfAddresses(t *testing.T) {
	l := newLab(t, "-t nat -A POSTROUTING -o uplink -j SNAT --to-source 192.0.2.10-192.0.2.13")
	sources := map[string]bool{}
	for _, server := range []string{"8.8.8.8:53", "8.8.8.9:53", "8.8.8.10:53", "1.1.1.1:53"} {
		l.red.send(udp("11.11.11.2:1818", server, ""))
		sources[strings.Fields(l.wan.packets()[0])[1]] = true
	}
	if len(sources) != 1 {
		t.Errorf("one socket left with several sources: %v", sources)
	}
	// Another host may have another address (RFC 4787 REQ-2 asks only that each keeps its own).
	l.pink.send(udp("11.11.11.3:1818", "8.8.8.8:53", ""))
	l.want(l.wan, "udp 192.0.2.13:1818 > 8.8.8.8:53 ttl 63")
}

func TestN1WholeInternetAsRange(t *testing.T) {
	l := newLab(t, "-t nat -A POSTROUTING -o uplink -j SNAT --to-source 0.0.0.0-255.255.255.255")
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
	l.want(l.wan, "udp 11.11.11.2:1818 > 8.8.8.8:53 ttl 63")
}

func TestN3NoPortOverloading(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:5353", "8.8.8.8:53", "red"), udp("11.11.11.2:700", "8.8.8.8:53", "red"))
	l.pink.send(udp("11.11.11.3:5353", "8.8.8.8:53", "pink"), udp("11.11.11.3:700", "8.8.8.8:53", "pink"))
	l.want(l.wan, `udp 192.0.2.2:5353 > 8.8.8.8:53 ttl 63 "red"`, `udp 192.0.2.2:700 > 8.8.8.8:53 ttl 63 "red"`,
		`udp 192.0.2.2:5354 > 8.8.8.8:53 ttl 63 "pink"`, `udp 192.0.2.2:701 > 8.8.8.8:53 ttl 63 "pink"`)
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:5353", "to red"), udp("8.8.8.8:53", "192.0.2.2:5354", "to pink"))
	l.want(l.br0, `udp 8.8.8.8:53 > 11.11.11.2:5353 ttl 63 "to red"`, `udp 8.8.8.8:53 > 11.11.11.3:5353 ttl 63 "to pink"`)

	l.red.send(udp("11.11.11.2:1023", "8.8.8.8:53", ""), udp("11.11.11.2:65535", "8.8.8.8:53", ""))
	l.pink.send(udp("11.11.11.3:1023", "8.8.8.8:53", ""), udp("11.11.11.3:65535", "8.8.8.8:53", ""))
	l.want(l.wan, "udp 192.0.2.2:1023 > 8.8.8.8:53 ttl 63", "udp 192.0.2.2:65535 > 8.8.8.8:53 ttl 63",
		"udp 192.0.2.2:1 > 8.8.8.8:53 ttl 63", "udp 192.0.2.2:1024 > 8.8.8.8:53 ttl 63")
}

func TestN5UDPIdle(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
	for _, idle := range []time.Duration{119 * time.Second, 299 * time.Second} {
		l.advance(idle)
		l.wan.send(udp("8.8.8.8:53", "192.0.2.2:1818", "late"))
		l.want(l.br0, `udp 8.8.8.8:53 > 11.11.11.2:1818 ttl 63 "late"`)
	}
	l.advance(301 * time.Second)
	if n := len(l.Conns(l.now)); n != 0 {
		t.Errorf("%d connections after more than five minutes of silence", n)
	}
	l.wan.raw()
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:1818", "too late"))
	l.want(l.br0)
	l.want(l.wan, `icmp 3/3 192.0.2.2 > 8.8.8.8 ttl 64 about udp 8.8.8.8:53 > 192.0.2.2:1818 ttl 64 "too late"`)
}

func TestN6OutboundRefreshes(t *testing.T) {
	l := newLab(t, masquerade)
	for range 5 {
		l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
		l.advance(4 * time.Minute)
	}
	if c := l.conn(); c.Packets[0] != 5 || c.Timeout != time.Minute {
		t.Errorf("%d packets, %v left, want 5 and 1m", c.Packets[0], c.Timeout)
	}
}

func TestN7OverlappingNetworks(t *testing.T) {
	for name, c := range map[string]nat.InterfaceConfig{
		"inside inside":  {Name: "new", Addr: prefix("11.11.0.1/16"), MAC: gatewayMAC, Segment: &wire{}},
		"inside outside": {Name: "new", Addr: prefix("192.0.2.129/25"), MAC: gatewayMAC, Segment: &wire{}},
		"outside inside": {Name: "new", Addr: prefix("22.22.22.9/29"), Uplink: &way{}},
		"same name":      {Name: "br0", Addr: prefix("33.33.33.1/24"), MAC: gatewayMAC, Segment: &wire{}},
	} {
		l := newLab(t)
		_, err := l.Add(c, l.now)
		if err == nil || !strings.Contains(err.Error(), c.Name) {
			t.Errorf("%s: error is %v, want one that names %s", name, err, c.Name)
		}
		if n := len(l.Interfaces()); n != 3 {
			t.Errorf("%s: %d interfaces after the error, want 3", name, n)
		}
	}
}

func TestN8Filtering(t *testing.T) {
	// The mapping itself lets anybody in, as RFC 4787 REQ-8 recommends for transparency; the rules decide who may use it.
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
	l.want(l.wan, "udp "+asked+" ttl 63")
	l.wan.send(udp("9.9.9.9:99", "192.0.2.2:1818", "stranger"))
	l.want(l.br0, `udp 9.9.9.9:99 > 11.11.11.2:1818 ttl 63 "stranger"`)
	l.red.send(udp("11.11.11.2:1818", "9.9.9.9:99", "hello"))
	l.want(l.wan, `udp 192.0.2.2:1818 > 9.9.9.9:99 ttl 63 "hello"`)

	l = newLab(t, masquerade, "-P FORWARD DROP", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A FORWARD -i br0 -j ACCEPT")
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
	l.wan.send(udp("9.9.9.9:99", "192.0.2.2:1818", "stranger"))
	l.want(l.br0)
	l.drops(trace.PolicyDrop, 1)
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:1818", "answer"))
	l.want(l.br0, `udp 8.8.8.8:53 > 11.11.11.2:1818 ttl 63 "answer"`)
	if n := len(l.Conns(l.now)); n != 1 {
		t.Errorf("%d connections, want 1: the stranger's must not be remembered", n)
	}
}

// hairpin are the rules of a port that RED publishes at the uplink's address.
var hairpin = []string{masquerade,
	"-t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 8080 -j DNAT --to-destination 11.11.11.2:80",
	"-t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 8081 -j DNAT --to-destination 11.11.11.2:80",
	"-t nat -A PREROUTING -m addrtype --dst-type LOCAL -p udp --dport 8080 -j DNAT --to-destination 11.11.11.2:80",
	"-t nat -A POSTROUTING -s 11.11.11.0/24 -d 11.11.11.2/32 -j MASQUERADE",
}

func TestN9Hairpin(t *testing.T) {
	l := newLab(t, hairpin...)
	l.pink.send(udp("11.11.11.3:5", "192.0.2.2:8080", "ask"))
	l.want(l.br0, `udp 11.11.11.1:5 > 11.11.11.2:80 ttl 63 "ask"`)
	l.red.send(udp("11.11.11.2:80", "11.11.11.1:5", "answer"))
	l.want(l.br0, `udp 192.0.2.2:8080 > 11.11.11.3:5 ttl 63 "answer"`)

	// To itself.
	l.red.send(tcp("11.11.11.2:5", "192.0.2.2:8080", seg{flags: "S"}))
	l.want(l.br0, "tcp 11.11.11.1:5 > 11.11.11.2:80 ttl 63 S")
	l.red.send(tcp("11.11.11.2:80", "11.11.11.1:5", seg{flags: "SA", ack: 1}))
	l.want(l.br0, "tcp 192.0.2.2:8080 > 11.11.11.2:5 ttl 63 SA")
}

func TestN9HairpinTwoPortsOfOneService(t *testing.T) {
	// One socket towards two published ports that are one service: the answers must stay apart.
	l := newLab(t, hairpin...)
	l.pink.send(tcp("11.11.11.3:5000", "192.0.2.2:8080", seg{flags: "S"}), tcp("11.11.11.3:5000", "192.0.2.2:8081", seg{flags: "S"}))
	l.want(l.br0, "tcp 11.11.11.1:5000 > 11.11.11.2:80 ttl 63 S", "tcp 11.11.11.1:5001 > 11.11.11.2:80 ttl 63 S")
	l.red.send(tcp("11.11.11.2:80", "11.11.11.1:5001", seg{flags: "SA", ack: 1}), tcp("11.11.11.2:80", "11.11.11.1:5000", seg{flags: "SA", ack: 1}))
	l.want(l.br0, "tcp 192.0.2.2:8081 > 11.11.11.3:5000 ttl 63 SA", "tcp 192.0.2.2:8080 > 11.11.11.3:5000 ttl 63 SA")
}

func TestN9TwoPortsWithoutMasquerade(t *testing.T) {
	// The same from another network, where no rule changes the source: the kernel then moves the second one's port.
	l := newLab(t, hairpin...)
	l.blue.send(tcp("22.22.22.2:5000", "192.0.2.2:8080", seg{flags: "S"}), tcp("22.22.22.2:5000", "192.0.2.2:8081", seg{flags: "S"}))
	l.want(l.br0, "tcp 22.22.22.2:5000 > 11.11.11.2:80 ttl 63 S", "tcp 22.22.22.2:5001 > 11.11.11.2:80 ttl 63 S")
	l.red.send(tcp("11.11.11.2:80", "22.22.22.2:5001", seg{flags: "SA", ack: 1}))
	l.want(l.br1, "tcp 192.0.2.2:8081 > 22.22.22.2:5000 ttl 63 SA")
}

func TestN10NoALG(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(tcp("11.11.11.2:5", "8.8.8.8:21", seg{flags: "S"}))
	l.wan.raw()
	l.wan.send(tcp("8.8.8.8:21", "192.0.2.2:5", seg{flags: "SA", ack: 1}))
	l.red.send(tcp("11.11.11.2:5", "8.8.8.8:21", seg{flags: "PA", data: "PORT 11,11,11,2,"}))
	l.want(l.wan, `tcp 192.0.2.2:5 > 8.8.8.8:21 ttl 63 PA "PORT 11,11,11,2,"`)
}

func TestN10Deterministic(t *testing.T) {
	run := func() (all []string) {
		l := newLab(t, masquerade+" --random")
		for range 20 {
			l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
			l.pink.send(udp("11.11.11.3:1818", "8.8.8.8:53", ""))
			l.advance(6 * time.Minute)
		}
		return l.wan.packets()
	}
	if a, b := joined(run()), joined(run()); a != b {
		t.Errorf("two runs differ:\n  %s\nand:\n  %s", a, b)
	}
}

func TestN11ErrorsDoNotKill(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", "q"))
	sent := l.wan.raw()[0]
	for range 3 {
		l.wan.send(icmp("8.8.8.8", "192.0.2.2", 3, 3, 0, sent))
	}
	if n := len(l.br0.packets()); n != 3 {
		t.Errorf("%d errors reached the host, want 3", n)
	}
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:1818", "a"))
	l.want(l.br0, `udp 8.8.8.8:53 > 11.11.11.2:1818 ttl 63 "a"`)
}

func TestN12FragmentsThroughNAT(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", "q"))
	l.wan.raw()
	pieces := cut(udp("8.8.8.8:53", "192.0.2.2:1818", strings.Repeat("x", 3000)), 1000)
	l.wan.send(pieces[3], pieces[1], pieces[0], pieces[2])
	if got := read(t, reassembled(t, l.br0.raw())); got != "udp 8.8.8.8:53 > 11.11.11.2:1818 ttl 63 +3000" {
		t.Error(got)
	}
}

func TestN15TCPIdle(t *testing.T) {
	l := newLab(t, masquerade)
	l.handshake()
	l.advance(24 * time.Hour)
	l.wan.send(tcp("8.8.8.8:80", "192.0.2.2:1818", seg{flags: "PA", seq: 501, ack: 101, window: 1000, data: "good morning"}))
	l.want(l.br0, `tcp 8.8.8.8:80 > 11.11.11.2:1818 ttl 63 PA "good morning"`)
	if c := l.conn(); c.Timeout != 5*24*time.Hour || c.State != "ESTABLISHED" || !c.Assured {
		t.Errorf("an established connection: %+v", c)
	}
	l.advance(5*24*time.Hour - time.Second)
	l.conn()
	l.advance(2 * time.Second)
	if n := len(l.Conns(l.now)); n != 0 {
		t.Errorf("%d connections after five days of silence", n)
	}
}

func TestN15Transitory(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(tcp("11.11.11.2:1818", "8.8.8.8:80", seg{flags: "S"}))
	l.advance(4*time.Minute - time.Second)
	l.conn()
	l.advance(2 * time.Second)
	if n := len(l.Conns(l.now)); n != 0 {
		t.Errorf("%d connections, want none: the SYN was never answered", n)
	}
	l.wan.raw()
	l.handshake()
	l.red.send(tcp("11.11.11.2:1818", "8.8.8.8:80", seg{flags: "FA", seq: 101, ack: 501, window: 1000}))
	if c := l.conn(); c.State != "FIN_WAIT" || c.Timeout != 4*time.Minute {
		t.Errorf("%s for %v, want FIN_WAIT for 4m", c.State, c.Timeout)
	}
}

// handshake opens a connection of RED's to 8.8.8.8:80. RED has sent up to 100, the server up to 500.
func (l *lab) handshake() {
	l.Helper()
	l.red.send(tcp("11.11.11.2:1818", "8.8.8.8:80", seg{flags: "S", seq: 100, window: 1000}))
	l.want(l.wan, "tcp 192.0.2.2:1818 > 8.8.8.8:80 ttl 63 S")
	l.wan.send(tcp("8.8.8.8:80", "192.0.2.2:1818", seg{flags: "SA", seq: 500, ack: 101, window: 1000}))
	l.want(l.br0, "tcp 8.8.8.8:80 > 11.11.11.2:1818 ttl 63 SA")
	l.red.send(tcp("11.11.11.2:1818", "8.8.8.8:80", seg{flags: "A", seq: 101, ack: 501, window: 1000}))
	l.want(l.wan, "tcp 192.0.2.2:1818 > 8.8.8.8:80 ttl 63 A")
}
