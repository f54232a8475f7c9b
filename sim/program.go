package sim

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
)

// NewProgram returns what a program on the gateway is to the rest of the lab: a Machine whose packets begin their journey there, by the
// gateway's routes and its OUTPUT chain, and which gets what comes for its sockets. The gateway may be one that others use.
func NewProgram(s Scheduler, random *rand.Rand, g *nat.Gateway) *Machine {
	p := &program{time: s, gateway: g, open: map[bound]func(){}}
	p.machine = newMachine(s, random, p)
	p.machine.lastPort = uint16(firstPort + random.IntN(lastPort-firstPort))
	return p.machine
}

// program is the network of such a Machine.
type program struct {
	time    Scheduler
	gateway *nat.Gateway
	machine *Machine
	open    map[bound]func() // sockets of the gateway, and how to close them
}

// bound is a socket of the gateway.
type bound struct {
	proto uint8
	port  uint16
}

func (p *program) owns(a netip.Addr) bool {
	own, ok := p.gateway.Source(a)
	return ok && own == a
}

func (p *program) source(t frame.Tuple) (way, error) {
	src, ok := p.gateway.Source(t.Dst())
	if !ok {
		return way{}, ErrNoRoute
	}
	if given := t.Src(); !given.IsUnspecified() {
		src = given
	}
	w := way{src: src, mtu: 1500}
	for _, i := range p.gateway.Interfaces() {
		if i.Addr().Addr() == src {
			w.mtu = i.MTU()
		}
	}
	return w, nil
}

func (p *program) transmit(b []byte) {
	ip := frame.IP(b[frame.EthernetHeader:])
	if t, ok := ip.Tuple(); ok {
		key := bound{t.Proto, t.SrcPort}
		if p.open[key] == nil {
			if release, err := p.gateway.Open(key.proto, key.port, p); err == nil { // else it has somebody else's, and hears nothing
				p.open[key] = release
			}
		}
	}
	p.time.After(0, func() { p.gateway.Originate(frame.Frame{Data: b}, p.time.Now()) })
}

// Deliver implements nat.Socket. It is called from any goroutine.
func (p *program) Deliver(f frame.Frame, _ time.Time) {
	b := append([]byte(nil), f.Data[frame.EthernetHeader:]...)
	p.time.After(0, func() { p.machine.input(b, false) })
}

// Leave closes the sockets that a program of the gateway has opened.
func (m *Machine) Leave() {
	if p, ok := m.net.(*program); ok {
		for key, release := range p.open {
			release()
			delete(p.open, key)
		}
	}
}
