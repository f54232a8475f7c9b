package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"uswitch/arp"
	"uswitch/nat"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/vxlan"
)

// Origin is a lab, real or simulated, from which a world can go on by itself.
type Origin struct {
	Now      time.Time // on the lab's clock
	Switches []*vswitch.Switch
	Gateway  *nat.Gateway
	Hosts    []HostState
	// Outside returns what stands behind an uplink of the gateway's in the new world. It is called for interfaces that take IP
	// packets, and for those on a network that is none of Switches.
	Outside func(iface *nat.Interface, c *Clock, random *rand.Rand) (Outside, error)
}

// Outside is what can stand behind an uplink: an Internet, or Anywhere.
type Outside interface {
	nat.Uplink
	// Connect tells where answers go: into this interface of this gateway.
	Connect(g *nat.Gateway, uplink *nat.Interface)
	// Client returns somebody outside who can be told to ask.
	Client() *Machine
}

// Fork builds a world that begins where the lab is now: forks of its switches and its gateway, and hosts like its hosts.
// The lab itself does not notice. Frames that are under way do not come along.
func Fork(o Origin) (*World, error) {
	w := &World{clock: NewClock(o.Now), tracer: new(trace.Tracer)}
	wires, patches := map[[2]string]*Wire{}, map[*vswitch.Port]vswitch.Link{}
	w.underlay = &Underlay{time: w.clock, ends: map[netip.AddrPort]func(Carried){}, beyond: true}
	ends := map[netip.AddrPort]*vxlan.Endpoint{}
	for _, s := range o.Switches {
		twin, err := w.forkSwitch(s, wires, patches, ends)
		if err != nil {
			return nil, err
		}
		w.switches = append(w.switches, twin)
	}
	if err := w.forkGateway(o); err != nil {
		return nil, err
	}
	for _, s := range o.Hosts {
		if err := w.forkHost(s, wires); err != nil {
			return nil, fmt.Errorf("host %s: %w", s.Name, err)
		}
	}
	return w, nil
}

// random returns a new stream of random numbers. Everything that throws dice has its own, so that a loss on one cable
// changes nothing on another.
func (w *World) random() *rand.Rand {
	w.streams++
	return rand.New(rand.NewPCG(0, w.streams))
}

// forkSwitch plugs every port of a switch's twin into a wire, whose other end is loose, into the twin of the cable that leads to another
// switch, or into the twin of its tunnel: those of the lab reach each other.
func (w *World) forkSwitch(s *vswitch.Switch, wires map[[2]string]*Wire, patches map[*vswitch.Port]vswitch.Link, ends map[netip.AddrPort]*vxlan.Endpoint) (*vswitch.Switch, error) {
	twin := s.Fork(w.tracer, func(p *vswitch.Port) vswitch.Link {
		if l, ok := p.Link().(*vxlan.Link); ok {
			return l.Fork(w.forkEnd(l.Endpoint, ends))
		}
		if other, ok := vswitch.PatchedTo(p); ok {
			end, there := patches[p]
			if !there {
				end, patches[other] = vswitch.NewPatch()
			}
			return end
		}
		wire := NewWire(w.clock, w.random(), WireConfig{Latency: DefaultLatency})
		wires[[2]string{s.Name(), p.Name()}] = wire
		return wire
	})
	for _, p := range twin.Ports() {
		switch l := p.Link().(type) {
		case *vxlan.Link:
			if err := l.Push(func(f frame.Frame, _ time.Time) { twin.Input(p, f, w.clock.Now()) }); err != nil {
				return nil, err
			}
		case *Wire:
			l.PlugPort(func(f frame.Frame) { twin.Input(p, f, w.clock.Now()) })
		}
	}
	return twin, nil
}

// forkEnd returns the twin of where packets arrive for a machine that the lab is, or plays.
func (w *World) forkEnd(of *vxlan.Endpoint, ends map[netip.AddrPort]*vxlan.Endpoint) *vxlan.Endpoint {
	at := of.Local()
	e := ends[at]
	if e == nil {
		e = vxlan.NewEndpoint(vxlan.EndpointConfig{Local: at, Socket: forkedSocket{w.underlay.Socket(at), of}, Tracer: w.tracer})
		ends[at] = e
		w.underlay.Open(at, func(c Carried) {
			e.Input(vxlan.Arrival{Data: c.Data, Size: c.Size, From: c.From, TTL: vxlan.DefaultTTL, TOS: c.TOS}, w.clock.Now())
			e.Flush(w.clock.Now())
		})
	}
	return e
}

// forkedSocket sends in the copy of a lab, and says of a flow what the lab itself would.
type forkedSocket struct {
	UnderlaySocket
	of *vxlan.Endpoint
}

// Source implements vxlan.Socket.
func (s forkedSocket) Source(flow uint32) netip.AddrPort { return s.of.Source(flow) }

// Plays reports whether the world is the machine with that address, or plays it: where a tunnel leads elsewhere nobody knows what becomes
// of what it carries.
func (w *World) Plays(at netip.AddrPort) bool { return w.underlay.ends[at] != nil }

