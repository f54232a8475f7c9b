package nat

import (
	"slices"
	"time"

	"uswitch/switch/frame"
)

// Conn is one row of the connection table, for people. Original is what the originator sends; Reply is what answers look
// like as they arrive, which is where a translation can be read.
type Conn struct {
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

func (c *conn) status() status { return status{c.replied, c.assured, c.tcp.state} }

func (c *conn) row(now time.Time) Conn {
	row := Conn{ID: c.id, Original: c.tuples[original], Reply: c.tuples[reply], Replied: c.replied, Assured: c.assured,
		SNAT: c.snat, DNAT: c.dnat, Timeout: max(c.expires.Sub(now), 0)}
	if row.Original.Proto == frame.ProtoTCP {
		row.State = c.tcp.state.String()
	}
	for d, t := range c.traffic {
		row.Packets[d], row.Bytes[d] = t.packets, t.bytes
	}
	return row
}

func (t *conntrack) list(now time.Time) []Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	var rows []Conn
	for _, c := range t.sorted(func(c *conn) bool { return now.Before(c.expires) }) {
		rows = append(rows, c.row(now))
	}
	return rows
}

// drop removes the connections that match and returns how many there were. match is called without the lock.
func (t *conntrack) drop(match func(Conn) bool, now time.Time) (n int) {
	found := slices.DeleteFunc(t.list(now), func(row Conn) bool { return !match(row) })
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

// ConnChange is what happened to a connection.
type ConnChange uint8

// The changes, as `conntrack -E` has them. The zero value is invalid.
const (
	ConnNew ConnChange = iota + 1
	ConnUpdated
	ConnEnded
)

// ConnEvent tells of one change.
type ConnEvent struct {
	Time   time.Time
	Change ConnChange
	Conn   Conn
}

// ConnFeed is a bounded queue of events; when it is full, new ones are lost and counted. C is closed by Gateway.Unfollow.
type ConnFeed struct {
	C    chan ConnEvent
	lost uint64
}

// connFeedSize is how many events a feed holds for a slow reader.
const connFeedSize = 1024

// tell needs the lock; it never waits.
func (t *conntrack) tell(change ConnChange, c *conn, now time.Time) {
	for _, f := range t.feeds {
		select {
		case f.C <- ConnEvent{now, change, c.row(now)}:
		default:
			f.lost++
		}
	}
}
