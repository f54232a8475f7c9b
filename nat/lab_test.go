package nat_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// lab is a gateway between two networks and the outside:
//
//	RED 11.11.11.2, PINK 11.11.11.3 --- br0 11.11.11.1 -+
//	                                                    gateway --- uplink 192.0.2.2/24, default route
//	BLUE 22.22.22.2 ------------------- br1 22.22.22.1 -+
type lab struct {
	testing.TB
	*nat.Gateway
	tables   *rule.Tables
	tracer   *trace.Tracer
	ring     *trace.Ring
	now      time.Time
	br0, br1 *wire
	wan      *way
	red      host
	pink     host
	blue     host
}

var (
	epoch      = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	gatewayMAC = frame.MAC{2, 0, 0, 0, 0, 1}
)

// masquerade is the rule that every network gets unless it says otherwise.
const masquerade = "-t nat -A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE"

func newLab(t testing.TB, rules ...string) *lab { return newLabWith(t, nat.Config{}, rules...) }

// newLabWith makes a lab whose gateway has the optional fields of c.
func newLabWith(t testing.TB, c nat.Config, rules ...string) *lab {
	t.Helper()
	l := &lab{TB: t, tables: rule.NewTables(rule.IPv4), tracer: new(trace.Tracer), now: epoch}
	c.Tracer, c.Epoch, c.Rules, c.Random = l.tracer, epoch, l.tables, rand.New(rand.NewPCG(1, 2))
	l.Gateway = nat.New(c)
	l.br0, l.br1, l.wan = l.network("br0", "11.11.11.1/24"), l.network("br1", "22.22.22.1/24"), &way{lab: l}
	l.wan.leg = l.add(nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: l.wan})
	if err := l.AddRoute(netip.MustParsePrefix("0.0.0.0/0"), netip.Addr{}, l.wan.leg); err != nil {
		t.Fatal(err)
	}
	l.rule(rules...)
	l.red, l.pink, l.blue = l.br0.host("11.11.11.2", 2), l.br0.host("11.11.11.3", 3), l.br1.host("22.22.22.2", 4)
	l.Tick(l.now)
	l.advance(2 * time.Second) // the announcements are over
	l.br0.frames, l.br1.frames = nil, nil
	return l
}

func (l *lab) add(c nat.InterfaceConfig) *nat.Interface {
	l.Helper()
	leg, err := l.Add(c, l.now)
	if err != nil {
		l.Fatal(err)
	}
	return leg
}

func (l *lab) rule(lines ...string) {
	l.Helper()
	if err := l.tables.Apply(lines); err != nil {
		l.Fatal(err)
	}
}

// advance lets time pass, and the gateway do what becomes due on the way.
func (l *lab) advance(d time.Duration) {
	l.Helper()
	end := l.now.Add(d)
	for {
		due := l.Deadline()
		if due.IsZero() || due.After(end) {
			break
		}
		if due.After(l.now) {
			l.now = due
		}
		l.Tick(l.now)
	}
	l.now = end
}

// listen attaches a ring, so that events can be asked for.
func (l *lab) listen() {
	l.ring = trace.NewRing(1<<9, 1<<18, 0)
	l.tracer.Attach(l.ring)
}

// drops fails the test unless exactly so many packets were dropped for that reason so far.
func (l *lab) drops(r trace.Reason, want uint64) {
	l.Helper()
	if got := l.tracer.Drops(r); got != want {
		l.Errorf("%d packets were dropped because of %v, want %d", got, r, want)
	}
}

// conn returns the only connection.
func (l *lab) conn() nat.Conn {
	l.Helper()
	all := l.Conns(l.now)
	if len(all) != 1 {
		l.Fatalf("%d connections, want 1: %+v", len(all), all)
	}
	return all[0]
}

// wire is a network: it keeps what the gateway sends. Its hosts answer ARP at once.
type wire struct {
	lab    *lab
	leg    *nat.Interface
	hosts  []host
	frames []frame.Frame
}

func (l *lab) network(name, addr string) *wire {
	w := &wire{lab: l}
	w.leg = l.add(nat.InterfaceConfig{Name: name, Addr: netip.MustParsePrefix(addr), MAC: gatewayMAC, Segment: w})
	return w
}

func (w *wire) Output(f frame.Frame, j *trace.Journey, now time.Time) {
	w.frames = append(w.frames, f.Clone())
	a, ok := frame.ParseARP(f.Data[frame.EthernetHeader:])
	if !ok || a.Op() != frame.ARPRequest {
		return
	}
	for _, h := range w.hosts {
		if h.addr == a.TargetIP() {
			h.arp(frame.ARPReply, gatewayMAC)
		}
	}
}

