package sim

import (
	"net/netip"
	"time"

	"uswitch/arp"
	"uswitch/switch/frame"
)

// Card is a host's network card: it speaks Ethernet and ARP, with a neighbour table of its own. It belongs to its host's
// goroutine.
type Card struct {
	host      *Host
	time      Scheduler
	name      string
	network   string // the switch and its port that the cable leads to
	port      string
	mtu       int
	self      arp.Self
	neighbors *arp.Cache[[]byte] // what waits are packets with room for the Ethernet header
	wire      *Wire
	due       time.Time // when timer will look after the neighbours
	timer     *Timer
	asked     map[netip.Addr]func(frame.MAC) // see Ask

	// What only the cards of hosts have that were made from a state; see CardState.
	more                                     []netip.Prefix
	taken                                    string
	loose, forwards, noARP, noAsking         bool // loose: its cable is out
	rpFilter, arpIgnore, arpFilter, announce int
	proxyARP                                 bool
	proxied                                  []netip.Addr
}

// Name returns the card's name inside the host: eth0.
func (c *Card) Name() string { return c.name }

// MAC returns the hardware address.
func (c *Card) MAC() frame.MAC { return c.self.MAC }

// Addr returns the address with the network's prefix.
func (c *Card) Addr() netip.Prefix { return c.self.Addr }

// Wire returns the cable in the card.
func (c *Card) Wire() *Wire { return c.wire }

// input takes a frame from the wire, as its own.
func (c *Card) input(f frame.Frame) {
	e, ok := frame.ParseEthernet(f.Data)
	switch {
	case !ok:
		return
	case e.Dst() != c.self.MAC && !e.Dst().IsGroup(): // meant for somebody else
		if ip, err := frame.ParseIPv4(e.Payload()); err == nil && e.Type() == frame.TypeIPv4 {
			c.host.tell(Step{Kind: StepArrive, Card: c.name, Packet: ip, MAC: e.Dst(), Drop: DropOtherMAC})
		}
		return
	}
	switch e.Type() {
	case frame.TypeARP:
		c.inputARP(e)
	case frame.TypeIPv4:
		c.host.arrive(c, e.Payload(), e.Dst().IsGroup())
	}
}

// Send puts any frame onto the wire, as a raw socket does.
func (c *Card) Send(b []byte) {
	_ = c.wire.Send(frame.Frame{Data: b}) // a cable that is down loses it: the sender hears nothing of it either way
}

func (c *Card) sendTo(b []byte, to frame.MAC) {
	frame.Ethernet(b).SetHeader(to, c.self.MAC, frame.TypeIPv4)
	c.Send(b)
}

// wake makes sure that tick is called at t or before.
func (c *Card) wake(t time.Time) {
	if !c.due.IsZero() && !t.Before(c.due) {
		return
	}
	c.timer.Stop()
	c.due, c.timer = t, c.time.After(t.Sub(c.time.Now()), c.tick)
}

// tick asks again, and gives up. Who waited in vain is told by the host itself, as Linux does it.
func (c *Card) tick() {
	c.due = time.Time{}
	actions, next := c.neighbors.Tick(c.time.Now())
	for _, a := range actions {
		if !a.GaveUp {
			c.ask(a.To, a.Addr, netip.Addr{})
		}
		for _, b := range a.Held {
			c.unreachable(frame.IPv4(b[frame.EthernetHeader:]))
		}
	}
	if !next.IsZero() {
		c.wake(next)
	}
}

// unreachable tells the host's own programs that a neighbour does not answer.
func (c *Card) unreachable(ip frame.IPv4) {
	if m, ok := frame.ParseICMP(ip.Payload()); ip.Proto() == frame.ProtoICMP && (!ok || !m.IsQuery()) {
		return
	}
	if !c.host.owns(ip.Src()) { // a router tells the sender
		c.host.sendError(ip, false, frame.ICMPUnreachable, frame.UnreachableHost, 0)
		return
	}
	m := frame.ICMPError{Type: frame.ICMPUnreachable, Code: frame.UnreachableHost}.Append(nil, ip)
	c.host.inputError(c.self.Addr.Addr(), m)
}
