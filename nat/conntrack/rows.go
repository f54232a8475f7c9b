package conntrack

import (
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

func (c *Conn) row(now time.Time) Row {
	row := Row{ID: c.id, Original: c.Tuples[Original], Reply: c.Tuples[Reply], Replied: c.replied, Assured: c.assured,
		SNAT: c.SNAT, DNAT: c.DNAT, Timeout: max(c.expires.Sub(now), 0)}
	if row.Original.Proto == frame.ProtoTCP {
		row.State = c.tcp.state.String()
	}
	for d, t := range c.traffic {
		row.Packets[d], row.Bytes[d] = t.packets, t.bytes
	}
	return row
}

// List returns the rows of the table, by id.
func (t *Table) List(now time.Time) []Row {
	t.mu.Lock()
	defer t.mu.Unlock()
	var rows []Row
	for _, c := range t.sorted(func(c *Conn) bool { return now.Before(c.expires) }) {
		rows = append(rows, c.row(now))
	}
	return rows
}

// Drop removes the connections that match and returns how many there were. match is called without the lock.
func (t *Table) Drop(match func(Row) bool, now time.Time) (n int) {
	found := slices.DeleteFunc(t.List(now), func(row Row) bool { return !match(row) })
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, row := range found {
		if h, ok := t.halves[row.Original]; ok && h.conn.id == row.ID {
			t.end(h.conn, now)
			n++
		}
	}
	return n
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
		case f.C <- Event{now, change, c.row(now)}:
		default:
			f.lost++
		}
	}
}
