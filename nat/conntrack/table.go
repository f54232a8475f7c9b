package conntrack

import (
	"sync"
	"time"

	"uswitch/switch/frame"
)

// Flow is what the table says of one packet.
type Flow struct {
	Conn  *Conn // nil: not tracked
	Dir   Direction
	State State
	First bool // the connection begins with this packet and is not in the table yet
}

// Refusal is why a connection cannot be in the table.
type Refusal uint8

// The refusals. The zero value is none.
const (
	Taken Refusal = iota + 1 // another connection expects the same packets
	Full                     // the table is full, and nobody has more connections than who begins this one
)

// half finds a connection by one of its tuples.
type half struct {
	conn *Conn
	dir  Direction
}

// Table is the connection table. Its methods may be called from many goroutines.
type Table struct {
	epoch time.Time

	mu       sync.Mutex // guards all below; it is held for one connection's work at a time, never for a walk through the table
	all      []*Conn    // in no order
	halves   map[frame.Tuple]half
	mappings mappings
	eviction eviction
	wheel    wheel
	flushed  flushed
	counts   map[CountKey]int
	timeouts Timeouts
	lastID   uint64
	entered  uint64 // connections that were ever in the table
	feeds    []*Feed
	unbound  []*Conn // removed, and their uplink still holds a port for them
}

// NewTable makes a table for that many connections, 0 meaning DefaultMaxConns. No packet is older than the epoch.
func NewTable(limit int, epoch time.Time) *Table {
	return &Table{epoch: epoch, halves: map[frame.Tuple]half{}, mappings: newMappings(), eviction: newEviction(limit),
		counts: map[CountKey]int{}, timeouts: DefaultTimeouts()}
}

// Track finds the connection of a packet, or begins one that is not in the table until confirm. A packet that belongs to no
// connection and cannot begin one is Invalid; the rules decide what becomes of it, but it is not translated. from is who
// sends it, for whom a new connection counts.
func (t *Table) Track(tuple frame.Tuple, from Source, s Segment, now time.Time) Flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, ok := t.halves[tuple]; ok {
		if c := h.conn; c.expired(now.Sub(t.epoch)) || tuple.Proto == frame.ProtoTCP && c.tcp.reopens(h.dir, s) {
			t.end(c, now) // its time was over, and nobody had swept it out
		} else if frame.IsICMP(tuple.Proto) && c.Translated() && s.Question != (h.dir == Original) {
			return Flow{State: Invalid} // the other side asks somebody else, by chance with the same identifier
		} else {
			return t.continued(h, tuple, s, now)
		}
	}
	if !begins(tuple, s) && (t.flushed.conns[tuple] == nil || !goesOn(tuple, s)) {
		return Flow{State: Invalid}
	}
	t.lastID++
	c := &Conn{id: t.lastID, Source: from, Tuples: [2]frame.Tuple{tuple, tuple.Reply()}}
	c.traffic[Original] = traffic{1, uint64(s.Length)}
	c.tcp.follow(Original, s)
	return Flow{Conn: c, State: New, First: true}
}

// continued accounts for a packet of a connection that is in the table.
func (t *Table) continued(h half, tuple frame.Tuple, s Segment, now time.Time) Flow {
	c := h.conn
	before := c.status()
	if tuple.Proto == frame.ProtoTCP && !c.tcp.follow(h.dir, s) {
		return Flow{State: Invalid}
	}
	c.traffic[h.dir].packets++
	c.traffic[h.dir].bytes += uint64(s.Length)
	if h.dir == Reply && !c.replied {
		c.replied = true
	}
	if !c.assured && c.replied && (c.tcp.state == tcpEstablished || h.dir == Original && converses(tuple.Proto)) {
		c.assured = true
		t.eviction.assured(c)
	}
	c.expires = now.Sub(t.epoch) + t.timeouts.of(c)
	if c.expires <= time.Duration(c.due-1)*SweepInterval {
		t.wheel.schedule(c)
	}
	if c.tcp.closed() {
		t.eviction.closed(c)
		t.uncount(c)
	}
	if c.status() != before {
		t.tell(Updated, c, now)
	}
	state := New
	if c.replied {
		state = Established
	}
	return Flow{Conn: c, Dir: h.dir, State: state}
}

// converses reports whether a protocol has conversations of which only the packets tell: one whose ports say what belongs
// together, and that is not TCP.
func converses(proto uint8) bool { return proto != frame.ProtoTCP && frame.ProtoHasPorts(proto) }

