package trace

import (
	"slices"
	"sync/atomic"
	"time"
)

// Journey is one packet on its way through the lab: it numbers the hops. It belongs to the goroutine that carries the
// packet.
type Journey struct {
	tracer *Tracer
	to     *listeners
	packet uint64
	hop    uint32
	hops   *atomic.Uint32 // counts the hops in place of hop, once the packet is cut: see Split
	now    time.Time
	came   string // the port of a switch by which it began
	alone  bool   // of a drop that nobody listens to: it ends with the one event, which is kept as an example
	held   *leg   // of a packet that somebody steps through
}

// Token names a journey while its packet waits somewhere. The zero Token names none.
type Token struct {
	packet uint64
	hop    uint32
	hops   *atomic.Uint32
	came   string
}

// On reports whether anybody listens.
func (j *Journey) On() bool { return compiled && j != nil }

// CameBy notes the port of a switch by which the packet came into the lab: what it says of its sender may not be so, that is.
func (j *Journey) CameBy(port string) {
	if j != nil {
		j.came = port
	}
}

// Now returns when the packet goes on: its own time, or a later one if somebody has held it at its last step. Tables that
// know ages are asked with this. It is not for a nil Journey.
func (j *Journey) Now() time.Time { return j.now }

// Emit hands one step to every listener, after filling in its time, packet id and hop. e's frame is lent for the call.
// Where somebody steps through the packet it returns when they let it go on, and Now is later then: the caller must hold
// no lock.
func (j *Journey) Emit(e Event) {
	if j == nil {
		return
	}
	if e.Came == "" {
		e.Came = j.came
	}
	e.Time, e.Packet, e.Hop = j.now, j.packet, j.nextHop()
	for _, r := range j.to.rings {
		r.push(&e)
	}
	if e.Verdict == Drop {
		j.keep(&e)
	}
	switch {
	case j.held != nil:
		j.now = j.held.stop(&e)
	case j.alone:
		j.tracer.pool.Put(j)
	}
}

// nextHop numbers a step.
func (j *Journey) nextHop() uint32 {
	if j.hops != nil {
		return j.hops.Add(1)
	}
	j.hop++
	return j.hop
}

// Split says that the packet is cut into pieces, each of which may leave this journey and come back to it: from here on
// they count their hops together.
func (j *Journey) Split() {
	if j != nil && j.hops == nil {
		j.hops = new(atomic.Uint32)
		j.hops.Store(j.hop)
	}
}

// Leave returns the token with which Tracer.Resume finds back to this journey. One hop is kept free for the event that
// says that the packet waits.
func (j *Journey) Leave() Token {
	if j == nil {
		return Token{}
	}
	return Token{j.packet, j.hop + 1, j.hops, j.came}
}

// End gives the journey back. Neither it nor its events' borrowed bytes may be used afterwards.
func (j *Journey) End() {
	if j != nil {
		j.tracer.pool.Put(j)
	}
}

// journey is a stretch of one: the steps from Begin or Resume to End, which share their time.
type journey struct {
	packet uint64
	time   time.Time
	at     uint64 // the place of its first event: see Journeys.Mark
	parked bool   // it waits for something: what comes later is another stretch, but for more pieces that wait too
	steps  []Event
}

// keepBytes of each frame are all that a head or a sentence reads.
const keepBytes = 256

func (j *journey) add(e *Event) {
	n := len(j.steps)
	j.steps = slices.Grow(j.steps, 1)[:n+1]
	s := &j.steps[n]
	data := append(s.Frame.Data[:0], e.Frame.Data[:min(len(e.Frame.Data), keepBytes)]...)
	*s = *e
	s.Length, s.Frame.Data = e.length(), data
	j.parked = e.Verdict == Queue
}

// journeyOf returns the stretch that e belongs to, a new one if need be.
func (p *Journeys) journeyOf(e *Event) *journey {
	for _, j := range slices.Backward(p.open) {
		if j.packet == e.Packet && j.time.Equal(e.Time) && (!j.parked || e.Verdict == Queue) {
			return j
		}
	}
	j := new(journey)
	if n := len(p.spare); n > 0 {
		j, p.spare = p.spare[n-1], p.spare[:n-1]
	}
	*j = journey{packet: e.Packet, time: e.Time, at: p.at, steps: j.steps[:0]}
	p.open = append(p.open, j)
	return j
}
