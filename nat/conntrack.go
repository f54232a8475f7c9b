package nat

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Connection tracking, after the kernel's nf_conntrack. A connection is two tuples: what its originator sends, and what
// the answers look like when they arrive, which after translation is not simply the reverse:
//
//	original   11.11.11.2:1818 > 8.8.8.8:53            as RED sends it
//	reply      8.8.8.8:53 > 192.168.104.2:41077        as the answer comes back
//
// Everything that translation does follows from the pair: a packet that matches one tuple leaves as the other one
// reversed. That is how the answer finds RED. See translate.go.

// direction of a packet within its connection.
type direction uint8

const (
	original direction = iota
	reply
)

func (d direction) other() direction { return 1 - d }

// conn is one connection. Its tuples do not change once it is in the table; the rest is guarded by the table's lock.
type conn struct {
	id     uint64
	tuples [2]frame.Tuple
	bound  *Interface // the uplink that reserved the source port of the translated packets, if one did
	dnat   bool       // a rule changed the destination
	snat   bool       // a rule changed the source

	expires time.Time
	replied bool // the other side has answered
	assured bool // worth keeping: answers have been answered; as in Linux never said of ICMP and what has no ports
	tcp     tcpTrack
	traffic [2]traffic
	mapping *mapping
	seats   seats
}

type traffic struct{ packets, bytes uint64 }

// target returns the tuple that a packet in direction d has when it leaves.
func (c *conn) target(d direction) frame.Tuple { return c.tuples[d.other()].Reply() }

func (c *conn) translated() bool { return c.snat || c.dnat }

// flow is what the table says of one packet.
type flow struct {
	conn     *conn // nil: not tracked
	dir      direction
	state    rule.ConnState
	first    bool // the connection begins with this packet and is not in the table yet
	verbatim bool // translated already: an ICMP error or a RST with which the gateway itself refuses a packet
}

func (f flow) id() uint64 {
	if f.conn == nil {
		return 0
	}
	return f.conn.id
}

// half finds a connection by one of its tuples.
type half struct {
	conn *conn
	dir  direction
}

// conntrack is the connection table.
type conntrack struct {
	mu       sync.Mutex // guards all below
	halves   map[frame.Tuple]half
	mappings mappings
	crowd    crowd
	timeouts Timeouts
	lastID   uint64
	feeds    []*ConnFeed
	unbound  []*conn // removed, and their uplink still holds a port for them
}

func newConntrack(limit int) *conntrack {
	return &conntrack{halves: map[frame.Tuple]half{}, mappings: newMappings(), crowd: newCrowd(limit),
		timeouts: DefaultTimeouts()}
}

// track finds the connection of a packet, or begins one that is not in the table until confirm. A packet that belongs to no
// connection and cannot begin one is Invalid; the rules decide what becomes of it, but it is not translated.
func (t *conntrack) track(tuple frame.Tuple, s segment, now time.Time) flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, ok := t.halves[tuple]; ok {
		if c := h.conn; !now.Before(c.expires) || tuple.Proto == frame.ProtoTCP && c.tcp.reopens(h.dir, s) {
			t.end(c, now) // its time was over, and nobody had swept it out
		} else if tuple.Proto == frame.ProtoICMP && c.translated() && s.question != (h.dir == original) {
			return flow{state: rule.StateInvalid} // the other side asks somebody else, by chance with the same identifier
		} else {
			return t.continued(h, tuple, s, now)
		}
	}
	if !begins(tuple, s) {
		return flow{state: rule.StateInvalid}
	}
	t.lastID++
	c := &conn{id: t.lastID, tuples: [2]frame.Tuple{tuple, tuple.Reply()}}
	c.traffic[original] = traffic{1, uint64(s.length)}
	c.tcp.follow(original, s)
	return flow{conn: c, state: rule.StateNew, first: true}
}

