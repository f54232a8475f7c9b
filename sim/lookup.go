package sim

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"uswitch/nat/route"
	"uswitch/switch/frame"
)

// Lookup is a packet that a host has to find the way of: one that it sends itself, or, with In, one that an interface has brought.
type Lookup struct {
	Dst, Src         netip.Addr // Src invalid: the host chooses
	In               string     // the interface's name
	Proto            uint8
	SrcPort, DstPort uint16 // of TCP and UDP; 0: not known yet
}

// RouteKind says what a host does with a packet, in the words of `ip route`.
type RouteKind string

// The kinds.
const (
	Unicast     RouteKind = "unicast"
	Local       RouteKind = "local"
	Broadcast   RouteKind = "broadcast"
	Multicast   RouteKind = "multicast"
	Blackhole   RouteKind = "blackhole" // of a packet that has come in also: its source is not believed
	Unreachable RouteKind = "unreachable"
	Prohibit    RouteKind = "prohibit"
	Throw       RouteKind = "throw" // of a route alone: it is as if there were none
	NoRoute     RouteKind = "none"
)

// Decision is what a host does with a packet.
type Decision struct {
	Kind    RouteKind
	NIC     string     // that it leaves by, which may be a device that is none of the lab's interfaces
	Via     netip.Addr // invalid: the destination is on the wire itself
	Src     netip.Addr // of a packet that is sent: the source that the host chooses
	MTU     int        // 0: the interface's
	TTL     uint8      // 0: the host's
	Prefix  netip.Prefix
	Text    string // the route that decided, as `ip route` prints it; empty: it cannot be told
	Unknown string // why this may not be what happens; empty: it is
}

// Kernel decides in the place of a host's own tables: that of a real host, which knows more than they say.
type Kernel interface {
	// Route says what the kernel does with a packet. It may be called by one goroutine at a time.
	Route(Lookup) Decision
}

// decide asks whoever decides for this host.
func (h *Host) decide(l Lookup) Decision {
	if h.kernel != nil {
		return h.kernel.Route(l)
	}
	if l.Dst.Is6() {
		h.expire()
	}
	d := h.lookup(l)
	if h.policy != "" && d.Kind != Local {
		d.Unknown = h.name + " has " + h.policy + ", and what becomes of that after such a change is not looked at"
	}
	return d
}

// expire takes away what routers have advertised for a time that is over.
func (h *Host) expire() {
	for _, c := range h.nics {
		if c.six != nil {
			c.six.expire()
		}
	}
}

// Way returns what the host would do with a packet of its own for an address.
func (h *Host) Way(dst netip.Addr) Decision { return h.decide(Lookup{Dst: dst}) }

// lookup decides by the host's own tables, as Linux does (fib_lookup, and ip_route_input_slow of net/ipv4/route.c;
// ip6_pol_route of net/ipv6/route.c).
func (h *Host) lookup(l Lookup) Decision {
	in, _ := h.NIC(l.In)
	switch {
	case l.In != "" && !h.believes(in, l.Src):
		return Decision{Kind: Blackhole}
	case h.owns(l.Dst):
		return Decision{Kind: Local, Src: l.Dst}
	case l.Dst.IsMulticast() && l.In != "":
		return Decision{Kind: Multicast, NIC: l.In}
	case l.In != "" && h.isBroadcast(l.Dst):
		return Decision{Kind: Broadcast, NIC: l.In}
	case l.In != "" && (!in.forwards || l.Dst.Is6() && (linkScope(l.Dst) || linkScope(l.Src))):
		return Decision{Kind: Unreachable}
	case l.Dst.Is6() && (l.Dst.IsMulticast() || linkScope(l.Dst)):
		return h.onLink(l)
	}
	d := h.byRules(l)
	switch {
	case d.Kind != Unicast:
	case l.Dst.IsMulticast():
		d.Kind = Multicast
	case h.isBroadcast(l.Dst):
		d.Kind = Broadcast
	}
	return d
}

// byRules follows the rules of policy routing, as far as they can be followed here: one that forbids decides, and what one that
// leads to another table, or asks for more than addresses, does is not known.
func (h *Host) byRules(l Lookup) Decision {
	unknown := ""
	for _, r := range h.rules {
		matches := (!r.From.IsValid() || l.Src.IsValid() && r.From.Contains(l.Src)) && (!r.To.IsValid() || r.To.Contains(l.Dst))
		switch {
		case !matches || h.isBroadcast(l.Dst) || l.Dst.Is6(): // the rules are those of IPv4
		case r.More || r.Kind == Unicast:
			unknown = h.name + " has the rule `ip rule " + r.Text + "`, and what that does after such a change is not looked at"
		default:
			return Decision{Kind: r.Kind, Text: "ip rule " + r.Text, Unknown: unknown}
		}
	}
	d := h.longest(l.Dst)
	d.Unknown = unknown
	return d
}

