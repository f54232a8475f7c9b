package nat

import "uswitch/switch/frame"

// A mapping gives one inside endpoint one outside port, whatever it talks to: endpoint-independent mapping (RFC 4787
// REQ-1, RFC 5382 REQ-1), and no port is given to two inside endpoints (REQ-3). For ICMP the identifier is the port.
type mapping struct {
	inside, outside endpoint
	users           int
}

type endpoint struct {
	addr  [4]byte
	port  uint16
	proto uint8
}

func sourceOf(t frame.Tuple) endpoint      { return endpoint{t.SrcIP, t.SrcPort, t.Proto} }
func destinationOf(t frame.Tuple) endpoint { return endpoint{t.DstIP, t.DstPort, t.Proto} }

// mappings is the table of them, both ways. It is guarded by the connection table's lock.
type mappings struct {
	inside  map[insideKey]*mapping
	outside map[endpoint]*mapping
}

// insideKey: an inside endpoint may have a mapping on each outside address.
type insideKey struct {
	inside  endpoint
	outside [4]byte
}

func newMappings() mappings {
	return mappings{inside: map[insideKey]*mapping{}, outside: map[endpoint]*mapping{}}
}

// portRange bounds the outside ports; both ends belong to it. The zero value leaves the choice to the table.
type portRange struct{ min, max uint16 }

// masquerade gives the source of c, a connection that is not in the table yet, a port of the address. It keeps the port that
// the sender chose, where that is free; otherwise it takes the next one above in the same class, privileged or not
// (RFC 4787 REQ-3a), or the first from a random number on. It returns false when there is none.
func (t *conntrack) masquerade(c *conn, addr [4]byte, ports portRange, random *uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	inside := sourceOf(c.tuples[original])
	if !hasPort(inside.proto) {
		c.setSource(addr, 0) // nothing to choose: many may speak to many, as long as their answers differ
		return !t.answersTaken(c, addr, 0)
	}
	key := insideKey{inside, addr}
	m := t.mappings.inside[key]
	// One port for all destinations, unless two of them have become one by DNAT: their answers must stay apart.
	if m == nil || !ports.contains(m.outside.port) || t.answersTaken(c, addr, m.outside.port) {
		port, ok := t.freePort(c, addr, ports, random)
		if !ok {
			return false
		}
		m = &mapping{inside: inside, outside: endpoint{addr, port, inside.proto}}
		if t.mappings.inside[key] == nil {
			t.mappings.inside[key] = m
		}
		t.mappings.outside[m.outside] = m
	}
	m.users++
	c.mapping = m
	c.setSource(m.outside.addr, m.outside.port)
	return true
}

func (r portRange) contains(port uint16) bool {
	return r == portRange{} || r.min <= port && port <= r.max
}

func (t *conntrack) freePort(c *conn, addr [4]byte, ports portRange, random *uint32) (uint16, bool) {
	inside := sourceOf(c.tuples[original])
	first := inside.port
	if ports == (portRange{}) {
		ports = portRange{1024, 65535}
		if inside.proto == frame.ProtoICMP {
			ports = portRange{0, 65535}
		} else if inside.port < 1024 {
			ports = portRange{1, 1023}
		}
	}
	span := int(ports.max) - int(ports.min) + 1
	if random != nil {
		first = ports.min + uint16(*random%uint32(span))
	} else if !ports.contains(first) {
		first = ports.min
	}
	for i := range span {
		port := uint16(int(ports.min) + (int(first)-int(ports.min)+i)%span)
		if t.portIsFree(c, addr, port) {
			return port, true
		}
	}
	return 0, false
}

// portIsFree: nobody is mapped to it, and no connection of the gateway's own expects answers there.
func (t *conntrack) portIsFree(c *conn, addr [4]byte, port uint16) bool {
	_, taken := t.mappings.outside[endpoint{addr, port, c.tuples[original].Proto}]
	return !taken && !t.answersTaken(c, addr, port)
}

// ambiguous reports whether another connection expects the answers that c would get as it is.
func (t *conntrack) ambiguous(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.answersTaken(c, c.tuples[reply].DstIP, c.tuples[reply].DstPort)
}

// answersTaken reports whether another connection expects the answers that c would get with that source. One that another
// packet of the same flow has just made is not another.
func (t *conntrack) answersTaken(c *conn, addr [4]byte, port uint16) bool {
	answers := c.tuples[reply]
	answers.DstIP = addr
	setPort(&answers, &answers.DstPort, port)
	h, taken := t.halves[answers]
	return taken && h.conn.tuples[h.dir.other()] != c.tuples[original]
}

// hasPort reports whether a protocol has ports or, as ICMP, something that does for one.
func hasPort(proto uint8) bool {
	return proto == frame.ProtoTCP || proto == frame.ProtoUDP || proto == frame.ProtoICMP
}

// mapped returns the inside endpoint behind the destination of a packet from outside, whoever sent it: filtering is
// endpoint-independent too (RFC 4787 REQ-8), and the rules of FORWARD decide who may use it.
func (t *conntrack) mapped(outside frame.Tuple) (endpoint, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m, ok := t.mappings.outside[destinationOf(outside)]; ok && outside.Proto == frame.ProtoUDP {
		return m.inside, true
	}
	return endpoint{}, false
}

func (m *mappings) release(c *conn) {
	held := c.mapping
	if held == nil {
		return
	}
	c.mapping = nil
	if held.users--; held.users == 0 {
		delete(m.outside, held.outside)
		if key := (insideKey{held.inside, held.outside.addr}); m.inside[key] == held {
			delete(m.inside, key)
		}
	}
}

// setSource makes the connection's packets leave with that source. The connection must not be in the table yet.
func (c *conn) setSource(addr [4]byte, port uint16) {
	c.snat = true
	c.tuples[reply].DstIP = addr
	setPort(&c.tuples[reply], &c.tuples[reply].DstPort, port)
}

// setDestination makes the connection's packets go there. The connection must not be in the table yet.
func (c *conn) setDestination(addr [4]byte, port uint16) {
	c.dnat = true
	c.tuples[reply].SrcIP = addr
	setPort(&c.tuples[reply], &c.tuples[reply].SrcPort, port)
}

// setPort changes one port of a tuple, of ICMP both, since they are one identifier.
func setPort(t *frame.Tuple, which *uint16, port uint16) {
	*which = port
	if t.Proto == frame.ProtoICMP {
		t.SrcPort, t.DstPort = port, port
	}
}
