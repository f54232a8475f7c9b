package nat

import (
	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// chooseDestination does what a DNAT or REDIRECT rule says, or failing that, leads an answer to a mapped port home.
func (g *Gateway) chooseDestination(p *packet, v *view, d rule.Decision) {
	c, t := p.flow.conn, p.tuple
	switch d.Verdict {
	case rule.DNAT:
		addr, port := pickAddr(d.NAT, t.SrcIP, t.DstIP), t.DstPort
		if d.NAT.HasPorts {
			port = pickPort(d.NAT, t.DstPort)
		}
		c.SetDestination(addr, port)
	case rule.Redirect:
		port := t.DstPort
		if d.NAT.HasPorts {
			port = pickPort(d.NAT, t.DstPort)
		}
		addr := t.SrcIP // OUTPUT: the gateway talks to itself
		if p.in != nil {
			addr = frame.AddrOf(p.in.primary(p.ip)) // the first, as in the kernel (nf_nat_redirect_ipv4, _ipv6)
		}
		c.SetDestination(addr, port)
	default:
		if inside, ok := g.conns.Mapped(t); ok && v.local[t.Dst()] != nil {
			c.SetDestination(inside.Addr, inside.Port)
		}
	}
}

// chooseSource does what a MASQUERADE or SNAT rule says. With an uplink that owns its address, the port is the uplink's
// to give, for the gateway's own packets too. Without a rule the source stays, unless another connection expects the same
// answers; then its port moves (the kernel's null binding).
func (g *Gateway) chooseSource(p *packet, d rule.Decision) trace.Reason {
	c, addr := p.flow.conn, p.tuple.SrcIP
	switch d.Verdict {
	case rule.Masquerade:
		if !p.out.speaks(p.ip) {
			return trace.NATNoPort // nobody's address has no ports either
		}
		addr = frame.AddrOf(p.out.sourceFor(p.ip.Dst(), p.nextHop))
	case rule.SNAT:
		addr = pickAddr(d.NAT, p.tuple.SrcIP, p.tuple.SrcIP)
	default:
		if !p.bindsTo(addr) && !g.conns.Ambiguous(c) {
			return trace.NoReason
		}
	}
	ports := PortRange{}
	if d.NAT.HasPorts {
		ports = PortRange{Min: d.NAT.MinPort, Max: d.NAT.MaxPort}
	}
	if p.bindsTo(addr) {
		source, r := p.out.binder.Bind(Binding{p.tuple, p.f.Source, ports, d.NAT.Random}, p.now)
		if r != trace.NoReason {
			return r
		}
		c.Bound = p.out
		c.SetSource(frame.AddrOf(source.Addr()), source.Port())
		return trace.NoReason
	}
	if !g.masquerade(c, addr, ports, d.NAT.Random) {
		return trace.NATNoPort
	}
	return trace.NoReason
}

// bindsTo reports whether the port that the packet leaves with is the uplink's to give.
func (p *packet) bindsTo(addr frame.Addr) bool {
	return p.out != nil && p.out.binder != nil && addr == frame.AddrOf(p.out.primary(p.ip))
}

func (g *Gateway) masquerade(c *conntrack.Conn, addr frame.Addr, ports PortRange, random bool) bool {
	if !random {
		return g.conns.Masquerade(c, addr, ports, nil)
	}
	g.randMu.Lock()
	start := g.rand.Uint32()
	g.randMu.Unlock()
	return g.conns.Masquerade(c, addr, ports, &start)
}

// pickAddr chooses from a rule's addresses: always the same for the same client (RFC 4787 REQ-2), spread over the range by
// the client's address.
func pickAddr(r rule.Range, client, unchanged frame.Addr) frame.Addr {
	if !r.MinAddr.IsValid() {
		return unchanged
	}
	low := frame.AddrOf(r.MinAddr)
	offset := client.Number()
	if span := frame.AddrOf(r.MaxAddr).Sub(low) + 1; span != 0 { // 0: as many as there are numbers
		offset %= span
	}
	return low.Add(offset)
}

// pickPort chooses from a rule's ports: shifted (around the end of the range if need be), or the same if it is among them,
// or the first.
func pickPort(r rule.Range, port uint16) uint16 {
	switch {
	case r.Shifted:
		span := uint32(r.MaxPort-r.MinPort) + 1
		return r.MinPort + uint16(uint32(port-r.BasePort)%span)
	case r.MinPort <= port && port <= r.MaxPort:
		return port
	}
	return r.MinPort
}
