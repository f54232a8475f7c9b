package conntrack

import (
	"time"

	"uswitch/switch/frame"
)

// A connection that somebody flushes out of the table goes on with its next packet, as in the kernel, where the table takes
// up a TCP connection in its midst (nf_conntrack_tcp_loose). The kernel believes any acknowledgement; here it must be one of
// a connection that was flushed, so that a scan leaves no trace. The rules are asked again, and may decide otherwise than the
// first time.

// flushed are connections that were flushed and have not been heard of since. It is guarded by the table's lock.
type flushed struct {
	conns map[frame.Tuple]*Conn // by the original tuple
	order queue                 // the oldest goes when there are as many as the table holds
}

// Drop removes the connections that match and returns how many there were. match is called without the lock.
func (t *Table) Drop(match func(Row) bool, now time.Time) int { return t.each(match, t.end, now) }

// Flush removes the connections that match, as Drop does, but knows them again when they go on: what their Bound has reserved
// is theirs until then, or until their time is over.
func (t *Table) Flush(match func(Row) bool, now time.Time) int { return t.each(match, t.flush, now) }

// each removes the connections that match, each with the lock taken anew, and counts them.
func (t *Table) each(match func(Row) bool, remove func(*Conn, time.Time), now time.Time) (n int) {
	for _, row := range t.List(now) {
		if match(row) && t.one(row, remove, now) {
			n++
		}
	}
	return n
}

func (t *Table) one(row Row, remove func(*Conn, time.Time), now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, ok := t.halves[row.Original]
	if ok = ok && h.conn.id == row.ID; ok {
		remove(h.conn, now)
	}
	return ok
}

// flush takes a connection out of the table and remembers it, where anything would be lost if it began anew. It needs the lock.
func (t *Table) flush(c *Conn, now time.Time) {
	if c.tcp.closed() || c.Tuples[Original].Proto != frame.ProtoTCP && c.Bound == nil {
		t.end(c, now) // nothing is lost when it begins anew
		return
	}
	t.leave(c, now)
	if t.flushed.conns == nil {
		t.flushed.conns = map[frame.Tuple]*Conn{}
	}
	if t.flushed.order.n >= t.eviction.limit {
		t.forget(t.flushed.order.oldest())
	}
	t.flushed.conns[c.Tuples[Original]] = c
	t.flushed.order.push(&c.nodes.conns, c)
	t.wheel.schedule(c)
}
