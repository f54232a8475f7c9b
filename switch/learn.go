package vswitch

import (
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// outcome of learning from one frame.
type outcome uint8

const (
	refreshed outcome = iota // known to live there already, or the port does not learn
	learned                  // new here
	moved                    // lived behind another port until now
	full                     // new, but the table has no place for it
	spoofed                  // belongs to the local station or, by configuration, to another port
	looped                   // goes round: see loop
)

type finding struct {
	outcome    outcome
	from       string // on a move, the port that it left; in a loop, the one where it is believed to be
	loop       *loop
	suppressed uint32 // on a move, how many before it were not told of
}

func (f finding) note() trace.Note {
	switch f.outcome {
	case moved:
		return trace.Moved
	case full:
		return trace.FDBFull
	}
	return trace.Learned
}

// learn notes that a frame from mac arrived at p. The usual case, a station that stays where it is, takes no lock;
// learnSlow is apart so that this stays small.
func (t *FDB) learn(mac frame.MAC, p *Port, now time.Duration) finding {
	e := t.index.find(mac)
	if outcome, settled := t.settled(e, p, now); settled {
		return e.finding(outcome, p)
	}
	return t.learnSlow(mac, p, now)
}

// seenStep is how much later a station must be heard again for its entry to say so. Entries are read by the goroutines of
// all ports, and writing to one for each frame would take it from their processors' caches as often.
const seenStep = time.Millisecond

// settled answers where the table stays as it is. e is nil for a new station.
func (t *FDB) settled(e *entry, p *Port, now time.Duration) (outcome, bool) {
	learns := p.flags.Load().Learning && t.ageing.Load() >= 0 && !p.gone.Load()
	switch {
	case e == nil:
		return refreshed, !learns
	case e.static && e.port != p:
		if e.sticky {
			return refreshed, true
		}
		return spoofed, true
	case e.loop != nil && e.port != p && now < e.loop.until:
		return looped, true
	case e.port != p && p.echoes(e.port, now) && !t.aged(e, now):
		return looped, true
	case e.static, learns && e.port == p && !t.aged(e, now):
		if int64(now)-e.seen.Load() >= int64(seenStep) {
			e.seen.Store(int64(now))
		}
		return refreshed, true
	}
	return refreshed, !learns
}

// finding is what there is to tell of an entry that stays as it is, although the station was heard at p; e may be nil.
func (e *entry) finding(o outcome, p *Port) finding {
	if o == looped {
		l := e.loop
		if l == nil {
			l = p.loop.Load()
		}
		return finding{outcome: looped, from: e.port.name, loop: l}
	}
	return finding{outcome: o}
}

func (t *FDB) learnSlow(mac frame.MAC, p *Port, now time.Duration) finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.index.find(mac)
	if outcome, settled := t.settled(e, p, now); settled {
		return e.finding(outcome, p)
	}
	found := finding{outcome: learned}
	next := &entry{mac: mac, port: p, since: now}
	if e != nil {
		if e.port != p && !t.aged(e, now) {
			found = t.move(e, next, now)
		}
		t.unqueue(e)
	}
	for t.learned >= int(t.limit.Load()) {
		if !t.evict() {
			t.index.remove(mac)
			return finding{outcome: full}
		}
	}
	t.insert(next, now)
	if next.loop != nil {
		t.forget(next.loop.ports, next)
	}
	return found
}

// forget takes what was learned behind some ports out of the table, but for one entry: it may have come round a loop, and
// whoever really lives there is heard again.
func (t *FDB) forget(ports []*Port, but *entry) {
	for _, p := range ports {
		q := t.queues[p]
		if q == nil {
			continue
		}
		for e := q.first; e != nil; {
			after := e.next
			if e != but {
				t.delete(e)
			}
			e = after
		}
	}
}

func (t *FDB) insert(e *entry, now time.Duration) {
	e.seen.Store(int64(now))
	q := t.queues[e.port]
	if q == nil {
		q = &queue{port: e.port.id}
		t.queues[e.port] = q
	}
	q.push(e)
	if t.heaviest == nil || q.length > t.heaviest.length {
		t.heaviest = q
	}
	t.index.put(e)
	t.learned++
}

// evict makes room by one entry, or reports that there is nothing to evict.
func (t *FDB) evict() bool {
	// The hint may have shrunk below the average since it was set; then look again.
	if t.heaviest == nil || t.heaviest.length*len(t.queues) < t.learned {
		t.heaviest = nil
		for _, q := range t.queues {
			if t.heaviest == nil || q.heavier(t.heaviest) {
				t.heaviest = q
			}
		}
	}
	if t.heaviest == nil || t.heaviest.length == 0 {
		return false
	}
	t.delete(t.heaviest.silent())
	return true
}

// queue holds a port's learned entries, those that have been silent longest near the front. An entry is not moved when it
// is refreshed, which happens without the lock; the eviction that meets it gives it a second chance instead.
type queue struct {
	port        uint32
	first, last *entry
	length      int
}

// heavier orders queues by length, and for the same outcome in every run by port.
func (q *queue) heavier(other *queue) bool {
	return q.length > other.length || q.length == other.length && q.port < other.port
}

func (q *queue) push(e *entry) {
	e.queued = e.seen.Load()
	e.prev, e.next = q.last, nil
	if q.last == nil {
		q.first = e
	} else {
		q.last.next = e
	}
	q.last = e
	q.length++
}

func (q *queue) remove(e *entry) {
	if e.prev == nil {
		q.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		q.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.prev, e.next = nil, nil
	q.length--
}

// silent returns the first entry that was not refreshed since it was queued, or after one round the first.
func (q *queue) silent() *entry {
	for range q.length {
		e := q.first
		if e.seen.Load() == e.queued {
			return e
		}
		q.remove(e)
		q.push(e)
	}
	return q.first
}
