package sim

import (
	"net/netip"
	"slices"
	"time"

	"uswitch/arp"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// NIC is a host's network interface: it speaks Ethernet and ARP, with a neighbour table of its own. It belongs to its host's
// goroutine.
type NIC struct {
	host      *Host
	time      Scheduler
	name      string
	network   string // the switch and its port that the cable leads to
	port      string
	mtu       int
	self      arp.Self           // without addresses of IPv6
	six       *inet6             // nil: the interface has no IPv6
	neighbors *arp.Cache[[]byte] // what waits are packets with room for the Ethernet header
	wire      *Wire
	due       time.Time // when timer will look after the neighbours
	timer     *Timer
	asked     map[netip.Addr]func(frame.MAC) // see Ask

	// What only the interfaces of hosts have that were made from a state; see NICState.
	more                                     []netip.Prefix
	taken                                    string
	loose, forwards, noARP, noAsking         bool // loose: its cable is out
	rpFilter, arpIgnore, arpFilter, announce int
	proxyARP                                 bool
	proxied                                  []netip.Addr
}

// Name returns the interface's name inside the host: eth0.
func (c *NIC) Name() string { return c.name }

// MAC returns the hardware address.
func (c *NIC) MAC() frame.MAC { return c.self.MAC }

// Addr returns the address with the network's prefix.
func (c *NIC) Addr() netip.Prefix { return c.self.Addr }

// input takes a frame from the wire, as its own.
func (c *NIC) input(f frame.Frame) {
	e, ok := frame.ParseEthernet(f.Data)
	switch {
	case !ok:
		return
	case e.Dst() != c.self.MAC && !e.Dst().IsGroup(): // meant for somebody else
		if ip, err := frame.ParseIP(e.Payload()); err == nil && e.Type() == ip.EtherType() {
			c.host.tell(Step{Kind: StepArrive, NIC: c.name, Packet: ip, MAC: e.Dst(), Drop: DropOtherMAC})
		}
		return
	}
	switch e.Type() {
	case frame.TypeARP:
		c.inputARP(e)
	case frame.TypeIPv4:
		c.host.arrive(c, e.Payload(), e.Dst().IsGroup())
	case frame.TypeIPv6:
		c.input6(e)
	}
}

// Send puts any frame onto the wire, as a raw socket does.
func (c *NIC) Send(b []byte) {
	_ = c.wire.Send(frame.Frame{Data: b}) // a cable that is down loses it: the sender hears nothing of it either way
}

func (c *NIC) sendTo(b []byte, to frame.MAC) {
	frame.Ethernet(b).SetHeader(to, c.self.MAC, frame.IP(b[frame.EthernetHeader:]).EtherType())
	c.Send(b)
}

// wake makes sure that tick is called at t or before.
func (c *NIC) wake(t time.Time) {
	if !c.due.IsZero() && !t.Before(c.due) {
		return
	}
	c.timer.Stop()
	c.due, c.timer = t, c.time.After(t.Sub(c.time.Now()), c.tick)
}

// tick asks again, and gives up. Who waited in vain is told by the host itself, as Linux does it.
func (c *NIC) tick() {
	c.due = time.Time{}
	actions, next := c.neighbors.Tick(c.time.Now())
	for _, a := range actions {
		if !a.GaveUp {
			c.ask(a.To, a.Addr, netip.Addr{})
		}
		for _, b := range a.Held {
			c.unreachable(frame.IP(b[frame.EthernetHeader:]))
		}
	}
	if !next.IsZero() {
		c.wake(next)
	}
}

// unreachable tells the host's own programs that a neighbour does not answer.
func (c *NIC) unreachable(ip frame.IP) {
	if isSilent(ip) {
		return
	}
	if !c.host.owns(ip.Src()) { // a router tells the sender
		c.host.sendError(ip, false, frame.ICMPUnreachable, frame.UnreachableHost, 0)
		return
	}
	self := c.own()
	own, _ := self.For(ip.Dst())
	b := appendError(make([]byte, frame.FixedHeader(ip.Src())), frame.ICMPError{Type: frame.ICMPUnreachable, Code: frame.UnreachableHost}, ip)
	c.host.inputError(frame.PutIP(b, frame.ProtoICMPOf(ip.Src()), defaultTTL, 0, own.Addr(), ip.Src()))
}

// inputARP answers for the host's own addresses, learns, and sends what has waited for the sender.
func (c *NIC) inputARP(e frame.Ethernet) {
	a, ok := frame.ParseARP(e.Payload())
	if !ok || c.noARP {
		if ok && a.Op() == frame.ARPRequest && c.host.owns(a.TargetIP()) {
			c.tellARP(a, DropARPOff)
		}
		return
	}
	self := c.self
	switch {
	case a.Op() != frame.ARPRequest:
		if c.host.kernel != nil { // who answers may be on no network of the interface's
			self.Addr = netip.PrefixFrom(a.TargetIP(), 0)
		}
	case c.host.kernel == nil && c.has(a.SenderIP()): // a conflict, which Linux by itself does not mind
	case c.answers(a):
		self.Addr = netip.PrefixFrom(a.TargetIP(), 0)
		if c.host.kernel == nil {
			self.Addr = netip.PrefixFrom(a.TargetIP(), c.self.Addr.Bits())
		}
	case c.has(a.TargetIP()):
		self.Addr = netip.Prefix{}
	}
	if !self.Addr.IsValid() { // an interface without an address
		if a.SenderIP().IsUnspecified() {
			return
		}
		self.Addr = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	out := c.neighbors.Input(e.Payload(), e.Src(), self, c.time.Now())
	if out.Case == arp.Bad {
		return
	}
	if heard := c.asked[a.SenderIP()]; heard != nil && a.Op() == frame.ARPReply {
		heard(a.SenderMAC())
	}
	switch {
	case out.Case == arp.Asked || out.Case == arp.Probed:
		c.tellARP(a, "")
		if c.host.pass(AtARPOut, c.name, nil, a.TargetIP()) && c.host.pass(AtEgress, c.name, nil, a.TargetIP()) {
			c.sendARP(frame.ARPReply, e.Src(), a.SenderMAC(), a.TargetIP(), a.SenderIP())
		}
	case out.Case == arp.Conflict && out.Defend && c.host.kernel == nil:
		c.Announce()
	}
	c.release(out.Held, a.SenderMAC())
}

// answers reports whether the host answers a question of ARP by this interface (arp_process of net/ipv4/arp.c).
func (c *NIC) answers(a frame.ARP) bool {
	h, target, sender := c.host, a.TargetIP(), a.SenderIP()
	mine, proxied := h.owns(target), slices.Contains(c.proxied, target)
	if !mine && !proxied && !(c.proxyARP && c.forwards) || !h.pass(AtIngress, c.name, nil, target) || !h.pass(AtARPIn, c.name, nil, target) {
		return false
	}
	if sender.IsUnspecified() { // somebody who has no address yet, or probes for one
		return mine && !c.ignores(a)
	}
	d := h.decide(Lookup{Dst: target, Src: sender, In: c.name})
	switch {
	case d.Kind == Local && c.ignores(a):
		c.tellARP(a, DropARPIgnored)
		return false
	case d.Kind == Local && c.arpFilter != 0:
		if back := h.decide(Lookup{Dst: sender, Src: target}); back.NIC != c.name {
			c.tellARP(a, DropARPIgnored)
			return false
		}
		return true
	case d.Kind == Local:
		return true
	case mine:
		c.tellARP(a, h.refusalOf(c, nil, d))
		return false
	}
	return d.Kind == Unicast && d.NIC != c.name
}

// ignores is arp_ignore (ip-sysctl.rst): whether a question for an address of the host's is left without an answer.
func (c *NIC) ignores(a frame.ARP) bool {
	i := slices.IndexFunc(append([]netip.Prefix{c.self.Addr}, c.more...), func(p netip.Prefix) bool { return p.Addr() == a.TargetIP() })
	switch c.arpIgnore {
	case 0:
		return false
	case 1:
		return i < 0
	case 2:
		return i < 0 || !append([]netip.Prefix{c.self.Addr}, c.more...)[i].Contains(a.SenderIP())
	case 3: // addresses of scope host are ignored: those of lo
		return slices.Contains(c.host.locals, a.TargetIP())
	}
	return c.arpIgnore == 8
}

// tellARP tells of a question that was for the host: it is answered, or why not.
func (c *NIC) tellARP(a frame.ARP, drop string) {
	c.host.tell(Step{Kind: StepARP, NIC: c.name, Addr: a.TargetIP(), MAC: c.self.MAC, Drop: drop})
}

// Announce tells everyone whose addresses these are (gratuitous ARP, RFC 5227 2.3; RFC 4861 7.2.6).
func (c *NIC) Announce() {
	if c.self.Addr.IsValid() {
		c.sendARP(frame.ARPRequest, frame.Broadcast, frame.MAC{}, c.self.Addr.Addr(), c.self.Addr.Addr())
	}
	if c.six != nil {
		c.six.announce()
	}
}

// ask asks who has an address, for a packet from src, which may be invalid.
func (c *NIC) ask(to frame.MAC, a, src netip.Addr) {
	if a.Is6() {
		c.six.solicit(to, a, src)
		return
	}
	if c.host.pass(AtARPOut, c.name, nil, a) && c.host.pass(AtEgress, c.name, nil, a) {
		c.sendARP(frame.ARPRequest, to, frame.MAC{}, c.askAs(a, src), a)
	}
}

// askAs is the address that a question of ARP is asked with (arp_solicit, and arp_announce of ip-sysctl.rst).
func (c *NIC) askAs(a, src netip.Addr) netip.Addr {
	mine := src.IsValid() && c.host.owns(src)
	if mine && c.announce == 1 {
		mine = slices.ContainsFunc(append([]netip.Prefix{c.self.Addr}, c.more...), func(p netip.Prefix) bool { return p.Contains(a) && p.Contains(src) })
	}
	if mine && c.announce < 2 {
		return src
	}
	if own := c.sourceFor(netip.Addr{}, a); own.IsValid() {
		return own
	}
	return netip.IPv4Unspecified()
}

func (c *NIC) sendARP(op uint16, to, target frame.MAC, from, addr netip.Addr) {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.PutARP(b[frame.EthernetHeader:], op, c.self.MAC, from, target, addr)
	frame.Ethernet(b).SetHeader(to, c.self.MAC, frame.TypeARP)
	c.Send(b)
}

// transmit sends a packet, with room in front, to a neighbour, once its hardware address is known.
func (c *NIC) transmit(b []byte, via netip.Addr) {
	now, ip := c.time.Now(), frame.IP(b[frame.EthernetHeader:])
	for _, keeps := range []struct {
		is   bool
		drop trace.Reason
	}{{!c.Up(), trace.PortDown}, {c.loose, trace.PortGone}} {
		if keeps.is {
			c.host.tell(Step{Kind: StepNIC, NIC: c.name, Packet: ip, Addr: via, Drop: keeps.drop.String()})
		}
	}
	if c.noARP {
		c.host.tell(Step{Kind: StepNeighbor, NIC: c.name, Packet: ip, Addr: via, MAC: c.self.MAC})
		c.sendTo(b, c.self.MAC) // arp_constructor of net/ipv4/arp.c: the device's own address
		return
	}
	r := c.neighbors.Resolve(via, now)
	if r.Answer == arp.Unknown && c.noAsking {
		c.host.tell(Step{Kind: StepNeighbor, NIC: c.name, Packet: ip, Addr: via, Drop: trace.NeighFailed.String()})
		c.unreachable(ip)
		return
	}
	if r.Answer == arp.Unknown {
		if r, _ = c.neighbors.Hold(via, b, now); r.Answer == arp.Ask {
			c.ask(frame.Broadcast, via, ip.Src())
		}
		c.wake(now.Add(arp.RetransTime))
	} else {
		c.wake(now.Add(arp.DelayTime))
	}
	if r.Answer == arp.Known {
		c.host.tell(Step{Kind: StepNeighbor, NIC: c.name, Packet: ip, Addr: via, MAC: r.MAC})
		c.sendTo(b, r.MAC)
	}
}
