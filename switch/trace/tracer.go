package trace

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Tracer counts drops, numbers journeys, and hands events to the rings that are attached. One Tracer serves a whole lab.
// Every method may be called from many goroutines. The zero value is ready.
type Tracer struct {
	rings    atomic.Pointer[[]*Ring]
	journeys atomic.Uint64
	drops    [reasonEnd]atomic.Uint64
	pool     sync.Pool  // of *Journey
	mu       sync.Mutex // serialises Attach and Detach
}

// Attach makes a ring receive every event from now on.
func (t *Tracer) Attach(r *Ring) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.store(append(slices.Clone(t.attached()), r))
}

// Detach ends what Attach began. The ring keeps what it has.
func (t *Tracer) Detach(r *Ring) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.store(slices.DeleteFunc(slices.Clone(t.attached()), func(other *Ring) bool { return other == r }))
}

func (t *Tracer) attached() []*Ring {
	if rings := t.rings.Load(); rings != nil {
		return *rings
	}
	return nil
}

func (t *Tracer) store(rings []*Ring) {
	if len(rings) == 0 {
		t.rings.Store(nil)
		return
	}
	t.rings.Store(&rings)
}

// Listening reports whether anybody does at this moment.
func (t *Tracer) Listening() bool { return t.rings.Load() != nil }

// Count counts a drop whether or not anybody listens.
func (t *Tracer) Count(r Reason) { t.drops[r].Add(1) }

// Drops returns how many packets were dropped for a reason since the lab began.
func (t *Tracer) Drops(r Reason) uint64 { return t.drops[r].Load() }

// Begin starts the journey of a packet that appears at now. It returns nil when nobody listens: every method of a nil
// Journey is a no-op, and callers ask On before they build an event. End must be called when the packet is done with.
func (t *Tracer) Begin(now time.Time) *Journey {
	rings := t.rings.Load()
	if rings == nil {
		return nil
	}
	return t.resume(rings, t.journeys.Add(1), 0, now)
}

// Resume continues a journey that was left with Leave, at now: a packet that had to wait for an ARP answer, say. A
// journey that nobody watched is not watched from the middle on.
func (t *Tracer) Resume(token Token, now time.Time) *Journey {
	rings := t.rings.Load()
	if rings == nil || token.packet == 0 {
		return nil
	}
	return t.resume(rings, token.packet, token.hop, now)
}

func (t *Tracer) resume(rings *[]*Ring, packet uint64, hop uint32, now time.Time) *Journey {
	j, _ := t.pool.Get().(*Journey)
	if j == nil {
		j = new(Journey)
	}
	*j = Journey{tracer: t, rings: rings, packet: packet, hop: hop, now: now}
	return j
}

// Journey is one packet on its way through the lab: it numbers the hops. It belongs to the goroutine that carries the
// packet.
type Journey struct {
	tracer *Tracer
	rings  *[]*Ring
	packet uint64
	hop    uint32
	now    time.Time
}

// Token names a journey while its packet waits somewhere. The zero Token names none.
type Token struct {
	packet uint64
	hop    uint32
}

// On reports whether anybody listens.
func (j *Journey) On() bool { return j != nil }

// Emit hands one step to every listener, after filling in its time, packet id and hop. e's frame is lent for the call.
func (j *Journey) Emit(e Event) {
	if j == nil {
		return
	}
	j.hop++
	e.Time, e.Packet, e.Hop = j.now, j.packet, j.hop
	for _, r := range *j.rings {
		r.push(&e)
	}
}

// Leave returns the token with which Tracer.Resume finds back to this journey. One hop is kept free for the event that
// says that the packet waits.
func (j *Journey) Leave() Token {
	if j == nil {
		return Token{}
	}
	return Token{j.packet, j.hop + 1}
}

// End gives the journey back. Neither it nor its events' borrowed bytes may be used afterwards.
func (j *Journey) End() {
	if j != nil {
		j.tracer.pool.Put(j)
	}
}
