package nat_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// sink is a network and an uplink that forgets.
type sink struct{ packets int }

func (s *sink) Output(frame.Frame, *trace.Journey, time.Time) { s.packets++ }

type sinkUplink struct{ packets int }

func (s *sinkUplink) Output(frame.Frame, time.Time) trace.Reason {
	s.packets++
	return trace.NoReason
}

// established is a gateway with rules as a lab has them, and a packet of a connection that is under way on each of the
// paths: between networks, out through MASQUERADE, and back.
type established struct {
	gateway            *nat.Gateway
	tracer             *trace.Tracer
	br0, uplink        *nat.Interface
	routed, out, reply []byte
	six                [3][]byte // the same in IPv6
	net                sink
	way                sinkUplink
	buffer             []byte
}

func newEstablished(t testing.TB) *established {
	e := &established{tracer: new(trace.Tracer), buffer: make([]byte, 2048)}
	tables := rule.NewTables(rule.IPv4)
	err := tables.Apply([]string{"-P FORWARD DROP", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"-A FORWARD -i br0 -j ACCEPT", masquerade})
	if err != nil {
		t.Fatal(err)
	}
	tables6 := rule.NewTables(rule.IPv6)
	err = tables6.Apply([]string{"-P FORWARD DROP", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"-A FORWARD -i br0 -j ACCEPT", "-t nat -A POSTROUTING -s fd00:1::/64 ! -o br0 -j MASQUERADE"})
	if err != nil {
		t.Fatal(err)
	}
	e.gateway = nat.New(nat.Config{Tracer: e.tracer, Epoch: epoch, Rules: tables, Rules6: tables6, Random: rand.New(rand.NewPCG(1, 2))})
	add := func(c nat.InterfaceConfig) *nat.Interface {
		i, err := e.gateway.Add(c, epoch)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	e.br0 = add(nat.InterfaceConfig{Name: "br0", Addr: prefix("11.11.11.1/24"), MAC: gatewayMAC, Segment: &e.net,
		V6: []netip.Prefix{prefix("fd00:1::1/64")}})
	br1 := add(nat.InterfaceConfig{Name: "br1", Addr: prefix("22.22.22.1/24"), MAC: gatewayMAC, Segment: &e.net,
		V6: []netip.Prefix{prefix("fd00:2::1/64")}})
	e.uplink = add(nat.InterfaceConfig{Name: "uplink", Addr: prefix("192.0.2.2/24"), Uplink: &e.way,
		V6: []netip.Prefix{prefix("2001:db8::2/64")}})
	for _, all := range []netip.Prefix{defaultRoute, prefix("::/0")} {
		if err := e.gateway.AddRoute(all, netip.Addr{}, e.uplink); err != nil {
			t.Fatal(err)
		}
	}
	host{&wire{leg: e.br0}, ip4("11.11.11.2"), frame.MAC{2, 0, 0, 0, 1, 2}}.know(e)
	host{&wire{leg: br1}, ip4("22.22.22.2"), frame.MAC{2, 0, 0, 0, 1, 4}}.know(e)
	h := host{mac: frame.MAC{2, 0, 0, 0, 1, 2}}
	e.routed = h.frame(udp(redPort, "22.22.22.2:53", "data")).Data
	e.out = h.frame(udp(redPort, "8.8.8.8:53", "data")).Data
	e.reply = h.frame(udp("8.8.8.8:53", redAsSeen, "data")).Data
	e.input(e.routed)
	e.input(e.out)
	e.inputUplink(e.reply)
	e.begin6(br1)
	if e.net.packets < 2 || e.way.packets != 2 {
		t.Fatalf("%d packets reached the networks and %d the uplink", e.net.packets, e.way.packets)
	}
	return e
}

// begin6 begins the same connections in IPv6.
func (e *established) begin6(br1 *nat.Interface) {
	red := host6{host{&wire{leg: e.br0}, ip4("11.11.11.2"), frame.MAC{2, 0, 0, 0, 1, 2}}, ip6("fd00:1::2")}
	e.gateway.Interfaces()[0].SetNeighbor(red.addr, red.mac, epoch)
	br1.SetNeighbor(ip6("fd00:2::2"), frame.MAC{2, 0, 0, 0, 1, 4}, epoch)
	for n, p := range []frame.IPv6{udp6("fd00:1::2", "fd00:2::2", 4000, 53, 4), udp6("fd00:1::2", "2001:db8:9::9", 4000, 53, 4),
		udp6("2001:db8:9::9", "2001:db8::2", 53, 4000, 4)} {
		e.six[n] = red.frame(p).Data
		frame.Ethernet(e.six[n]).SetHeader(gatewayMAC, red.mac, frame.TypeIPv6)
	}
	e.input(e.six[0])
	e.input(e.six[1])
	e.inputUplink(e.six[2])
}

// know lets the gateway learn a neighbour.
func (h host) know(e *established) {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(b).SetHeader(gatewayMAC, h.mac, frame.TypeARP)
	frame.PutARP(b[frame.EthernetHeader:], frame.ARPRequest, h.mac, h.addr, frame.MAC{}, h.leg.Addr().Addr())
	h.leg.Input(frame.Frame{Data: b}, nil, epoch)
}

func (e *established) input(b []byte) {
	f := frame.Frame{Data: e.buffer[:copy(e.buffer, b)]}
	j := e.tracer.Begin(epoch)
	e.br0.Input(f, j, epoch)
	j.End()
}

func (e *established) inputUplink(b []byte) {
	e.gateway.InputUplink(e.uplink, frame.Frame{Data: e.buffer[:copy(e.buffer, b)]}, epoch)
}

// paths are the ways of a packet that is neither the first nor the last.
func (e *established) paths() map[string]func() {
	return map[string]func(){
		"routed":            func() { e.input(e.routed) },
		"translated":        func() { e.input(e.out) },
		"translated answer": func() { e.inputUplink(e.reply) },

		"IPv6 routed":            func() { e.input(e.six[0]) },
		"IPv6 translated":        func() { e.input(e.six[1]) },
		"IPv6 translated answer": func() { e.inputUplink(e.six[2]) },
	}
}

func TestEstablishedPathsDoNotAllocate(t *testing.T) {
	for _, listening := range []bool{false, true} {
		e := newEstablished(t)
		if listening {
			e.tracer.Attach(trace.NewRing(1024, 1<<20, 0))
		}
		for name, path := range e.paths() {
			before := e.net.packets + e.way.packets
			if n := testing.AllocsPerRun(1000, path); n != 0 {
				t.Errorf("%s, with a ring: %v: %v allocations a packet", name, listening, n)
			}
			if got := e.net.packets + e.way.packets - before; got != 1001 {
				t.Errorf("%s: %d of 1001 packets came out", name, got)
			}
		}
	}
}

func BenchmarkGateway(b *testing.B) {
	for _, listening := range []bool{false, true} {
		e := newEstablished(b)
		suffix := ""
		if listening {
			e.tracer.Attach(trace.NewRing(1024, 1<<20, 0))
			suffix = "+ring"
		}
		for _, name := range []string{"routed", "translated", "translated answer"} {
			path := e.paths()[name]
			b.Run(name+suffix, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					path()
				}
			})
		}
	}
}