// inject lets a frame arrive at the gateway. The gateway gets a copy.
func (w *wire) inject(f frame.Frame) {
	f = f.Clone()
	j := w.lab.tracer.Begin(w.lab.now)
	w.leg.Input(f, j, w.lab.now)
	j.End()
	for i := range f.Data {
		f.Data[i] = 0xee // whoever kept borrowed bytes will be found out
	}
}

// packets returns the IP packets that the gateway has sent since the last call, each in one line.
func (w *wire) packets() (lines []string) {
	w.lab.Helper()
	for _, p := range w.raw() {
		lines = append(lines, read(w.lab, p))
	}
	return lines
}

// raw returns their bytes, without Ethernet header.
func (w *wire) raw() (all [][]byte) {
	for _, f := range w.frames {
		if e := frame.Ethernet(f.Data); e.Type() == frame.TypeIPv4 {
			all = append(all, e.Payload())
		}
	}
	w.frames = nil
	return all
}

// arps returns the ARP packets that the gateway has sent since the last call.
func (w *wire) arps() (all []frame.ARP) {
	for _, f := range w.frames {
		if a, ok := frame.ParseARP(f.Data[frame.EthernetHeader:]); ok {
			all = append(all, a)
		}
	}
	w.frames = slices.DeleteFunc(w.frames, func(f frame.Frame) bool { return frame.Ethernet(f.Data).Type() == frame.TypeARP })
	return all
}

// host is a station on a network.
type host struct {
	*wire
	addr netip.Addr
	mac  frame.MAC
}

// host makes a station and lets the gateway know it.
func (w *wire) host(addr string, n byte) host {
	h := host{w, ip4(addr), frame.MAC{2, 0, 0, 0, 1, n}}
	w.hosts = append(w.hosts, h)
	h.arp(frame.ARPRequest, frame.MAC{})
	return h
}

// arp sends an ARP packet to the gateway.
func (h host) arp(op uint16, target frame.MAC) {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(b).SetHeader(gatewayMAC, h.mac, frame.TypeARP)
	frame.PutARP(b[frame.EthernetHeader:], op, h.mac, h.addr, target, h.leg.Addr().Addr())
	h.inject(frame.Frame{Data: b})
}

// frame addresses a packet to the gateway.
func (h host) frame(packet []byte) frame.Frame {
	b := append(make([]byte, frame.EthernetHeader), packet...)
	frame.Ethernet(b).SetHeader(gatewayMAC, h.mac, frame.TypeIPv4)
	return frame.Frame{Data: b, Source: uint64(h.mac[5])} // as a switch with a port for each host has it
}

func (h host) send(packets ...[]byte) {
	for _, p := range packets {
		h.inject(h.frame(p))
	}
}

// way is the outside: it keeps what leaves.
type way struct {
	lab    *lab
	leg    *nat.Interface
	frames []frame.Frame
	refuse trace.Reason // instead of taking a packet
}

func (w *way) Output(f frame.Frame, now time.Time) trace.Reason {
	if w.refuse == trace.NoReason {
		w.frames = append(w.frames, f.Clone())
	}
	return w.refuse
}

// send lets packets arrive from outside.
func (w *way) send(packets ...[]byte) {
	for _, p := range packets {
		f := frame.Frame{Data: append(make([]byte, frame.EthernetHeader), p...)}
		w.lab.InputUplink(w.leg, f, w.lab.now)
		for i := range f.Data {
			f.Data[i] = 0xee
		}
	}
}

func (w *way) packets() (lines []string) {
	w.lab.Helper()
	for _, p := range w.raw() {
		lines = append(lines, read(w.lab, p))
	}
	return lines
}

func (w *way) raw() (all [][]byte) {
	for _, f := range w.frames {
		all = append(all, f.Data[frame.EthernetHeader:])
	}
	w.frames = nil
	return all
}

// sees is where packets come out: a network or the outside.
type sees interface{ packets() []string }

// want fails the test unless exactly these packets have come out there since it was last asked.
func (l *lab) want(at sees, lines ...string) {
	l.Helper()
	if got := at.packets(); !slices.Equal(got, lines) {
		l.Errorf("came out:\n  %s\nwant:\n  %s", joined(got), joined(lines))
	}
}

// nothing fails the test if any packet came out anywhere.
func (l *lab) nothing() {
	l.Helper()
	l.want(l.br0)
	l.want(l.br1)
	l.want(l.wan)
}
