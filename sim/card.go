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
	if !ok || e.Dst() != c.self.MAC && !e.Dst().IsGroup() {
		return // flooded to everybody, meant for somebody else
	}
	switch e.Type() {
	case frame.TypeARP:
		c.inputARP(e)
	case frame.TypeIPv4:
		c.host.input(e.Payload(), e.Dst().IsGroup())
	}
}

// inputARP answers for the card's own address, learns, and sends what has waited for the sender.
func (c *Card) inputARP(e frame.Ethernet) {
	out := c.neighbors.Input(e.Payload(), e.Src(), c.self, c.time.Now())
	if out.Case == arp.Bad {
		return
	}
	a, _ := frame.ParseARP(e.Payload())
	if heard := c.asked[a.SenderIP()]; heard != nil && a.Op() == frame.ARPReply {
		heard(a.SenderMAC())
	}
	switch {
	case out.Case == arp.Asked || out.Case == arp.Probed:
		c.sendARP(frame.ARPReply, e.Src(), a.SenderMAC(), a.SenderIP())
	case out.Case == arp.Conflict && out.Defend:
		c.Announce()
	}
	for _, b := range out.Held {
		c.sendTo(b, a.SenderMAC())
	}
}

// Announce tells everyone whose address this is (gratuitous ARP, RFC 5227 2.3).
func (c *Card) Announce() {
	c.sendARP(frame.ARPRequest, frame.Broadcast, frame.MAC{}, c.self.Addr.Addr())
}

func (c *Card) sendARP(op uint16, to, target frame.MAC, addr netip.Addr) {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.PutARP(b[frame.EthernetHeader:], op, c.self.MAC, c.self.Addr.Addr(), target, addr)
	frame.Ethernet(b).SetHeader(to, c.self.MAC, frame.TypeARP)
	c.Send(b)
}

// Send puts any frame onto the wire, as a raw socket does.
func (c *Card) Send(b []byte) {
	_ = c.wire.Send(frame.Frame{Data: b}) // a cable that is down loses it: the sender hears nothing of it either way
}

// transmit sends a packet, with room in front, to a neighbour, once its hardware address is known.
func (c *Card) transmit(b []byte, via netip.Addr) {
	now := c.time.Now()
	r := c.neighbors.Resolve(via, now)
	if r.Answer == arp.Unknown {
		if r, _ = c.neighbors.Hold(via, b, now); r.Answer == arp.Ask {
			c.sendARP(frame.ARPRequest, frame.Broadcast, frame.MAC{}, via)
		}
		c.wake(now.Add(arp.RetransTime))
	} else {
		c.wake(now.Add(arp.DelayTime))
	}
	if r.Answer == arp.Known {
		c.sendTo(b, r.MAC)
	}
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
			c.sendARP(frame.ARPRequest, a.To, frame.MAC{}, a.Addr)
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
	m := errorMessage(ip, frame.ICMPUnreachable, frame.UnreachableHost, 0)
	c.host.inputError(c.self.Addr.Addr(), m)
}
