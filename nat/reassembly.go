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
// ipfrag_high_thresh, unless Config.FragmentMemory says otherwise. What keeping a train or a piece of one costs besides its
// bytes counts too: 8192 trains are the most there can be.
const (
	fragTime              = 30 * time.Second
	DefaultFragmentMemory = 4 << 20 // bytes
	trainCost             = 512     // bytes
	pieceCost             = 192     // bytes
)

// reassembly puts fragments together (RFC 791 3.2, RFC 815). A fragment that overlaps another throws the whole packet
// away (RFC 5722 4 and its reasons), one that is there already is dropped. Addresses never mix: the key holds both. When
// the memory is full the oldest train goes, of a host that has more than half of the memory its own: what is honest is
// whole within milliseconds. No fragment vanishes: it becomes part of a packet, or is dropped for a reason.
type reassembly struct {
	limit int // bytes

	mu      sync.Mutex // guards all below
	trains  map[trainKey]*train
	order   list.List // of *train, oldest first
	bytes   int
	sources map[uint64]*fragSource
}

// fragSource is a host whose packets are in pieces.
type fragSource struct {
	id    uint64
	order list.List // of *train, oldest first
	bytes int
}

// lost is a fragment that is given up, and why.
type lost struct {
	piece
	why trace.Reason
}

// reassemble adds the packet, which is a fragment, to its train. It returns true when the packet is whole now: p then is
// the whole packet, in bytes of its own. Otherwise the fragment waits, or is dropped.
func (g *Gateway) reassemble(p *packet) bool {
	whole, count, gone, r := g.frags.add(p)
	g.arm(p.now.Add(fragTime))
	g.dropFragments(gone, p.now)
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
	p.f = frame.Frame{Data: whole, Source: p.f.Source}
	p.ip = frame.IPv4(whole[frame.EthernetHeader:])
	if p.j.On() {
		e := p.event(trace.Prerouting, trace.Accept, trace.Reassembled)
		e.Count = uint32(count)
		p.emit(e)
	}
	return true
}

// dropFragments ends the journeys of fragments that have waited in vain.
func (g *Gateway) dropFragments(gone []lost, now time.Time) {
	for _, q := range gone {
		g.dropHeld(q.held(), trace.Prerouting, q.why, now)
	}
}

// add returns the whole frame and the number of its fragments once the last gap is closed, and the fragments of trains that
// had to go.
func (r *reassembly) add(p *packet) (whole []byte, count int, gone []lost, why trace.Reason) {
	payload, start := p.ip.Payload(), p.ip.FragmentOffset()
	end := start + len(payload)

	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.trains[keyOf(p)]
	if t == nil {
		t = r.begin(p)
		gone = r.evict(t, gone)
	}
	if t.bad || len(payload) == 0 || end > 65535-p.ip.HeaderLen() || p.ip.MoreFragments() && len(payload)%8 != 0 || !t.admits(p, end) {
		return nil, 0, r.spoil(t, gone), trace.FragBad
	}
	at, found := slices.BinarySearchFunc(t.pieces, start, func(q piece, s int) int { return cmp.Compare(q.start, s) })
	switch {
	case found && t.pieces[at].end() == end:
		return nil, 0, gone, trace.FragDuplicate
	case found, at > 0 && t.pieces[at-1].end() > start, at < len(t.pieces) && end > t.pieces[at].start:
		return nil, 0, r.spoil(t, gone), trace.FragBad
	}
	t.pieces = slices.Insert(t.pieces, at, keep(p))
	r.spend(t, len(p.f.Data)+pieceCost)
	gone = r.evict(t, gone)
	switch {
	case !t.complete():
		return nil, 0, gone, trace.NoReason
	case t.pieces[0].ip().HeaderLen()+t.total > 65535: // the first fragment's header may be longer than the last one's
		t.pieces = slices.Delete(t.pieces, at, at+1) // that is p, which the caller drops
		return nil, 0, r.spoil(t, gone), trace.FragBad
	}
	r.remove(t)
	return t.assemble(), len(t.pieces), gone, trace.NoReason
}

func (r *reassembly) begin(p *packet) *train {
	if r.trains == nil {
		r.trains, r.sources = map[trainKey]*train{}, map[uint64]*fragSource{}
	}
	s := r.sources[p.f.Source]
	if s == nil {
		s = &fragSource{id: p.f.Source}
		r.sources[s.id] = s
	}
	t := &train{key: keyOf(p), source: s, due: p.now.Add(fragTime), total: -1}
	t.place, t.own = r.order.PushBack(t), s.order.PushBack(t)
	r.trains[t.key] = t
	r.spend(t, trainCost)
	return t
}

func (r *reassembly) spend(t *train, n int) {
	t.bytes += n
	t.source.bytes += n
	r.bytes += n
}

// evict makes room for the train that grows, which alone is never too large, and adds the fragments that went to gone.
func (r *reassembly) evict(grows *train, gone []lost) []lost {
	for r.bytes > r.limit {
		oldest := r.order.Front()
		if grows.source.bytes > r.limit/2 {
			oldest = grows.source.order.Front()
		}
		if oldest.Value == grows {
			oldest = oldest.Next()
		}
		if oldest == nil {
			break
		}
		t := oldest.Value.(*train)
		r.remove(t)
		gone = t.lose(trace.FragNoMem, gone)
	}
	return gone
}

// lose adds all fragments of a train to those that are given up.
func (t *train) lose(why trace.Reason, gone []lost) []lost {
	for _, q := range t.pieces {
		gone = append(gone, lost{q, why})
	}
	return gone
}

// spoil throws the fragments of a train away, and adds them to gone, but remembers it until its time is over, so that what
// comes later cannot form a packet either.
func (r *reassembly) spoil(t *train, gone []lost) []lost {
	gone = t.lose(trace.FragBad, gone)
	r.spend(t, trainCost-t.bytes)
	t.bad, t.pieces = true, nil
	return gone
}

func (r *reassembly) remove(t *train) {
	r.spend(t, -t.bytes)
	r.order.Remove(t.place)
	if t.source.order.Remove(t.own); t.source.order.Len() == 0 {
		delete(r.sources, t.source.id)
	}
	delete(r.trains, t.key)
}

// expire removes the trains whose time is over and returns their fragments, of which the sender of the first is to be told
// (RFC 792), and when to look again.
func (r *reassembly) expire(now time.Time) (gone []lost, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.order.Len() > 0 {
		t := r.order.Front().Value.(*train)
		if t.due.After(now) {
			return gone, t.due
		}
		r.remove(t)
		gone = t.lose(trace.FragTimeout, gone)
	}
	return gone, time.Time{}
}
