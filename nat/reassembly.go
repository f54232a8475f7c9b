package nat

import (
	"cmp"
	"container/list"
	"slices"
	"sync"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Bounds of reassembly. The time is Linux's (net.ipv4.ipfrag_time) and within RFC 1812 4.3.3.4; the memory its
// ipfrag_high_thresh. What keeping a train or a piece of one costs besides the payload counts too: 8192 trains are the
// most there can be.
const (
	fragTime   = 30 * time.Second
	fragMemory = 4 << 20 // bytes
	trainCost  = 512     // bytes
	pieceCost  = 64      // bytes
)

// reassembly puts fragments together (RFC 791 3.2, RFC 815). A fragment that overlaps another throws the whole packet
// away (RFC 5722 4 and its reasons), one that is there already is ignored. Sources never mix: the key holds both
// addresses. When the memory is full the oldest train goes: what is honest is whole within milliseconds.
type reassembly struct {
	mu     sync.Mutex // guards all below
	trains map[trainKey]*train
	order  list.List // of *train, oldest first
	bytes  int
}

// reassemble adds the packet, which is a fragment, to its train. It returns true when the packet is whole now: p then is
// the whole packet, in bytes of its own. Otherwise the fragment waits, or is dropped.
func (g *Gateway) reassemble(p *packet) bool {
	whole, count, evicted, r := g.frags.add(p)
	g.arm(p.now.Add(fragTime))
	for _, h := range evicted {
		g.dropHeld(h, trace.Prerouting, trace.FragNoMem, p.now)
	}
	switch {
	case r != trace.NoReason:
		g.drop(p, trace.Prerouting, r)
		return false
	case whole == nil:
		if p.j.On() {
			p.emit(p.event(trace.Prerouting, trace.Queue, trace.FragmentHeld))
		}
		return false
	}
	p.f = frame.Frame{Data: whole}
	p.ip = frame.IPv4(whole[frame.EthernetHeader:])
	if p.j.On() {
		e := p.event(trace.Prerouting, trace.Accept, trace.Reassembled)
		e.Count = uint32(count)
		p.emit(e)
	}
	return true
}

// add returns the whole frame and the number of its fragments once the last gap is closed, and the first fragments of
// the trains that had to go.
func (r *reassembly) add(p *packet) (whole []byte, count int, evicted []held, why trace.Reason) {
	payload, start := p.ip.Payload(), p.ip.FragmentOffset()
	end := start + len(payload)

	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.trains[keyOf(p)]
	if t == nil {
		t = r.begin(keyOf(p), p.now)
		evicted = r.evict(t)
	}
	if t.bad || len(payload) == 0 || end > 65535-p.ip.HeaderLen() || p.ip.MoreFragments() && len(payload)%8 != 0 || !t.admits(p, end) {
		r.spoil(t)
		return nil, 0, evicted, trace.FragBad
	}
	at, found := slices.BinarySearchFunc(t.pieces, start, func(q piece, s int) int { return cmp.Compare(q.start, s) })
	switch {
	case found && t.pieces[at].end() == end:
		return nil, 0, evicted, trace.NoReason // a duplicate
	case found, at > 0 && t.pieces[at-1].end() > start, at < len(t.pieces) && end > t.pieces[at].start:
		r.spoil(t)
		return nil, 0, evicted, trace.FragBad
	}
	t.pieces = slices.Insert(t.pieces, at, t.keep(p))
	r.spend(t, len(payload)+pieceCost)
	evicted = append(evicted, r.evict(t)...)
	switch {
	case !t.complete():
		return nil, 0, evicted, trace.NoReason
	case t.first.p.ip.HeaderLen()+t.total > 65535: // the first fragment's header may be longer than the last one's
		r.spoil(t)
		return nil, 0, evicted, trace.FragBad
	}
	r.remove(t)
	return t.assemble(), len(t.pieces), evicted, trace.NoReason
}

func (r *reassembly) begin(key trainKey, now time.Time) *train {
	t := &train{key: key, due: now.Add(fragTime), total: -1}
	t.place = r.order.PushBack(t)
	if r.trains == nil {
		r.trains = map[trainKey]*train{}
	}
	r.trains[key] = t
	r.spend(t, trainCost)
	return t
}

func (r *reassembly) spend(t *train, n int) {
	t.bytes += n
	r.bytes += n
}

// evict makes room for the train that grows, which alone is never too large, and returns the first fragments of the trains
// that went.
func (r *reassembly) evict(grows *train) (first []held) {
	for r.bytes > fragMemory {
		oldest := r.order.Front()
		if oldest == grows.place {
			oldest = oldest.Next()
		}
		if h, ok := r.remove(oldest.Value.(*train)); ok {
			first = append(first, h)
		}
	}
	return first
}

// spoil throws the bytes of a train away but remembers it until its time is over, so that its other fragments cannot form
// a packet either.
func (r *reassembly) spoil(t *train) {
	r.spend(t, trainCost-t.bytes)
	t.bad, t.pieces, t.first = true, nil, held{}
}

// remove returns the first fragment, if it was there.
func (r *reassembly) remove(t *train) (first held, ok bool) {
	r.bytes -= t.bytes
	r.order.Remove(t.place)
	delete(r.trains, t.key)
	return t.first, t.first.p.ip != nil
}

// expire removes the trains whose time is over and returns the first fragments of those that had one, whose senders are to
// be told (RFC 792), and when to look again.
func (r *reassembly) expire(now time.Time) (first []held, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.order.Len() > 0 {
		t := r.order.Front().Value.(*train)
		if t.due.After(now) {
			return first, t.due
		}
		if h, ok := r.remove(t); ok {
			first = append(first, h)
		}
	}
	return first, time.Time{}
}
