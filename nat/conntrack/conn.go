package conntrack

import (
	"time"

	"uswitch/switch/frame"
)

// Direction of a packet within its connection.
type Direction uint8

// The directions: as the connection began, and back.
const (
	Original Direction = iota
	Reply
)

// Other returns the opposite direction.
func (d Direction) Other() Direction { return 1 - d }

// Conn is one connection. The exported fields do not change once it is in the table; the rest is guarded by the table's
// lock.
type Conn struct {
	id     uint64
	Source Source         // who began it
	Tuples [2]frame.Tuple // by Direction
	Bound  any            // who reserved the source port of the translated packets, nil for the table itself: see TakeUnbound
	DNAT   bool           // a rule changed the destination
	SNAT   bool           // a rule changed the source

	expires time.Duration // since the table's epoch
	due     int64         // the second of its slot in the wheel
	replied bool          // the other side has answered
	assured bool          // worth keeping: answers have been answered; as in Linux never said of ICMP and what has no ports
	tcp     tcpTrack
	traffic [2]traffic
	mapping *mapping
	counted []CountKey // see Count
	index   int        // in Table.all
	order   uint64     // of its entry into the table
	nodes   nodes
	timer   node // in the wheel
}

func (c *Conn) expired(at time.Duration) bool { return at >= c.expires }

type traffic struct{ packets, bytes uint64 }

// ID counts connections, from 1.
func (c *Conn) ID() uint64 { return c.id }

// Target returns the tuple that a packet in direction d has when it leaves.
func (c *Conn) Target(d Direction) frame.Tuple { return c.Tuples[d.Other()].Reply() }

// Translated reports whether either end was changed.
func (c *Conn) Translated() bool { return c.SNAT || c.DNAT }

// State is what a packet is to the table.
type State uint8

// The states of iptables' -m conntrack. The zero value, Invalid, belongs to no connection and cannot begin one.
const (
	Invalid State = iota
	New
	Established
	Related
)
