package conntrack

import (
	"cmp"
	"slices"
	"time"

	"uswitch/switch/frame"
)

// Row is one row of the connection table, for people. Original is what the originator sends; Reply is what answers look
// like as they arrive, which is where a translation can be read.
type Row struct {
	ID              uint64
	Original, Reply frame.Tuple
	State           string        // of TCP, with the kernel's names; otherwise empty
	Replied         bool          // else [UNREPLIED]
	Assured         bool          // [ASSURED]
	SNAT, DNAT      bool          // what was translated
	Timeout         time.Duration // until it is forgotten
	Packets, Bytes  [2]uint64     // original and reply direction
}

// status is what makes a change worth telling.
type status struct {
	replied, assured bool
	tcp              tcpState
}

func (c *Conn) status() status { return status{c.replied, c.assured, c.tcp.state} }

func (c *Conn) row(at time.Duration) Row {
	row := Row{ID: c.id, Original: c.Tuples[Original], Reply: c.Tuples[Reply], Replied: c.replied, Assured: c.assured,
		SNAT: c.SNAT, DNAT: c.DNAT, Timeout: max(c.expires-at, 0)}
	if row.Original.Proto == frame.ProtoTCP {
		row.State = c.tcp.state.String()
	}
	for d, t := range c.traffic {
		row.Packets[d], row.Bytes[d] = t.packets, t.bytes
	}
	return row
}

// List returns the rows of the table, by id. Packets move meanwhile, and connections that begin or end are in it or not.
func (t *Table) List(now time.Time) []Row {
	at := now.Sub(t.epoch)
	var rows []Row
	for i := t.Len() - 1; i >= 0; i-- {
		if row, ok := t.rowAt(i, at); ok {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(rows, func(a, b Row) bool { return a.ID == b.ID })
}

// rowAt returns the row of the connection with that index, if there still is one and its time is not over. From the last index
// to the first nobody is left out: who ends is replaced by the last, which was seen.
func (t *Table) rowAt(i int, at time.Duration) (row Row, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i >= len(t.all) || t.all[i].expired(at) {
		return row, false
	}
	return t.all[i].row(at), true
}

// Change is what happened to a connection.
type Change uint8

// The changes, as `conntrack -E` has them. The zero value is invalid.
const (
	Begun Change = iota + 1
	Updated
	Ended
)

// Event tells of one change.
type Event struct {
	Time   time.Time
	Change Change
	Conn   Row
}

// Feed is a bounded queue of events; when it is full, new ones are lost and counted. C is closed by Unfollow.
type Feed struct {
	C    chan Event
	lost uint64
}

// feedSize is how many events a feed holds for a slow reader.
const feedSize = 1024

// Follow returns a feed of changes; Unfollow ends it.
func (t *Table) Follow() *Feed {
	f := &Feed{C: make(chan Event, feedSize)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.feeds = append(t.feeds, f)
	return f
}

// Unfollow ends a feed and returns how many events it lost.
func (t *Table) Unfollow(f *Feed) (lost uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.feeds = slices.DeleteFunc(t.feeds, func(o *Feed) bool { return o == f })
	close(f.C)
	return f.lost
}

// tell needs the lock; it never waits.
func (t *Table) tell(change Change, c *Conn, now time.Time) {
	for _, f := range t.feeds {
		select {
		case f.C <- Event{now, change, c.row(now.Sub(t.epoch))}:
		default:
			f.lost++
		}
	}
}

// Len counts the connections.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all)
}

// Stats says how full a table is.
type Stats struct {
	Conns, Limit int
	Sources      int    // who has any
	Waiting      int    // not assured
	Entered      uint64 // since the table is there
	Evicted      uint64 // of those, had to make room for others before their time
}

// Stats returns how full the table is.
func (t *Table) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Stats{Conns: len(t.all), Limit: t.eviction.limit, Sources: len(t.eviction.sources), Waiting: t.eviction.waiting,
		Entered: t.entered, Evicted: t.eviction.evicted}
}

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

// forget gives up a connection that was flushed.
func (t *Table) forget(c *Conn) {
	delete(t.flushed.conns, c.Tuples[Original])
	c.nodes.conns.leave()
	c.timer.leave()
	t.free(c)
}