// continued accounts for a packet of a connection that is in the table.
func (t *conntrack) continued(h half, tuple frame.Tuple, s segment, now time.Time) flow {
	c := h.conn
	before := c.status()
	if tuple.Proto == frame.ProtoTCP && !c.tcp.follow(h.dir, s) {
		return flow{state: rule.StateInvalid}
	}
	c.traffic[h.dir].packets++
	c.traffic[h.dir].bytes += uint64(s.length)
	if h.dir == reply && !c.replied {
		c.replied = true
		t.crowd.answered(c)
	}
	c.assured = c.assured || c.replied && (tuple.Proto == frame.ProtoUDP && h.dir == original || c.tcp.state == tcpEstablished)
	c.expires = now.Add(t.timeouts.of(c))
	if c.tcp.closed() {
		t.crowd.closed(c)
	}
	if c.status() != before {
		t.tell(ConnUpdated, c, now)
	}
	state := rule.StateNew
	if c.replied {
		state = rule.StateEstablished
	}
	return flow{conn: c, dir: h.dir, state: state}
}

// related finds the connection that an ICMP error is about, from the tuple of the packet that the error quotes. The error
// travels against the quoted packet. It neither refreshes nor ends the connection (RFC 5508 REQ-6, RFC 4787 REQ-12).
func (t *conntrack) related(quoted frame.Tuple, now time.Time) flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, ok := t.halves[quoted.Reply()]
	if !ok || !now.Before(h.conn.expires) {
		return flow{state: rule.StateInvalid}
	}
	return flow{conn: h.conn, dir: h.dir, state: rule.StateRelated}
}

// confirm puts the connection of a first packet into the table, its translation being decided. If another packet of the
// flow was faster, here or from the other side, and became the same, both belong to the connection that it made (the
// kernel's nf_ct_resolve_clash). At a limit somebody has to go, see crowd; if that is the newcomer, the reason says so.
func (t *conntrack) confirm(f flow, s segment, now time.Time) (flow, trace.Reason) {
	c := f.conn
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, ok := t.halves[c.tuples[original]]; ok && h.conn.target(h.dir) == c.target(original) {
		t.free(c)
		return t.continued(h, c.tuples[original], s, now), trace.NoReason
	}
	for _, tuple := range c.tuples {
		if _, taken := t.halves[tuple]; taken {
			return f, trace.NATNoPort
		}
	}
	for {
		victim, r := t.crowd.admit(c)
		if r != trace.NoReason {
			return f, r
		}
		if victim == nil {
			break
		}
		t.end(victim, now)
	}
	c.expires = now.Add(t.timeouts.of(c))
	t.halves[c.tuples[original]] = half{c, original}
	t.halves[c.tuples[reply]] = half{c, reply}
	t.crowd.seat(c)
	t.tell(ConnNew, c, now)
	f.first = false
	return f, trace.NoReason
}

// abandon gives back what a connection that was never confirmed has reserved.
func (t *conntrack) abandon(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free(c)
}

// end takes a connection out of the table.
func (t *conntrack) end(c *conn, now time.Time) {
	delete(t.halves, c.tuples[original])
	delete(t.halves, c.tuples[reply])
	t.crowd.leave(c)
	t.free(c)
	t.tell(ConnEnded, c, now)
}

func (t *conntrack) free(c *conn) {
	t.mappings.release(c)
	if c.bound != nil {
		t.unbound = append(t.unbound, c)
	}
}

// sweep removes what has expired. next is when to sweep again, the zero time if the table is empty.
func (t *conntrack) sweep(now time.Time) (next time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.sorted(func(c *conn) bool { return !now.Before(c.expires) }) {
		t.end(c, now)
	}
	if len(t.halves) > 0 {
		next = now.Add(sweepInterval)
	}
	return next
}

// sweepInterval is how late an expired connection may be swept out. A packet of its own finds it expired at once; its port is
// free for others when it is swept.
const sweepInterval = time.Second

// sorted returns the connections that match, by id.
func (t *conntrack) sorted(match func(*conn) bool) []*conn {
	var found []*conn
	for _, h := range t.halves {
		if h.dir == original && match(h.conn) {
			found = append(found, h.conn)
		}
	}
	slices.SortFunc(found, func(a, b *conn) int { return cmp.Compare(a.id, b.id) })
	return found
}

// takeUnbound returns the connections whose uplink can free their port.
func (t *conntrack) takeUnbound() []*conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	unbound := t.unbound
	t.unbound = nil
	return unbound
}
