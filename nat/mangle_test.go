package nat_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// mssOf reads the option of a segment, after checking its checksums.
func mssOf(t testing.TB, packet []byte) string {
	t.Helper()
	read(t, packet)
	tcp, _ := frame.ParseTCP(frame.IPv4(packet).Payload())
	options := tcp[frame.TCPHeader:tcp.HeaderLen()]
	for len(options) > 1 && options[0] == 1 {
		options = options[1:]
	}
	if len(options) < 4 || options[0] != 2 {
		return "none"
	}
	return fmt.Sprint(binary.BigEndian.Uint16(options[2:]))
}

// TestTCPMSS: what a SYN offers becomes smaller, never larger, and fits through both interfaces where it is clamped.
func TestTCPMSS(t *testing.T) {
	offers := func(n uint16) []byte { return binary.BigEndian.AppendUint16([]byte{2, 4}, n) }
	odd := append(append([]byte{1}, offers(1460)...), 1, 1, 1)
	for _, c := range []struct {
		name    string
		rules   []string
		segment seg
		want    string
	}{
		{"set", []string{"-t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 1400"}, seg{flags: "S", options: offers(1460)}, "1400"},
		{"at an odd place", []string{"-t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 1400"}, seg{flags: "S", options: odd}, "1400"},
		{"never larger", []string{"-t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 1400"}, seg{flags: "S", options: offers(536)}, "536"},
		{"clamped", []string{"-t mangle -A POSTROUTING -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu"}, seg{flags: "S", options: offers(1460)}, "1240"},
		{"clamped in the table filter", []string{"-A FORWARD -p tcp -j TCPMSS --clamp-mss-to-pmtu"}, seg{flags: "S", options: offers(1460)}, "1240"},
		{"the least of both", []string{"-t mangle -A FORWARD -p tcp -j TCPMSS --clamp-mss-to-pmtu", "-t mangle -A FORWARD -p tcp -j TCPMSS --set-mss 900"},
			seg{flags: "S", options: offers(1460)}, "900"},
		{"before it has a route", []string{"-t mangle -A PREROUTING -p tcp -j TCPMSS --set-mss 900"}, seg{flags: "S", options: offers(1460)}, "900"},
		{"none is there", []string{"-t mangle -A FORWARD -p tcp -j TCPMSS --set-mss 400"}, seg{flags: "S"}, "400"},
		{"none is there, and what that means is less", []string{"-t mangle -A FORWARD -p tcp -j TCPMSS --set-mss 1400"}, seg{flags: "S", options: []byte{1, 1, 1, 1}}, "536"},
		{"none is there, and data follows", []string{"-t mangle -A FORWARD -p tcp -j TCPMSS --set-mss 400"}, seg{flags: "S", data: "early"}, "none"},
		{"another port", []string{"-t mangle -A FORWARD -p tcp --dport 81 -j TCPMSS --set-mss 400"}, seg{flags: "S", options: offers(1460)}, "1460"},
		{"a broken option", []string{"-t mangle -A FORWARD -p tcp -j TCPMSS --set-mss 400"}, seg{flags: "S", options: []byte{3, 0, 2, 4}}, "400"},
	} {
		for _, offload := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, offload), func(t *testing.T) {
				l := newLab(t, c.rules...)
				small := &way{lab: l}
				small.leg = l.add(nat.InterfaceConfig{Name: "small", Addr: prefix("198.51.100.2/24"), MTU: 1280, Uplink: small})
				p := tcp(redPort, "198.51.100.9:80", c.segment)
				f := l.red.frame(p)
				f.Data = append(make([]byte, 0, 2048), f.Data...) // a port's buffer has room behind a frame
				if offload {
					f.Offload = partial(l.red, p).Offload
					copy(f.Data, partial(l.red, p).Data)
				}
				l.br0.inject(f)
				if len(small.frames) != 1 {
					t.Fatalf("%d packets went out", len(small.frames))
				}
				out := small.frames[0]
				out.FinishChecksum()
				if got := mssOf(t, out.Data[frame.EthernetHeader:]); got != c.want {
					t.Errorf("offers %s, want %s", got, c.want)
				}
			})
		}
	}
}

