package nat

import (
	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// filter asks a table's rules whether the packet may go on. Where not, it is dropped or refused here.
func (g *Gateway) filter(p *packet, table rule.Table, hook trace.Hook) bool {
	if table != rule.Filter && g.rulesFor(p).Pass(table, hook, len(p.ip)) {
		return true
	}
	d := g.evaluate(p, table, hook)
	if r := d.Reason(); r != trace.NoReason {
		g.dropBy(p, hook, r, d)
		g.reject(p, d.RejectWith)
		return false
	}
	if table == rule.Filter && p.j.On() {
		e := p.event(hook, trace.Accept, trace.NoNote)
		e.Rule, e.Chain, e.Target = d.Text, d.Chain, d.Target
		p.emit(e)
	}
	return true
}

// evaluate shows the packet, as it is now, to the rules.
func (g *Gateway) evaluate(p *packet, table rule.Table, hook trace.Hook) rule.Decision {
	q := rule.Packet{
		Tuple: p.tuple, SrcMAC: p.srcMAC, HasMAC: p.srcMAC.IsStation(), TCPFlags: p.segment.Flags,
		TTL: p.ip.TTL(), Length: len(p.ip), Mark: p.mark, State: p.flow.state, Types: g.view.Load(), Now: p.now, Dice: (*dice)(g),
	}
	if p.in != nil {
		q.InIface = p.in.name
	}
	if p.out != nil {
		q.OutIface = p.out.name
	}
	if payload := p.ip.Payload(); len(payload) >= 2 && frame.IsICMP(q.Tuple.Proto) {
		q.ICMPType, q.ICMPCode = payload[0], payload[1]
	}
	if c := p.flow.conn; c != nil {
		q.Conn, q.Conns = c, (*connCounts)(g)
		q.Orig, q.Reply, q.Direction = c.Tuples[conntrack.Original], c.Tuples[conntrack.Reply], rule.Direction(p.flow.dir)
		if c.SNAT {
			q.State |= rule.StateSNAT
		}
		if c.DNAT {
			q.State |= rule.StateDNAT
		}
	}
	d := g.rulesFor(p).Evaluate(table, hook, &q)
	p.mark = q.Mark
	if q.MSS != (rule.MSS{}) {
		g.limitMSS(p, q.MSS, hook)
	}
	if p.j.On() {
		for _, r := range d.Logged {
			if r != nil {
				e := p.event(hook, trace.Accept, trace.Logged)
				e.Rule, e.Chain, e.Target = r.String(), r.Chain(), r.Target()
				p.emit(e)
			}
		}
	}
	return d
}

// rulesFor returns the rules of the packet's family, as they are at this moment.
func (g *Gateway) rulesFor(p *packet) *rule.Ruleset {
	if p.ip.Is4() {
		return g.rules.Snapshot()
	}
	return g.rules6.Snapshot()
}

// dice is the Gateway's source of random numbers, for rules.
type dice Gateway

// Uint32 returns a number of 32 random bits.
func (d *dice) Uint32() uint32 {
	d.randMu.Lock()
	defer d.randMu.Unlock()
	return d.rand.Uint32()
}

// connCounts is the Gateway's connection table, for rules.
type connCounts Gateway

// Connections counts a connection of the table's.
func (t *connCounts) Connections(conn any, list uint64, network frame.Addr) int {
	return t.conns.Count(conn.(*conntrack.Conn), conntrack.CountKey{List: list, Addr: network})
}

// AddrType says what the routing table calls an address (-m addrtype). With an interface, only that one's own addresses
// are local.
func (v *view) AddrType(addr frame.Addr, iface string) rule.AddrType {
	a := addr.IP()
	if own := v.local[a]; own != nil && (iface == "" || own.name == iface) || a.IsLoopback() {
		return rule.TypeLocal
	}
	switch {
	case a == everyone, a.IsUnspecified():
		return rule.TypeBroadcast
	case a.IsMulticast():
		return rule.TypeMulticast
	}
	for _, i := range v.interfaces {
		if i.everyone(a) {
			return rule.TypeBroadcast
		}
	}
	return rule.TypeUnicast
}
