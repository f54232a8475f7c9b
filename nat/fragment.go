package nat

import (
	"container/list"
	"sync"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// mayFragment reports whether a packet that does not fit may be cut. One of IPv6 only its sender cuts, or who has put it together
// from pieces that fit (RFC 8200 4.5; ip6_pkt_too_big in net/ipv6/ip6_output.c).
func (p *packet) mayFragment() bool {
	if p.ip.Is4() {
		return !frame.IPv4(p.ip).DontFragment()
	}
	whole := p.in != nil && p.in.binder != nil && p.ip.Proto() != frame.ProtoTCP // sockets have put the datagram together
	return p.in == nil || whole || p.largest > 0 && p.largest <= p.out.config.MTU
}

// fragment cuts a packet that is too large for the way out (RFC 791 3.2) and sends the pieces.
func (g *Gateway) fragment(p *packet) {
	if p.f.Offload.GSO != frame.GSONone {
		g.fragmentSegments(p)
		return
	}
	p.f.FinishChecksum()
	p.j.Split()
	divisible, room := p.ip.Divisible(), p.ip.FragmentRoom(p.out.config.MTU)
	id := uint32(0)
	if !p.ip.Is4() {
		id = (*dice)(g).Uint32() // RFC 7739: nobody is to guess the next
	}
	if p.j.On() {
		e := p.event(trace.Postrouting, trace.Accept, trace.FragmentedInto)
		e.Count = uint32((divisible + room - 1) / room)
		p.emit(e)
	}
	for offset := 0; offset < divisible; {
		b := make([]byte, frame.EthernetHeader, frame.EthernetHeader+len(p.ip)-divisible+min(room, divisible-offset))
		b, offset = p.ip.AppendFragment(b, offset, room, id)
		q := *p
		q.f, q.ip = frame.Frame{Data: b, Source: p.f.Source}, frame.IP(b[frame.EthernetHeader:])
		g.transmit(&q)
	}
}

// fragmentSegments cuts a super-frame first into the packets that it stands for, and each of these into fragments.
func (g *Gateway) fragmentSegments(p *packet) {
	frame.Ethernet(p.f.Data).SetHeader(frame.MAC{}, frame.MAC{}, p.ip.EtherType()) // from an uplink it is mere room
	segments, ok := frame.Segment(p.f, make([]byte, p.f.Offload.WireLength(len(p.f.Data))))
	if !ok {
		g.drop(p, trace.Postrouting, trace.BadOffload)
		return
	}
	p.j.Split()
	for one, more := segments.Next(); more; one, more = segments.Next() {
		q := *p
		q.f, q.ip = one, frame.IP(one.Data[frame.EthernetHeader:])
		if q.fits() {
			g.transmit(&q)
		} else {
			g.fragment(&q)
		}
	}
}

// Bounds of reassembly. The time is Linux's (net.ipv4.ipfrag_time) and within RFC 1812 4.3.3.4; the memory its
// ipfrag_high_thresh, unless Config.FragmentMemory says otherwise. What keeping a queue or a fragment costs besides its
// bytes counts too: 8192 queues are the most there can be.
const (
	fragTime              = 30 * time.Second
	DefaultFragmentMemory = 4 << 20 // bytes
	fragQueueCost         = 512     // bytes
	fragmentCost          = 192     // bytes
)

// reassembly puts fragments together (RFC 791 3.2, RFC 815, RFC 8200 4.5). A fragment that overlaps another throws the whole packet
// away (RFC 5722 4 and its reasons), one that is there already is dropped. Addresses never mix: the key holds both. When
// the memory is full the oldest queue goes, of a host that has more than half of the memory its own: what is honest is
// whole within milliseconds. No fragment vanishes: it becomes part of a packet, or is dropped for a reason.
type reassembly struct {
	limit int // bytes

	mu      sync.Mutex // guards all below
	queues  map[frame.FragmentKey]*fragQueue
	order   list.List // of *fragQueue, oldest first
	bytes   int
	sources map[uint64]*fragSource
}

// fragSource is a host whose packets are in fragments.
type fragSource struct {
	id    uint64
	order list.List // of *fragQueue, oldest first
	bytes int
}

// fragQueue has the fragments of one packet. Each keeps bytes of its own: it may have to be given up one day, under its own name.
type fragQueue struct {
	key       frame.FragmentKey
	source    *fragSource   // who has sent its first fragment to come in
	element   *list.Element // in the order of all
	own       *list.Element // in the order of its source
	due       time.Time
	fragments frame.Fragments[fragment]
	invalid   bool // thrown away; later fragments follow it
	bytes     int  // what it costs
}

// fragment is what is kept of a fragment: no more than is needed to give it up under its own name.
type fragment struct {
	f       frame.Frame
	in      *Interface
	srcMAC  frame.MAC
	toGroup bool
	token   trace.Token
}

// keep copies a fragment. The event that says so is still to be emitted.
func keep(p *packet) fragment {
	return fragment{f: p.f.Clone(), in: p.in, srcMAC: p.srcMAC, toGroup: p.toGroup, token: p.j.Leave()}
}

func (f fragment) ip() frame.IP { return frame.IP(f.f.Data[frame.EthernetHeader:]) }

// held is the fragment as a packet that has waited.
func (f fragment) held() held {
	return held{p: packet{f: f.f, ip: f.ip(), in: f.in, srcMAC: f.srcMAC, toGroup: f.toGroup}, token: f.token}
}

// lost is a fragment that is given up, and why.
type lost struct {
	fragment
	why trace.Reason
}

// reassemble adds the packet, which is a fragment, to its queue. It returns true when the packet is whole now: p then is
// the whole packet, in bytes of its own. Otherwise the fragment waits, or is dropped.
func (g *Gateway) reassemble(p *packet) bool {
	whole, count, largest, gone, r := g.frags.add(p)
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
	p.ip, p.largest = frame.IP(whole[frame.EthernetHeader:]), largest
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

// add returns the whole frame and the number of its fragments once the last gap is closed, and the fragments of queues that
// had to go.
func (r *reassembly) add(p *packet) (whole []byte, count, largest int, gone []lost, why trace.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queues[frame.FragmentKeyOf(p.ip)]
	if q == nil {
		q = r.begin(p)
		gone = r.evict(q, gone)
	}
	at, fit := q.fragments.Fit(p.ip)
	switch {
	case q.invalid || fit == frame.Contradicts:
		return nil, 0, 0, r.invalidate(q, gone), trace.FragBad
	case fit == frame.Duplicate:
		return nil, 0, 0, gone, trace.FragDuplicate
	}
	q.fragments.Insert(at, p.ip, keep(p))
	r.spend(q, len(p.f.Data)+fragmentCost)
	gone = r.evict(q, gone)
	total, complete := q.fragments.Whole()
	if !complete {
		return nil, 0, 0, gone, trace.NoReason
	}
	first := q.fragments.At(0)
	if total > first.ip().FragmentMost() { // the first fragment's header may be longer than the last one's
		q.fragments.Remove(at) // that is p, which the caller drops
		return nil, 0, 0, r.invalidate(q, gone), trace.FragBad
	}
	r.remove(q)
	whole = make([]byte, frame.EthernetHeader, frame.EthernetHeader+first.ip().HeaderLen()+total)
	copy(whole, first.f.Data)
	for i := range q.fragments.Len() {
		largest = max(largest, len(q.fragments.At(i).ip()))
	}
	return q.fragments.AppendWhole(whole, fragment.ip), q.fragments.Len(), largest, gone, trace.NoReason
}

func (r *reassembly) begin(p *packet) *fragQueue {
	if r.queues == nil {
		r.queues, r.sources = map[frame.FragmentKey]*fragQueue{}, map[uint64]*fragSource{}
	}
	s := r.sources[p.f.Source]
	if s == nil {
		s = &fragSource{id: p.f.Source}
		r.sources[s.id] = s
	}
	q := &fragQueue{key: frame.FragmentKeyOf(p.ip), source: s, due: p.now.Add(fragTime)}
	q.element, q.own = r.order.PushBack(q), s.order.PushBack(q)
	r.queues[q.key] = q
	r.spend(q, fragQueueCost)
	return q
}

func (r *reassembly) spend(q *fragQueue, n int) {
	q.bytes += n
	q.source.bytes += n
	r.bytes += n
}

// evict makes room for the queue that grows, which alone is never too large, and adds the fragments that went to gone.
func (r *reassembly) evict(grows *fragQueue, gone []lost) []lost {
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
		q := oldest.Value.(*fragQueue)
		r.remove(q)
		gone = q.lose(trace.FragNoMem, gone)
	}
	return gone
}

// lose adds all fragments of a queue to those that are given up.
func (q *fragQueue) lose(why trace.Reason, gone []lost) []lost {
	for i := range q.fragments.Len() {
		gone = append(gone, lost{q.fragments.At(i), why})
	}
	return gone
}

// invalidate throws the fragments of a queue away, and adds them to gone, but remembers it until its time is over, so that
// what comes later cannot form a packet either.
func (r *reassembly) invalidate(q *fragQueue, gone []lost) []lost {
	gone = q.lose(trace.FragBad, gone)
	r.spend(q, fragQueueCost-q.bytes)
	q.invalid, q.fragments = true, frame.Fragments[fragment]{}
	return gone
}

func (r *reassembly) remove(q *fragQueue) {
	r.spend(q, -q.bytes)
	r.order.Remove(q.element)
	if q.source.order.Remove(q.own); q.source.order.Len() == 0 {
		delete(r.sources, q.source.id)
	}
	delete(r.queues, q.key)
}

// expire removes the queues whose time is over and returns their fragments, of which the sender of the first is to be told
// (RFC 792), and when to look again.
func (r *reassembly) expire(now time.Time) (gone []lost, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.order.Len() > 0 {
		q := r.order.Front().Value.(*fragQueue)
		if q.due.After(now) {
			return gone, q.due
		}
		r.remove(q)
		gone = q.lose(trace.FragTimeout, gone)
	}
	return gone, time.Time{}
}
