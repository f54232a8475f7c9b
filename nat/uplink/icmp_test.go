//go:build linux

package uplink_test

import (
	"os"
	"testing"

	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// bothPings runs a test with ping sockets and with the raw one.
func bothPings(t *testing.T, f func(t *testing.T)) {
	outside(t)
	for name, group := range map[string]string{"ping sockets": "0 2147483647", "raw socket": "1 0"} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte(group), 0); err != nil {
				t.Fatal(err)
			}
			f(t)
		})
	}
}

func TestPing(t *testing.T) {
	bothPings(t, func(t *testing.T) {
		l := newLab(t, uplink.HostConfig{})
		if err := uplink.CheckPing(); err != nil {
			t.Error(err)
		}
		payload := string(randomBytes(1400))
		for _, to := range []string{server, far} {
			for seq := range uint16(3) {
				got := l.hears(t, func() { l.ping(red.String(), to, 7, seq, 64, payload) })
				want := told{to, red.String(), frame.ICMPEchoReply, 0, 7, got.ttl, payload}
				if got != want {
					t.Errorf("%s: heard %+v", to, got)
				}
				// The answer's TTL is the outside's, less the hops that it came by: here the gateway, and wan.
				if want := map[string]uint8{server: 63, far: 62}[to]; got.ttl != want {
					t.Errorf("%s: ttl %d, want %d", to, got.ttl, want)
				}
			}
		}
	})
}

func TestPingOfTwoHostsWithTheSameID(t *testing.T) {
	bothPings(t, func(t *testing.T) {
		l := newLab(t, uplink.HostConfig{})
		for range 3 {
			for _, from := range []string{red.String(), blue.String()} {
				if got := l.hears(t, func() { l.ping(from, server, 9, 1, 64, from) }); got.to != from || got.id != 9 || got.payload != from {
					t.Errorf("%s: heard %+v", from, got)
				}
			}
		}
	})
}

func TestTraceroute(t *testing.T) {
	hops := []string{"11.11.11.1", "198.18.0.1", "198.18.1.2"}
	for name, probe := range map[string]func(*lab, uint8){
		"UDP":  func(l *lab, ttl uint8) { l.probe(red.String(), 33000, far, 33434+uint16(ttl), ttl) },
		"ICMP": func(l *lab, ttl uint8) { l.ping(red.String(), far, 33000, uint16(ttl), ttl, "probe") },
	} {
		t.Run(name, func(t *testing.T) {
			bothPings(t, func(t *testing.T) {
				l := newLab(t, uplink.HostConfig{})
				for i, hop := range hops[:2] {
					got := l.hears(t, func() { probe(l, uint8(i+1)) })
					want := told{hop, red.String(), frame.ICMPTimeExceeded, 0, 33000, got.ttl, red.String() + ">" + far}
					if got != want {
						t.Errorf("hop %d: heard %+v, want %+v", i+1, got, want)
					}
				}
				if got := l.hears(t, func() { probe(l, 3) }); got.from != far || got.id != 33000 {
					t.Errorf("the end: heard %+v", got)
				}
			})
		})
	}
}

func TestPingOfWhatCannotBeReached(t *testing.T) {
	bothPings(t, func(t *testing.T) {
		l := newLab(t, uplink.HostConfig{})
		for to, want := range map[string]told{
			unreachable:       {"198.18.0.1", red.String(), 3, 1, 5, 0, red.String() + ">" + unreachable},
			hostsOwn:          {"11.11.11.1", red.String(), 3, 13, 5, 0, red.String() + ">" + hostsOwn},
			"169.254.169.254": {"11.11.11.1", red.String(), 3, 13, 5, 0, red.String() + ">169.254.169.254"},
		} {
			got := l.hears(t, func() { l.ping(red.String(), to, 5, 1, 64, "") })
			if got.ttl = 0; got != want {
				t.Errorf("%s: heard %+v, want %+v", to, got, want)
			}
		}
	})
}

// TestErrorsOfTheMachine: what the machine's own stack says of what has left, here that nobody answers for an address on its
// network, the gateway says, from its address on the network of who has sent, as a router that is one with the machine.
func TestErrorsOfTheMachine(t *testing.T) {
	bothPings(t, func(t *testing.T) {
		l := newLab(t, uplink.HostConfig{})
		ring := trace.NewRing(1024, 1<<20, 0)
		l.tracer.Attach(ring)
		const nobody = "198.18.0.77"
		port := uint16(40000)
		for name, probe := range map[string]func(){
			"UDP":  func() { l.probe(red.String(), port, nobody, 9, 64) },
			"ICMP": func() { l.ping(red.String(), nobody, port, 1, 64, "hello") },
			"TCP": func() {
				whole := packet(frame.ProtoTCP, red.String(), nobody, syn(port, 80)).Data[frame.EthernetHeader+frame.IPv4Header:]
				l.send(frame.ProtoTCP, 64, red.String(), nobody, whole)
			},
		} {
			got := l.hears(t, func() { port++; probe() })
			if got.id <= 40000 || got.id > port {
				t.Errorf("%s: about %d", name, got.id)
			}
			got.id = 0
			if want := (told{"11.11.11.1", red.String(), frame.ICMPUnreachable, frame.UnreachableHost, 0, 64, red.String() + ">" + nobody}); got != want {
				t.Errorf("%s: heard %+v, want %+v", name, got, want)
			}
		}
		told := 0
		var e trace.Event
		for _, ok := ring.TryNext(&e); ok; _, ok = ring.TryNext(&e) {
			if e.Hook == trace.Ingress {
				t.Errorf("came in, although it has never been outside: %s", e.Text(trace.English))
			}
			if e.Hook == trace.Output && e.Text(trace.English) == "this machine could not deliver it: 11.11.11.2 is told what went wrong" {
				told++
			}
		}
		if told < 3 {
			t.Errorf("the trace tells of %d errors", told)
		}
	})
}

// TestTCPTTL: what is left of a SYN's TTL leaves with it, so that a router on the way answers a probe of traceroute -T; and no other
// connection suffers from that.
func TestTCPTTL(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	port := uint16(33434)
	m := l.hears(t, func() {
		port++
		probe := syn(port, 80)
		whole := packet(frame.ProtoTCP, red.String(), far, probe).Data[frame.EthernetHeader+frame.IPv4Header:]
		l.send(frame.ProtoTCP, 2, red.String(), far, whole)
	})
	if m.from != "198.18.0.1" || m.to != red.String() || m.icmpType != frame.ICMPTimeExceeded || m.id <= 33434 || m.id > port || m.payload != red.String()+">"+far {
		t.Errorf("the inside hears %+v", m)
	}
	serve(t, wanPID, server+":63", echo)
	exchange(t, l.mustDial(t, red, server+":63"), randomBytes(1<<16))
}