// Related finds the connection that an ICMP error is about, from the tuple of the packet that the error quotes. The error
// travels against the quoted packet. It neither refreshes nor ends the connection (RFC 5508 REQ-6, RFC 4787 REQ-12).
func (t *Table) Related(quoted frame.Tuple, now time.Time) Flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, ok := t.halves[quoted.Reply()]
	if !ok || h.conn.expired(now.Sub(t.epoch)) {
		return Flow{State: Invalid}
	}
	return Flow{Conn: h.conn, Dir: h.dir, State: Related}
}

// Confirm puts the connection of a first packet into the table, its translation being decided. If another packet of the
// flow was faster, here or from the other side, and became the same, both belong to the connection that it made (the
// kernel's nf_ct_resolve_clash). At a limit somebody has to go, see eviction; if that is the newcomer, the reason says so.
func (t *Table) Confirm(c *Conn, s Segment, now time.Time) (Flow, Refusal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, ok := t.halves[c.Tuples[Original]]; ok && h.conn.Target(h.dir) == c.Target(Original) {
		t.free(c)
		return t.continued(h, c.Tuples[Original], s, now), 0
	}
	for _, tuple := range c.Tuples {
		if h, taken := t.halves[tuple]; taken && !h.conn.expired(now.Sub(t.epoch)) {
			return Flow{}, Taken
		} else if taken {
			t.end(h.conn, now)
		}
	}
	for {
		victim, r := t.eviction.victim(c)
		if r != 0 {
			return Flow{}, r
		}
		if victim == nil {
			break
		}
		t.end(victim, now)
		t.eviction.evicted++
	}
	c.expires = now.Sub(t.epoch) + t.timeouts.of(c)
	t.entered++
	c.order = t.entered
	t.enter(c)
	if before := t.flushed.conns[c.Tuples[Original]]; before != nil {
		t.forget(before) // it has found its place again
	}
	t.tell(Begun, c, now)
	return Flow{Conn: c, State: New}, 0
}

// Abandon gives back what a connection that was never confirmed has reserved.
func (t *Table) Abandon(c *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free(c)
}

// enter puts a connection into everything that the table consists of.
func (t *Table) enter(c *Conn) {
	c.index = len(t.all)
	t.all = append(t.all, c)
	t.halves[c.Tuples[Original]] = half{c, Original}
	t.halves[c.Tuples[Reply]] = half{c, Reply}
	t.eviction.insert(c)
	t.wheel.schedule(c)
	t.count(c)
}

// end takes a connection out of the table, and gives back what it has reserved.
func (t *Table) end(c *Conn, now time.Time) {
	t.leave(c, now)
	t.free(c)
}

// leave takes a connection out of everything that the table consists of.
func (t *Table) leave(c *Conn, now time.Time) {
	last := len(t.all) - 1
	t.all[c.index] = t.all[last]
	t.all[c.index].index = c.index
	t.all[last] = nil
	t.all = t.all[:last]
	delete(t.halves, c.Tuples[Original])
	delete(t.halves, c.Tuples[Reply])
	t.eviction.remove(c)
	c.timer.leave()
	t.uncount(c)
	t.mappings.release(c)
	t.tell(Ended, c, now)
}

func (t *Table) free(c *Conn) {
	t.mappings.release(c)
	if c.Bound != nil {
		t.unbound = append(t.unbound, c)
	}
}

// forget gives up a connection that was flushed.
func (t *Table) forget(c *Conn) {
	delete(t.flushed.conns, c.Tuples[Original])
	c.nodes.conns.leave()
	c.timer.leave()
	t.free(c)
}

// TakeUnbound returns the connections that are over, and whose Bound can free their port.
func (t *Table) TakeUnbound() []*Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	unbound := t.unbound
	t.unbound = nil
	return unbound
}

// Sweep removes what has expired; the lock is held for one connection at a time. next is when to sweep again, the zero time
// if the table is empty.
func (t *Table) Sweep(now time.Time) (next time.Time) {
	for t.sweepOne(now) {
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) > 0 || t.flushed.order.n > 0 {
		next = t.epoch.Add(time.Duration(t.wheel.swept+1) * SweepInterval)
	}
	return next
}

func (t *Table) sweepOne(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := now.Sub(t.epoch)
	c := t.wheel.next(at)
	switch {
	case c == nil:
		return false
	case !c.expired(at):
		t.wheel.schedule(c)
	case c.nodes.source == nil:
		t.forget(c)
	default:
		t.end(c, now)
	}
	return true
}
