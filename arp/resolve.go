package arp

import (
	"net/netip"
	"slices"
	"time"

	"uswitch/switch/frame"
)

// Answer is what Resolve and Hold say of a neighbour.
type Answer uint8

// The answers.
const (
	Known   Answer = iota + 1 // the address is there: send
	Unknown                   // Resolve only: not there; call Hold with a copy of the packet
	Ask                       // the packet waits, and the caller broadcasts a request
	Wait                      // the packet waits; somebody has asked already
	Full                      // the table or the room for packets is full: the packet was not taken
)

// Resolution is where a neighbour is.
type Resolution struct {
	Answer Answer
	MAC    frame.MAC
	Static bool          // configured
	Age    time.Duration // since it was last confirmed
}

// Resolve looks a neighbour up in order to send to it. An entry that is stale is good enough to use, but being used it
// will be asked again soon: the caller should look at Tick within DelayTime.
func (c *Cache[P]) Resolve(addr netip.Addr, now time.Time) Resolution {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[addr]
	if !ok {
		return Resolution{Answer: Unknown}
	}
	return c.use(e, now)
}

func (c *Cache[P]) use(e *entry[P], now time.Time) Resolution {
	switch e.current(now) {
	case Incomplete, Failed:
		return Resolution{Answer: Unknown}
	case Stale:
		e.state, e.due = Delay, now.Add(DelayTime)
	}
	return Resolution{Answer: Known, MAC: e.mac, Static: e.state == Permanent, Age: now.Sub(e.updated)}
}

// Hold lets a packet wait for a neighbour whose address is not known. If it has become known since Resolve, the packet
// is not taken and the answer is Known. A full queue loses its oldest packet, which is returned in dropped; so does every
// queue while MaxHeldTotal packets wait, and a neighbour that has none then gets the answer Full.
func (c *Cache[P]) Hold(addr netip.Addr, packet P, now time.Time) (r Resolution, dropped []P) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[addr]
	if ok {
		if r := c.use(e, now); r.Answer == Known {
			return r, nil
		}
	}
	if c.held >= MaxHeldTotal && (!ok || len(e.held) == 0) {
		return Resolution{Answer: Full}, nil
	}
	if !ok {
		if !c.room(now) {
			return Resolution{Answer: Full}, nil
		}
		e = &entry[P]{state: Failed, updated: now}
		c.entries[addr] = e
	}
	if len(e.held) == MaxHeld || c.held == MaxHeldTotal {
		dropped = slices.Clone(e.held[:1])
		e.held = slices.Delete(e.held, 0, 1)
		c.held--
	}
	e.held = append(e.held, packet)
	c.held++
	if e.state == Incomplete || e.probes > 0 && now.Sub(e.asked) < RetransTime {
		if e.state == Failed {
			e.state, e.probes, e.due = Incomplete, 0, e.asked.Add(RetransTime) // Tick asks when a second has passed
		}
		return Resolution{Answer: Wait}, dropped
	}
	e.state, e.mac, e.probes, e.asked, e.due = Incomplete, frame.MAC{}, 1, now, now.Add(RetransTime)
	return Resolution{Answer: Ask}, dropped
}

// Action is what Tick wants done about one neighbour: ask (To is its last known address, or Broadcast), or give up, with
// the packets that waited in vain.
type Action[P any] struct {
	Addr   netip.Addr
	To     frame.MAC
	GaveUp bool
	Held   []P
}

// tickStep is how far apart calls of Tick are at least: each walks the whole table, and in a large one somebody is always
// about to be due.
const tickStep = 10 * time.Millisecond

// Tick moves every entry on whose time has come. It returns what is to be done, sorted by address, and when to call it
// again: the zero time if no entry waits for anything.
func (c *Cache[P]) Tick(now time.Time) (actions []Action[P], next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for addr, e := range c.entries {
		if e.state != Incomplete && e.state != Delay && e.state != Probe {
			continue
		}
		if !e.due.After(now) {
			actions = append(actions, c.advance(e, addr, now))
		}
		if e.state != Failed && (next.IsZero() || e.due.Before(next)) {
			next = e.due
		}
	}
	if !next.IsZero() && next.Sub(now) < tickStep {
		next = now.Add(tickStep)
	}
	slices.SortFunc(actions, func(a, b Action[P]) int { return a.Addr.Compare(b.Addr) })
	return actions, next
}

// advance moves on an entry that is due. It needs the lock.
func (c *Cache[P]) advance(e *entry[P], addr netip.Addr, now time.Time) Action[P] {
	if e.state == Delay {
		e.state, e.probes = Probe, 0
	}
	if e.probes >= Probes {
		e.state, e.mac, e.updated = Failed, frame.MAC{}, now
		return Action[P]{Addr: addr, GaveUp: true, Held: c.release(e)}
	}
	to := e.mac
	if e.state == Incomplete {
		to = frame.Broadcast
	}
	e.probes++
	e.asked, e.due = now, now.Add(RetransTime)
	return Action[P]{Addr: addr, To: to}
}