// longest finds the route with the longest prefix.
func (h *Host) longest(dst netip.Addr) Decision {
	d, bits := Decision{Kind: NoRoute}, -1
	if r, ok := h.routes.Lookup(dst); ok && (dst.Is6() || r.Dev.self.Addr.IsValid()) {
		bits = r.Prefix.Bits()
		d = Decision{Kind: Unicast, NIC: r.Dev.name, Via: r.Via, Prefix: r.Prefix}
		if dst.Is6() {
			d.Src, d.TTL, d.MTU = h.source6(r.Dev, dst), r.Dev.HopLimit(), r.Dev.six.mtu
		} else {
			d.Src = r.Dev.sourceFor(r.Via, dst)
		}
	}
	for _, r := range h.refused {
		if r.Prefix.Contains(dst) && r.Prefix.Bits() > bits {
			d, bits = Decision{Kind: r.Kind, Prefix: r.Prefix, Text: string(r.Kind) + " " + r.Prefix.String()}, r.Prefix.Bits()
			if r.Kind == Throw {
				d.Kind = NoRoute
			}
		}
	}
	return d
}

// sourceFor is the address of the interface that a packet leaves with: one on the next hop's network, or else the first.
func (c *NIC) sourceFor(via, dst netip.Addr) netip.Addr {
	if !via.IsValid() {
		via = dst
	}
	for _, p := range append([]netip.Prefix{c.self.Addr}, c.more...) {
		if p.Contains(via) {
			return p.Addr()
		}
	}
	return c.self.Addr.Addr()
}

// believes reports whether a packet with this source may come in by an interface: it is not the host's own, and with rp_filter the
// answer would leave by that interface (RFC 3704).
func (h *Host) believes(in *NIC, src netip.Addr) bool {
	if !src.IsValid() || src.IsUnspecified() {
		return true
	}
	if h.owns(src) || src.Is6() && src.IsMulticast() {
		return false
	}
	if in.rpFilter == 0 || src.Is6() {
		return true
	}
	d := h.longest(src)
	return d.Kind == Unicast && (in.rpFilter == 2 || d.NIC == in.name)
}

// isBroadcast reports whether an address is the broadcast address of one of the host's networks, or of any.
func (h *Host) isBroadcast(a netip.Addr) bool {
	if a == limitedBroadcast {
		return true
	}
	return slices.ContainsFunc(h.nics, func(c *NIC) bool {
		return slices.ContainsFunc(append([]netip.Prefix{c.self.Addr}, c.more...), func(p netip.Prefix) bool {
			return p.IsValid() && p.Bits() < 31 && p.Contains(a) && !p.Contains(a.Next())
		})
	})
}

var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// addRefusal enters a route that forbids.
func (h *Host) addRefusal(r HostRoute) { h.refused = append(h.refused, r) }

// restoreRoutes enters routes as they were found.
func (h *Host) restoreRoutes(all []HostRoute) error {
	for _, r := range all {
		if r.Kind != "" && r.Kind != Unicast {
			h.addRefusal(r)
			continue
		}
		nic, ok := h.NIC(r.NIC)
		if !ok {
			continue // a route by something that is no interface: a tunnel, say
		}
		routes, err := h.routes.With(route.Route[*NIC]{Prefix: r.Prefix.Masked(), Via: r.Via, Dev: nic})
		if err != nil {
			return err
		}
		h.routes = routes
	}
	return nil
}

// lookupOf is the question that a packet of the host's own asks.
func lookupOf(ip frame.IP) Lookup {
	l := Lookup{Dst: ip.Dst(), Src: ip.Src(), Proto: ip.Proto()}
	if t, ok := ip.Tuple(); ok && t.HasPorts() && !ip.IsFragment() {
		l.SrcPort, l.DstPort = t.SrcPort, t.DstPort
	}
	return l
}

// Question is one packet that wants an answer: an echo request, a TCP SYN, or a datagram.
type Question struct {
	Proto        uint8          // frame.ProtoICMP, ProtoTCP or ProtoUDP
	To           netip.AddrPort // the port is that of TCP or UDP
	FromPort     uint16         // of TCP or UDP; 0: any that is free
	Size         int            // bytes of data in an echo request; 0: 56
	DontFragment bool           // of an echo request
}

// Datagram is what a question by UDP carries: something that a DNS server answers, be it with an error (RFC 1035 4.1.1).
func (q Question) Datagram() []byte {
	if q.To.Port() == 53 {
		return make([]byte, 12)
	}
	return []byte("hello?")
}

// Ask puts a question. done hears once what came of it: nil is an answer, ErrTimeout is silence as long as wait, or as
// long as TCP tries, and any other error is what the machine was told, or says itself.
func (m *Machine) Ask(q Question, wait time.Duration, done func(error)) {
	m.wanted = q.FromPort
	defer func() { m.wanted = 0 }()
	switch q.Proto {
	case frame.ProtoTCP:
		m.Connect(q.To, done)
	case frame.ProtoUDP:
		m.AskUDP(q.To, q.Datagram(), wait, func(_ []byte, err error) { done(err) })
	default:
		m.askEcho(q.To.Addr(), cmp.Or(q.Size, 56), q.DontFragment, wait, done)
	}
}
