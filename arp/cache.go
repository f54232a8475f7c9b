package arp

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"uswitch/switch/frame"
)

// State of a neighbour, as `ip neigh` names them.
type State uint8

// The states. The zero value is invalid.
const (
	Incomplete State = iota + 1 // asked, no answer yet; packets wait
	Reachable                   // confirmed within the last ReachableTime
	Stale                       // believed, but not confirmed for a while
	Delay                       // stale and in use: asked again after DelayTime
	Probe                       // being asked again, at the address it had
	Failed                      // did not answer
	Permanent                   // configured
)

// String returns the state's name in capitals, as `ip neigh` prints it.
func (s State) String() string {
	return [...]string{"NONE", "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "PERMANENT"}[s]
}

// Times and bounds. The times are the kernel's defaults (net.ipv4.neigh.default).
const (
	ReachableTime  = 30 * time.Second // base_reachable_time_ms
	DelayTime      = 5 * time.Second  // delay_first_probe_time
	RetransTime    = time.Second      // retrans_time_ms; also RFC 1122 2.3.2.1: at most one request a second
	Probes         = 3                // mcast_solicit, ucast_solicit
	MaxHeld        = 16               // packets that wait for one neighbour; the oldest goes first
	MaxHeldTotal   = 2048             // packets that wait for all neighbours of a table together
	MaxNeighbors   = 8192             // entries; Linux has 1024 (gc_thresh3), too few for a large lab
	DefendInterval = 10 * time.Second // RFC 5227 1.1
)

// Cache is the neighbour table of one network. P is what waits for an answer.
type Cache[P any] struct {
	mu       sync.Mutex // guards everything; held for one operation on one entry, for Tick and List on all
	entries  map[netip.Addr]*entry[P]
	held     int       // packets that wait, of all entries
	defended time.Time // when the own address was last defended
	crowded  time.Time // when room was last looked for and hardly found
}

type entry[P any] struct {
	mac     frame.MAC
	router  bool
	state   State // Reachable may have become Stale meanwhile: see current
	updated time.Time
	asked   time.Time
	probes  int       // questions since the last answer
	due     time.Time // when a Delay, Probe or Incomplete entry moves on
	held    []P
}

// New makes an empty table.
func New[P any]() *Cache[P] { return &Cache[P]{entries: map[netip.Addr]*entry[P]{}} }

// current returns the state at now.
func (e *entry[P]) current(now time.Time) State {
	if e.state == Reachable && now.Sub(e.updated) >= ReachableTime {
		return Stale
	}
	return e.state
}

// Neighbor is one row of the table.
type Neighbor struct {
	Addr  netip.Addr
	MAC   frame.MAC // zero while Incomplete or Failed
	State State
	Age   time.Duration // since it was last confirmed
	Held  int           // packets that wait
	// Router says that the neighbour calls itself a router, of IPv6 alone.
	Router bool
}

// List returns the table as it is at now, sorted by address.
func (c *Cache[P]) List(now time.Time) []Neighbor {
	c.mu.Lock()
	rows := make([]Neighbor, 0, len(c.entries))
	for addr, e := range c.entries {
		rows = append(rows, Neighbor{addr, e.mac, e.current(now), now.Sub(e.updated), len(e.held), e.router})
	}
	c.mu.Unlock()
	slices.SortFunc(rows, func(a, b Neighbor) int { return a.Addr.Compare(b.Addr) })
	return rows
}

// SetPermanent enters a neighbour that is not asked for and not forgotten. What waited for it is returned.
func (c *Cache[P]) SetPermanent(addr netip.Addr, mac frame.MAC, now time.Time) (released []P) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[addr]; ok {
		released = c.release(e)
	}
	c.entries[addr] = &entry[P]{mac: mac, state: Permanent, updated: now}
	return released
}

// Remove forgets a neighbour, and reports whether there was one. What waited for it is returned.
func (c *Cache[P]) Remove(addr netip.Addr) (held []P, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[addr]
	if !ok {
		return nil, false
	}
	delete(c.entries, addr)
	return c.release(e), true
}

// Flush forgets every neighbour that was not configured. What waited is returned, in the order of the addresses.
func (c *Cache[P]) Flush() (held []P) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, addr := range slices.SortedFunc(maps.Keys(c.entries), netip.Addr.Compare) {
		if e := c.entries[addr]; e.state != Permanent {
			held = append(held, c.release(e)...)
			delete(c.entries, addr)
		}
	}
	return held
}

// Making room means walking the whole table, with the lock held. So it is made for many at once, and where there was none
// it is not looked for again at once: a host that tries out every address of a large network costs little.
const (
	roomBatch = MaxNeighbors / 16
	roomPause = 100 * time.Millisecond
)

// room reports whether one more neighbour fits. In a full table it forgets those that failed, and then those that were
// confirmed longest ago; never one that was asked for or is in use, and so none for which packets wait. It needs the lock.
func (c *Cache[P]) room(now time.Time) bool {
	if len(c.entries) < MaxNeighbors {
		return true
	}
	if since := now.Sub(c.crowded); since >= 0 && since < roomPause {
		return false
	}
	type candidate struct {
		addr    netip.Addr
		state   State
		updated time.Time
	}
	var idle []candidate
	for addr, e := range c.entries {
		if s := e.current(now); s == Failed || s == Stale {
			idle = append(idle, candidate{addr, s, e.updated})
		}
	}
	slices.SortFunc(idle, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.state, a.state), a.updated.Compare(b.updated), a.addr.Compare(b.addr)) // Failed > Stale
	})
	if len(idle) < roomBatch {
		c.crowded = now
	}
	for _, one := range idle[:min(len(idle), roomBatch)] {
		delete(c.entries, one.addr)
	}
	return len(idle) > 0
}

// release hands out what has waited for a neighbour. It needs the lock.
func (c *Cache[P]) release(e *entry[P]) (held []P) {
	held, e.held = e.held, nil
	c.held -= len(held)
	return held
}

// Fork returns a table that knows what c knows at this moment and shares nothing with it, so that a question can be tried
// out on it. Packets that wait belong to the original and do not come along; that their neighbour was asked for does.
func (c *Cache[P]) Fork() *Cache[P] {
	f := New[P]()
	c.mu.Lock()
	defer c.mu.Unlock()
	for addr, e := range c.entries {
		twin := *e
		twin.held = nil
		f.entries[addr] = &twin
	}
	f.defended, f.crowded = c.defended, c.crowded
	return f
}

// Restore makes a table of the rows of a list, as they were at now: of another machine's table, say, of which no more is
// known. A neighbour that was asked for in vain counts as Failed, one that is being asked again as Stale.
func Restore[P any](rows []Neighbor, now time.Time) *Cache[P] {
	c := New[P]()
	for _, n := range rows {
		e := &entry[P]{mac: n.MAC, state: n.State, updated: now.Add(-n.Age), router: n.Router}
		switch n.State {
		case Incomplete:
			e.state = Failed
		case Delay, Probe:
			e.state = Stale
		}
		c.entries[n.Addr] = e
	}
	return c
}
