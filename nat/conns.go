package nat

import (
	"time"

	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
)

// flow is what the connection table says of one packet, in the words of rules.
type flow struct {
	conn     *conntrack.Conn // nil: not tracked
	dir      conntrack.Direction
	state    rule.ConnState
	first    bool // the connection begins with this packet and is not in the table yet
	verbatim bool // translated already: an ICMP error or a RST with which the gateway itself refuses a packet
}

func flowOf(f conntrack.Flow) flow {
	return flow{conn: f.Conn, dir: f.Dir, state: states[f.State], first: f.First}
}

var states = [...]rule.ConnState{conntrack.Invalid: rule.StateInvalid, conntrack.New: rule.StateNew,
	conntrack.Established: rule.StateEstablished, conntrack.Related: rule.StateRelated}

func (f flow) id() uint64 {
	if f.conn == nil {
		return 0
	}
	return f.conn.ID()
}

// The connection table, for people; see package conntrack.
type (
	Conn       = conntrack.Row
	ConnChange = conntrack.Change
	ConnEvent  = conntrack.Event
	ConnFeed   = conntrack.Feed
	Timeouts   = conntrack.Timeouts
	PortRange  = conntrack.PortRange
)

// The changes of a connection.
const (
	ConnNew     = conntrack.Begun
	ConnUpdated = conntrack.Updated
	ConnEnded   = conntrack.Ended
)

// DefaultTimeouts returns how long connections are remembered unless SetTimeouts says otherwise.
func DefaultTimeouts() Timeouts { return conntrack.DefaultTimeouts() }

// Conns lists the connection table, by id.
func (g *Gateway) Conns(now time.Time) []Conn { return g.conns.List(now) }

// ConnStats says how full the connection table is.
func (g *Gateway) ConnStats() conntrack.Stats { return g.conns.Stats() }

// DropConns forgets the connections that match, and returns how many there were.
func (g *Gateway) DropConns(match func(Conn) bool, now time.Time) int {
	n := g.conns.Drop(match, now)
	g.releaseUnbound()
	return n
}

// FlushConns is DropConns for somebody who wants to see what the table finds anew (conntrack -F, -D): what is under way goes
// on with its next packet, as in Linux, and the rules are asked again.
func (g *Gateway) FlushConns(match func(Conn) bool, now time.Time) int {
	n := g.conns.Flush(match, now)
	g.releaseUnbound()
	return n
}

// Follow returns a feed of changes of the connection table; Unfollow ends it.
func (g *Gateway) Follow() *ConnFeed { return g.conns.Follow() }

// Unfollow ends a feed and returns how many events it lost.
func (g *Gateway) Unfollow(f *ConnFeed) (lost uint64) { return g.conns.Unfollow(f) }

// SetTimeouts changes how long connections are remembered, from their next packet on.
func (g *Gateway) SetTimeouts(t Timeouts) { g.conns.SetTimeouts(t) }

// releaseUnbound lets uplinks free the ports of connections that have ended.
func (g *Gateway) releaseUnbound() {
	for _, c := range g.conns.TakeUnbound() {
		c.Bound.(*Interface).binder.Release(c.Tuples[conntrack.Reply].Reply())
	}
}
