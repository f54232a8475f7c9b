package vswitch

import (
	"slices"
	"strings"
	"time"
)

// movesTold bounds how many moves of one station a second the trace hears of. A station that is plugged elsewhere, or
// taken over by a spare, moves a few times; one that moves on and on stands for a loop, or for two stations with one
// address, and would fill the trace with one sentence.
const movesTold = 10

// A station that moves loopMoves times within a second goes round in a loop: a bridge that connects two ports, say. For
// loopHold it is held down behind the port where it was before it began to move, and what carries its address elsewhere is
// dropped; and nothing goes from one of the ports of the loop to another, which are one and the same network. That ends the
// round, which frames to a known station would make for ever, past any limit on floods. Then all is as before; if the
// loop is still there, it is found once more after as many moves.
const (
	loopMoves = 200
	loopHold  = 10 * time.Second
)

// loop is why a station is held down. It does not change.
type loop struct {
	ports []*Port       // behind which stations are heard by turns
	names []string      // of the same ports
	until time.Duration // age of the switch
}

// loopWith returns the loop of two ports, which were already in loops of their own perhaps.
func loopWith(p, q *Port, now time.Duration) *loop {
	l := &loop{until: now + loopHold}
	add := func(one *Port) {
		if !slices.Contains(l.ports, one) {
			l.ports = append(l.ports, one)
		}
	}
	for _, one := range []*Port{p, q} {
		add(one)
		if before := one.loop.Load(); before != nil && now < before.until {
			for _, other := range before.ports {
				add(other)
			}
		}
	}
	slices.SortFunc(l.ports, func(a, b *Port) int { return strings.Compare(a.name, b.name) })
	for _, one := range l.ports {
		l.names = append(l.names, one.name)
	}
	return l
}

// loops reports whether two ports are known to be one network, so that what comes from one is not sent to the other.
func (p *Port) loops(to *Port, now time.Duration) bool {
	if l := p.loop.Load(); l != nil && now < l.until && slices.Contains(l.ports, to) {
		return true
	}
	l := to.loop.Load()
	return l != nil && now < l.until && slices.Contains(l.ports, p)
}

// echoes reports whether p is known to be a port of a loop, and home is none: what comes by p from a station that lives at home
// has come round. It does not move there while the loop lasts, for its frames would go round after it.
func (p *Port) echoes(home *Port, now time.Duration) bool {
	l := p.loop.Load()
	return l != nil && now < l.until && home != nil && !slices.Contains(l.ports, home)
}

// flaps follows a station that moves. The table's lock guards it.
type flaps struct {
	told       bucket
	suppressed uint32 // since the last one that was told of

	home  *Port         // where it lived before it began to move
	since time.Duration // when the second began in which moves are counted
	moves int
	to    [4]visits // where they led
}

// visits are moves to one port.
type visits struct {
	port *Port
	n    int
}

// lived is how long a station is heard behind a port, and nowhere else, before it lives there.
const lived = time.Second

// count counts a move to a port; a fifth port and more are not told apart.
func (f *flaps) count(p *Port, now time.Duration) {
	if now-f.since > time.Second {
		f.since, f.moves, f.to = now, 0, [4]visits{}
	}
	f.moves++
	for i := range f.to {
		if v := &f.to[i]; v.port == p || v.port == nil {
			v.port, v.n = p, v.n+1
			return
		}
	}
}

// ends returns the two ports that a station is heard behind most. Where it lives is one of them only if there are no two
// others: a station that speaks while its frames go round moves home each time.
func (f *flaps) ends() (a, b *Port) {
	slices.SortStableFunc(f.to[:], func(v, w visits) int { return w.n - v.n })
	for _, v := range f.to {
		switch {
		case v.port == nil || v.port == f.home || v.n < loopMoves/8:
		case a == nil:
			a = v.port
		case b == nil:
			b = v.port
		}
	}
	if b == nil {
		b = f.home
	}
	return a, b
}

// move notes that a station was heard behind another port than e says; next is what is to take the place of e. It needs the
// lock.
func (t *FDB) move(e, next *entry, now time.Duration) finding {
	t.moves++
	f := e.flaps
	if f == nil {
		f = &flaps{home: e.port, since: now}
	}
	if time.Duration(e.seen.Load())-e.since >= lived {
		f.home = e.port
	}
	next.flaps = f
	if f.count(next.port, now); f.moves >= loopMoves {
		return t.holdDown(e, next, now)
	}
	if !f.told.take(movesTold, now) {
		f.suppressed++
		return finding{outcome: refreshed}
	}
	found := finding{outcome: moved, from: e.port.name, suppressed: f.suppressed}
	f.suppressed = 0
	return found
}

// holdDown makes next keep the station behind the port where it was at first.
func (t *FDB) holdDown(e, next *entry, now time.Duration) finding {
	f := next.flaps
	heard := next.port
	a, b := f.ends()
	if a == nil {
		return finding{outcome: refreshed}
	}
	l := loopWith(a, b, now)
	for _, p := range l.ports {
		p.loop.Store(l)
	}
	next.loop = l
	if next.port = f.home; f.home.gone.Load() {
		next.port = e.port
	}
	f.moves = 0
	if heard == next.port {
		return finding{outcome: refreshed}
	}
	return finding{outcome: looped, from: next.port.name, loop: l}
}

// Moves returns how often a station was heard behind another port than before.
func (t *FDB) Moves() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moves
}
