package sim

import (
	"net/netip"
	"slices"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// What a program hears of a packet that its host does not send.
const (
	errInvalid = kernelError("invalid argument")
	errNoHost  = kernelError("no route to host")
	errDenied  = kernelError("permission denied")
)

// source implements network. A socket without a source of its own is looked up twice: once to choose one, and once with it
// (ip_route_connect of include/net/route.h), which is what decides for TCP. What ping and UDP do depends on the program.
func (h *Host) source(t frame.Tuple) (way, error) {
	l := Lookup{Dst: t.Dst(), Proto: t.Proto}
	if t.HasPorts() {
		l.SrcPort, l.DstPort = t.SrcPort, t.DstPort
	}
	asks := t.Src().IsUnspecified()
	if !asks {
		l.Src = t.Src()
	}
	d := h.decide(l)
	src := l.Src
	if asks {
		src = d.Src
		d = h.again(d, l)
	}
	if err := h.refuses(t.Proto, asks, d); err != nil {
		s := Step{Kind: StepRoute, Addr: l.Dst, Decision: d, Unknown: d.Unknown, Drop: dropOf(d.Kind)}
		if d.Kind == Broadcast || d.Kind == Multicast {
			s.Drop = DropBroadcast
		}
		if c := h.downFor(l.Dst); c != nil && d.Kind == NoRoute {
			s.Kind, s.NIC, s.Drop = StepNIC, c.name, trace.PortDown.String()
		}
		h.tell(s)
		return way{}, err
	}
	if asks && !src.IsValid() && l.Dst.Is6() && d.Kind != Local {
		h.tell(Step{Kind: StepRoute, Addr: l.Dst, Decision: d, Drop: DropNoSource})
		return way{}, errNoAddress
	}
	if d.Unknown != "" { // it is not asked again what was not known when the source was chosen
		h.tell(Step{Kind: StepRoute, Addr: l.Dst, Decision: d, Unknown: d.Unknown})
	}
	w := way{src: src, mtu: 65536, ttl: d.TTL}
	if c, ok := h.NIC(d.NIC); ok && d.Kind != Local {
		w.mtu = c.mtu
	}
	if d.MTU > 0 {
		w.mtu = min(w.mtu, d.MTU)
	}
	if d.Kind == Local {
		switch {
		case !asks:
			w.src = l.Src
		case !d.Src.IsValid():
			w.src = l.Dst
		}
	}
	return w, nil
}

// again looks a second time, with the source that the first look-up has chosen.
func (h *Host) again(d Decision, l Lookup) Decision {
	if d.Kind != Unicast || !d.Src.IsValid() || h.kernel == nil {
		return d
	}
	l.Src = d.Src
	second := h.decide(l)
	if second.Kind == d.Kind && second.NIC == d.NIC && second.Via == d.Via {
		return d
	}
	second.Src = d.Src
	if l.Proto != frame.ProtoTCP {
		second.Unknown = h.name + " has another way for packets from " + d.Src.String() + ": which one is taken depends on the program"
	}
	return second
}

// refuses is what a program hears that wants to send; nil: it may.
func (h *Host) refuses(proto uint8, asks bool, d Decision) error {
	switch d.Kind {
	case Blackhole:
		return errInvalid
	case Unreachable:
		return errNoHost
	case Prohibit:
		return errDenied
	case NoRoute:
		return ErrNoRoute
	case Broadcast, Multicast:
		switch {
		case asks && proto == frame.ProtoTCP:
			return ErrNoRoute
		case asks && d.Kind == Broadcast:
			return errDenied // without SO_BROADCAST
		}
	}
	return nil
}

// downFor is the interface that is down and would lead to an address, or the only one that there is.
func (h *Host) downFor(dst netip.Addr) *NIC {
	i := slices.IndexFunc(h.nics, func(c *NIC) bool { return !c.Up() && c.self.Addr.IsValid() && c.self.Addr.Contains(dst) })
	if i < 0 && len(h.nics) == 1 && !h.nics[0].Up() {
		i = 0
	}
	if i < 0 {
		return nil
	}
	return h.nics[i]
}

// transmit implements network.
func (h *Host) transmit(b []byte) {
	ip := frame.IP(b[frame.EthernetHeader:])
	d := h.decide(lookupOf(ip))
	s := Step{Kind: StepRoute, Packet: ip, Addr: ip.Dst(), Decision: d, Unknown: d.Unknown}
	switch d.Kind {
	case Local:
		if h.loDown {
			s.Kind, s.NIC, s.Drop = StepNIC, "lo", trace.PortDown.String()
			h.tell(s)
			return
		}
		h.tell(s)
		for _, at := range []Point{AtOutput, AtPostrouting, AtPrerouting, AtInput} {
			if !h.pass(at, "lo", ip, ip.Dst()) {
				return
			}
		}
		h.time.After(0, func() { h.take(ip, false) })
	case Unicast, Broadcast, Multicast:
		h.tell(s)
		if h.pass(AtOutput, d.NIC, ip, ip.Dst()) && h.pass(AtPostrouting, d.NIC, ip, ip.Dst()) {
			h.leave(b, d)
		}
	default:
		s.Drop = dropOf(d.Kind)
		h.tell(s)
	}
}

// listens reports whether a socket takes what has come for a port at an address of the host's, and what is not known of that.
func (h *Host) listens(ip frame.IP, port uint16) (ok bool, unknown string) {
	proto, dst := ip.Proto(), ip.Dst()
	if h.anywhere == nil || slices.Contains(h.anywhere[proto], port) {
		if d := h.decide(Lookup{Dst: ip.Src(), Proto: proto}); h.kernel != nil && proto == frame.ProtoUDP && d.Src.IsValid() && d.Src != dst {
			unknown = "whether the answer has the address that was asked, or " + d.Src.String() + ", depends on the program"
		}
		return true, unknown
	}
	for _, b := range h.bound {
		if b.Proto == proto && b.Port == port && !b.Peer.IsValid() && (b.Addr.IsUnspecified() || b.Addr == dst) && (b.NIC == "" || h.by != nil && b.NIC == h.by.name) {
			if b.Full {
				unknown = "the server's queue of connections is full"
			}
			return true, unknown
		}
	}
	return false, ""
}