// TestMangle: marks of the table are seen by other tables, and what it drops is gone before it is translated.
func TestMangle(t *testing.T) {
	l := newLab(t, masquerade, "-t mangle -A PREROUTING -p udp --dport 53 -j MARK --set-mark 7", "-A FORWARD -m mark --mark 7 -j DROP",
		"-t mangle -A PREROUTING -p udp --dport 54 -j DROP", "-t mangle -A INPUT -p icmp -j DROP", "-t mangle -A POSTROUTING -p udp --dport 55 -j DROP")
	l.red.send(udp(redPort, "8.8.8.8:53", ""), udp(redPort, "8.8.8.8:54", ""), udp(redPort, "8.8.8.8:55", ""), echo("11.11.11.2", "11.11.11.1", 7, ""))
	l.nothing()
	l.drops(trace.RuleDrop, 4)
	if n := len(l.Conns(l.now)); n != 0 {
		t.Errorf("%d connections of packets that were dropped", n)
	}
	l.red.send(udp(redPort, "8.8.8.8:56", ""))
	l.want(l.wan, "udp 192.0.2.2:1818 > 8.8.8.8:56 ttl 63")
}

// TestStatistic drops as many packets as the rule says, with the gateway's own random numbers.
func TestStatistic(t *testing.T) {
	l := newLab(t, "-A FORWARD -m statistic --mode random --probability 0.25 -j DROP")
	for range 1000 {
		l.red.send(udp(redPort, "8.8.8.8:53", ""))
	}
	if n := l.tracer.Drops(trace.RuleDrop); n < 180 || n > 320 {
		t.Errorf("%d of 1000 packets were dropped, want about 250", n)
	}
}

// TestConnLimit: a host may hold two connections to ssh. What was refused is not counted, and what has ended makes room;
// a fork of the gateway has counted the same.
func TestConnLimit(t *testing.T) {
	l := newLab(t, "-A FORWARD -p tcp --dport 22 -m connlimit --connlimit-above 2 -j DROP")
	syn := func(port int) []byte {
		return tcp(fmt.Sprintf("11.11.11.2:%d", port), "22.22.22.2:22", seg{flags: "S"})
	}
	l.red.send(syn(1), syn(1), syn(2), syn(3), syn(3), tcp("11.11.11.2:9", "22.22.22.2:80", seg{flags: "S"}))
	l.pink.send(tcp("11.11.11.3:1", "22.22.22.2:22", seg{flags: "S"}))
	l.drops(trace.RuleDrop, 2)

	tracer := new(trace.Tracer)
	fork := l.Fork(nat.ForkConfig{Tracer: tracer, Random: rand.New(rand.NewPCG(1, 2)), Now: l.now,
		Segment: func(*nat.Interface) nat.Segment { return l.br1 }, Uplink: func(*nat.Interface) nat.Uplink { return l.wan }})
	on, _ := fork.Interface("br0")
	on.Input(l.red.frame(syn(3)), tracer.Begin(l.now), l.now)
	if tracer.Drops(trace.RuleDrop) != 1 {
		t.Error("the fork has counted otherwise")
	}

	l.blue.send(tcp("22.22.22.2:22", "11.11.11.2:1", seg{flags: "RA", ack: 1}))
	l.red.send(syn(3))
	l.drops(trace.RuleDrop, 2)
	l.red.send(syn(4))
	l.drops(trace.RuleDrop, 3)
}

// TestRecentByTTL: --rttl compares what a packet had before it was forwarded.
func TestRecentByTTL(t *testing.T) {
	l := newLab(t, "-A INPUT -m recent --name a --set", "-A FORWARD -m recent --name a --rcheck --rttl -j DROP")
	l.red.send(echo("11.11.11.2", "11.11.11.1", 7, ""), udp(redPort, "8.8.8.8:53", ""), withTTL(udp(redPort, "8.8.8.8:53", ""), 60))
	l.drops(trace.RuleDrop, 1)
}

// TestMSSIsTold names the rule and both sizes.
func TestMSSIsTold(t *testing.T) {
	l := newLab(t, masquerade, "-t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 1400")
	l.listen()
	l.red.send(tcp(redPort, server, seg{flags: "S", options: []byte{2, 4, 0x05, 0xb4}}))
	var e trace.Event
	for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
		if e.Note == trace.MSSLimited {
			if want := "TCPMSS: segments of 1460 bytes at most become 1400; by -A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN " +
				"-j TCPMSS --set-mss 1400"; e.Text(trace.English) != want || e.Hook != trace.Forward {
				t.Errorf("%v: %s, want %s", e.Hook, e.Text(trace.English), want)
			}
			return
		}
	}
	t.Error("it is not told")
}
