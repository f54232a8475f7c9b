package trace

import (
	"context"
	"slices"
	"sync"
)

// Ring is a bounded queue of events with copies of their frames: the listener between the data path, which pushes and
// never waits, and a printer, which may be as slow as it likes. When events or bytes run out the oldest event is
// forgotten and counted. One goroutine may read; any number push.
type Ring struct {
	snap int // bytes of each frame that are kept

	mu    sync.Mutex // guards all below; held for a copy of one event, never across a call out
	slots []slot
	first int // index of the oldest slot
	count int
	arena []byte // the frames, one behind the other, in the order of the slots
	head  int    // where the next frame goes
	lost  uint64
	last  uint64 // how many events there were so far: the place of the youngest, from 1
	wake  chan struct{}
}

type slot struct {
	event      Event
	start, end int // of the frame in the arena
}

// NewRing makes a ring for that many events and bytes of frames. Of each frame the first snap bytes are kept, 0 meaning
// all; the event's Length still tells how long it was.
func NewRing(events, bytes, snap int) *Ring {
	return &Ring{
		snap:  snap,
		slots: make([]slot, max(events, 1)),
		arena: make([]byte, max(bytes, 1<<12)),
		wake:  make(chan struct{}, 1),
	}
}

// push copies e into the ring. A frame that the whole arena cannot hold is cut.
func (r *Ring) push(e *Event) {
	r.mu.Lock()
	n := len(e.Frame.Data)
	if r.snap > 0 {
		n = min(n, r.snap)
	}
	n = min(n, len(r.arena))
	if r.count == len(r.slots) {
		r.forget()
	}
	start := r.room(n)
	s := &r.slots[(r.first+r.count)%len(r.slots)]
	s.event, s.start, s.end = *e, start, start+n
	s.event.Length = len(e.Frame.Data)
	s.event.Frame.Data = nil
	copy(r.arena[start:], e.Frame.Data[:n])
	r.head = start + n
	r.count++
	r.last++
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// room returns where n bytes fit in one piece, forgetting old events until they do. A wrapped head stays strictly below
// the oldest frame, so that head == oldest always means that no byte is in use.
func (r *Ring) room(n int) int {
	for r.count > 0 {
		oldest := r.slots[r.first].start
		switch {
		case r.head >= oldest: // free: head..end and 0..oldest
			if r.head+n <= len(r.arena) {
				return r.head
			}
			if n < oldest {
				return 0
			}
		case r.head+n < oldest: // free: head..oldest
			return r.head
		}
		r.forget()
	}
	return 0
}

func (r *Ring) forget() {
	r.first = (r.first + 1) % len(r.slots)
	r.count--
	r.lost++
}

// Next moves the oldest event into e and its frame into e.Frame.Data's own space, which it grows as needed, waiting
// until there is one. lost counts the events forgotten since the call before. The error is ctx's.
func (r *Ring) Next(ctx context.Context, e *Event) (lost uint64, err error) {
	for {
		lost, ok := r.TryNext(e)
		if ok {
			return lost, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-r.wake:
		}
	}
}

// TryNext is Next without waiting: ok is false when the ring is empty.
func (r *Ring) TryNext(e *Event) (lost uint64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == 0 {
		return 0, false
	}
	s := &r.slots[r.first]
	data := append(e.Frame.Data[:0], r.arena[s.start:s.end]...)
	*e = s.event
	e.Frame.Data = data
	r.first = (r.first + 1) % len(r.slots)
	r.count--
	lost, r.lost = r.lost, 0
	return lost, true
}

// journey copies the events of one journey that are still there, the oldest first.
// At is for several readers of one Ring, none of whom takes anything out of it: it copies the event with the place at, or the first
// behind it that is not forgotten yet, and returns its place. Places count from 1, in the order of all events. ok is false if there is
// none.
func (r *Ring) At(at uint64, e *Event) (place uint64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := r.last - uint64(r.count) + 1
	if at = max(at, oldest); r.count == 0 || at > r.last {
		return at, false
	}
	s := &r.slots[(r.first+int(at-oldest))%len(r.slots)]
	data := append(e.Frame.Data[:0], r.arena[s.start:s.end]...)
	*e = s.event
	e.Frame.Data = data
	return at, true
}

// Last returns the place of the youngest event.
func (r *Ring) Last() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *Ring) journey(packet uint64) (steps []Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.count {
		s := &r.slots[(r.first+i)%len(r.slots)]
		if s.event.Packet == packet {
			e := s.event
			e.Frame.Data = slices.Clone(r.arena[s.start:s.end])
			steps = append(steps, e)
		}
	}
	return steps
}

// recent remembers about as many ids as it has places, the latest ones; ids count up from 1, so their low bits choose the
// place. It is bounded without bookkeeping. The zero value remembers nothing.
type recent [1 << 12]uint64

func (r *recent) add(id uint64)      { r[id%uint64(len(r))] = id }
func (r *recent) has(id uint64) bool { return id != 0 && r[id%uint64(len(r))] == id }
