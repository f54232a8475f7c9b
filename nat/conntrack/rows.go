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
