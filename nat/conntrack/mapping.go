package conntrack

import "uswitch/switch/frame"

// A mapping gives one inside endpoint one outside port, whatever it talks to: endpoint-independent mapping (RFC 4787
// REQ-1, RFC 5382 REQ-1), and no port is given to two inside endpoints (REQ-3) as long as there are others. When none is
// left, two share one where they talk to different places, as in the kernel, which tells their answers apart by that; who
// speaks first to the port from outside is led to the first of the two. For ICMP the identifier is the port.
type mapping struct {
	inside, outside Endpoint
	users           int
	shared          bool // the port is another mapping's
}

// Endpoint is one end of a flow.
type Endpoint struct {
	Addr  frame.Addr
	Port  uint16
	Proto uint8
}

func sourceOf(t frame.Tuple) Endpoint      { return Endpoint{t.SrcIP, t.SrcPort, t.Proto} }
func destinationOf(t frame.Tuple) Endpoint { return Endpoint{t.DstIP, t.DstPort, t.Proto} }

// mappings is the table of them, both ways. It is guarded by the connection table's lock.
type mappings struct {
	inside  map[insideKey]*mapping
	outside map[Endpoint]*mapping
}

// insideKey: an inside endpoint may have a mapping on each outside address.
type insideKey struct {
	inside  Endpoint
	outside frame.Addr
}

func newMappings() mappings {
	return mappings{inside: map[insideKey]*mapping{}, outside: map[Endpoint]*mapping{}}
}

// PortRange bounds the outside ports; both ends belong to it. The zero value leaves the choice to the table.
type PortRange struct{ Min, Max uint16 }

// Masquerade gives the source of c, a connection that is not in the table yet, a port of the address. It keeps the port that
// the sender chose, where that is free; otherwise it takes the next one above in the same class, privileged or not
// (RFC 4787 REQ-3a), or the first from a random number on. It returns false when there is none.
func (t *Table) Masquerade(c *Conn, addr frame.Addr, ports PortRange, random *uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	inside := sourceOf(c.Tuples[Original])
	if !hasPort(inside.Proto) {
		c.SetSource(addr, 0) // nothing to choose: many may speak to many, as long as their answers differ
		return !t.answersTaken(c, addr, 0)
	}
	key := insideKey{inside, addr}
	m := t.mappings.inside[key]
	// One port for all destinations, unless two of them have become one by DNAT: their answers must stay apart.
	if m == nil || !ports.Contains(m.outside.Port) || t.answersTaken(c, addr, m.outside.Port) {
		port, shared, ok := t.freePort(c, addr, ports, random)
		if !ok {
			return false
		}
		m = &mapping{inside: inside, outside: Endpoint{addr, port, inside.Proto}, shared: shared}
		t.mappings.enter(m)
	}
	m.users++
	c.mapping = m
	c.SetSource(m.outside.Addr, m.outside.Port)
	return true
}

// Contains reports whether a port belongs to the range; to the zero value all do.
func (r PortRange) Contains(port uint16) bool {
	return r == PortRange{} || r.Min <= port && port <= r.Max
}

// tries bounds the search for a port, as in the kernel (nf_nat_l4proto_unique_tuple): 128 in a row, then half as many from
// somewhere else, and so on down to 16. A range of a rule with no more ports than that is searched whole.
const tries = 128

// freePort finds a port that nobody has or, failing that, one that may be shared.
func (t *Table) freePort(c *Conn, addr frame.Addr, ports PortRange, random *uint32) (port uint16, shared, ok bool) {
	inside := sourceOf(c.Tuples[Original])
	first := inside.Port
	if ports == (PortRange{}) {
		ports = PortRange{1024, 65535}
		if frame.IsICMP(inside.Proto) {
			ports = PortRange{0, 65535}
		} else if inside.Port < 1024 {
			ports = PortRange{1, 1023}
		}
	}
	span := int(ports.Max) - int(ports.Min) + 1
	if random != nil {
		first = ports.Min + uint16(*random%uint32(span))
	} else if !ports.Contains(first) {
		first = ports.Min
	}
	at := int(first) - int(ports.Min)
	for n := tries; n >= 16; n /= 2 {
		for range min(n, span) {
			candidate := ports.Min + uint16(at%span)
			switch at++; {
			case t.answersTaken(c, addr, candidate):
			case t.mappings.outside[Endpoint{addr, candidate, inside.Proto}] == nil:
				return candidate, false, true
			case !ok:
				port, shared, ok = candidate, true, true
			}
		}
		if n >= span {
			break
		}
		at += int((c.id + uint64(n)) * 0x9e3779b97f4a7c15 >> 48) // anywhere, and elsewhere each time; the same in every run
	}
	return port, shared, ok
}

// Ambiguous reports whether another connection expects the answers that c would get as it is.
func (t *Table) Ambiguous(c *Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.answersTaken(c, c.Tuples[Reply].DstIP, c.Tuples[Reply].DstPort)
}

// answersTaken reports whether another connection expects the answers that c would get with that source. One that another
// packet of the same flow has just made is not another.
func (t *Table) answersTaken(c *Conn, addr frame.Addr, port uint16) bool {
	answers := c.Tuples[Reply]
	answers.DstIP = addr
	setPort(&answers, &answers.DstPort, port)
	h, taken := t.halves[answers]
	return taken && h.conn.Tuples[h.dir.Other()] != c.Tuples[Original]
}

// hasPort reports whether a protocol has ports or, as ICMP, something that does for one.
func hasPort(proto uint8) bool {
	return frame.ProtoHasPorts(proto) || frame.IsICMP(proto)
}

// Mapped returns the inside Endpoint behind the destination of a packet from outside, whoever sent it: filtering is
// Endpoint-independent too (RFC 4787 REQ-8), and the rules of FORWARD decide who may use it.
func (t *Table) Mapped(outside frame.Tuple) (Endpoint, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m, ok := t.mappings.outside[destinationOf(outside)]; ok && outside.Proto == frame.ProtoUDP {
		return m.inside, true
	}
	return Endpoint{}, false
}

// enter notes a mapping both ways, where there is none yet.
func (m *mappings) enter(n *mapping) {
	if key := (insideKey{n.inside, n.outside.Addr}); m.inside[key] == nil {
		m.inside[key] = n
	}
	if !n.shared {
		m.outside[n.outside] = n
	}
}

func (m *mappings) release(c *Conn) {
	held := c.mapping
	if held == nil {
		return
	}
	c.mapping = nil
	if held.users--; held.users > 0 {
		return
	}
	if m.outside[held.outside] == held {
		delete(m.outside, held.outside)
	}
	if key := (insideKey{held.inside, held.outside.Addr}); m.inside[key] == held {
		delete(m.inside, key)
	}
}

// SetSource makes the connection's packets leave with that source. The connection must not be in the table yet.
func (c *Conn) SetSource(addr frame.Addr, port uint16) {
	c.SNAT = true
	c.Tuples[Reply].DstIP = addr
	setPort(&c.Tuples[Reply], &c.Tuples[Reply].DstPort, port)
}

// SetDestination makes the connection's packets go there. The connection must not be in the table yet.
func (c *Conn) SetDestination(addr frame.Addr, port uint16) {
	c.DNAT = true
	c.Tuples[Reply].SrcIP = addr
	setPort(&c.Tuples[Reply], &c.Tuples[Reply].SrcPort, port)
}

// setPort changes one port of a tuple, of ICMP both, since they are one identifier.
func setPort(t *frame.Tuple, which *uint16, port uint16) {
	*which = port
	if frame.IsICMP(t.Proto) {
		t.SrcPort, t.DstPort = port, port
	}
}