func (w *World) forkGateway(o Origin) (err error) {
	outsides, cables := map[string]Outside{}, map[string]*cable{}
	outside := func(i *nat.Interface) Outside {
		made, failed := o.Outside(i, w.clock, w.random())
		if failed != nil {
			err = fmt.Errorf("uplink %s: %w", i.Name(), failed)
			return nowhere{}
		}
		outsides[i.Name()], w.outside = made, made
		return made
	}
	w.gateway = o.Gateway.Fork(nat.ForkConfig{Tracer: w.tracer, Random: w.random(), Now: o.Now,
		Segment: func(i *nat.Interface) nat.Segment {
			if s, ok := w.Switch(i.Name()); ok {
				return s
			}
			c := &cable{outside: outside(i), tracer: w.tracer, clock: w.clock}
			cables[i.Name()] = c
			return c
		},
		Uplink: func(i *nat.Interface) nat.Uplink { return outside(i) },
	})
	for _, i := range w.gateway.Interfaces() {
		if s, ok := w.Switch(i.Name()); ok {
			s.SetLocal(i.MAC(), i)
		}
		if made := outsides[i.Name()]; made != nil {
			made.Connect(w.gateway, i)
		}
		if c := cables[i.Name()]; c != nil {
			c.iface = i
		}
	}
	for i, s := range o.Switches {
		if s.Filtered() {
			w.switches[i].SetFilter(w.gateway.Bridge(s.Name(), w.switches[i]))
		}
	}
	return err
}

func (w *World) forkHost(s HostState, wires map[[2]string]*Wire) error {
	h := NewHost(w.clock, w.random(), s.Name)
	for _, c := range s.NICs {
		wire := wires[[2]string{c.Network, c.Port}]
		if wire == nil {
			wire = NewWire(w.clock, w.random(), WireConfig{})
		}
		nic, err := h.addNIC(c.MAC, c.Addr, c.MTU, wire)
		if err != nil {
			return err
		}
		nic.name, nic.network, nic.port = c.Name, c.Network, c.Port
		nic.more, nic.taken, nic.forwards, nic.noARP, nic.noAsking = c.More, c.Taken, c.Forwards, c.NoARP, c.NoAsking
		nic.rpFilter, nic.arpIgnore, nic.arpFilter, nic.announce = c.RPFilter, c.ARPIgnore, c.ARPFilter, c.Announce
		nic.proxyARP, nic.proxied, nic.loose = c.ProxyARP, c.Proxied, c.Port == ""
		if c.IPv6 {
			nic.restore6(c.Addrs6)
		}
		nic.neighbors = arp.Restore[[]byte](c.Neighbors, w.clock.Now())
		wire.SetUp(!c.Down)
	}
	w.hosts = append(w.hosts, h)
	return h.restore(s)
}

// Client returns somebody outside who can be told to ask, or nil if the lab has no way out.
func (w *World) Client() *Machine {
	if w.outside == nil {
		return nil
	}
	return w.outside.Client()
}

// nowhere is an Outside that takes nothing.
type nowhere struct{}

func (nowhere) Output(frame.Frame, time.Time) trace.Reason { return trace.NoUplink }
func (nowhere) Connect(*nat.Gateway, *nat.Interface)       {}
func (nowhere) Client() *Machine                           { return nil }

// Addr returns the first address of a machine on a cable, or the invalid one.
func (h *Host) Addr() netip.Addr {
	for _, c := range h.nics {
		if c.self.Addr.IsValid() {
			return c.self.Addr.Addr()
		}
	}
	return netip.Addr{}
}

// cable puts an Outside behind an interface of the gateway that speaks Ethernet, as the uplink into a namespace does: whoever is
// asked for by ARP is there.
type cable struct {
	outside Outside
	tracer  *trace.Tracer
	clock   *Clock
	iface   *nat.Interface
}

// nextHopMAC is who answers for everybody out there.
var nextHopMAC = frame.MAC{0x02, 0x00, 0x5e, 0x00, 0x53, 0x01}

// Output implements nat.Segment.
func (c *cable) Output(f frame.Frame, j *trace.Journey, now time.Time) {
	e, ok := frame.ParseEthernet(f.Data)
	if !ok {
		return
	}
	switch e.Type() {
	case frame.TypeARP:
		if a, ok := frame.ParseARP(e.Payload()); ok && a.Op() == frame.ARPRequest && !a.IsAnnouncement() && !a.IsProbe() {
			c.answer(a.SenderMAC(), a)
		}
	case frame.TypeIPv4:
		event := trace.Event{Hook: trace.Egress, Verdict: trace.Accept, Note: trace.UplinkSent, Where: c.iface.Name(), Frame: f}
		if r := c.outside.Output(f, now); r != trace.NoReason {
			event.Verdict, event.Note, event.Reason = trace.Drop, trace.NoNote, r
			j = c.tracer.Drop(r, j)
		}
		if j.On() {
			j.Emit(event)
		}
	}
}

func (c *cable) answer(to frame.MAC, a frame.ARP) {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(b).SetHeader(to, nextHopMAC, frame.TypeARP)
	frame.PutARP(b[frame.EthernetHeader:], frame.ARPReply, nextHopMAC, a.TargetIP(), to, a.SenderIP())
	c.clock.After(DefaultLatency, func() {
		j := c.tracer.Begin(c.clock.Now())
		defer j.End()
		c.iface.Input(frame.Frame{Data: b}, j, c.clock.Now())
	})
}
