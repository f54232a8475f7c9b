package nat

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Bounds of reassembly. The time is Linux's (net.ipv4.ipfrag_time) and within RFC 1812 4.3.3.4; the memory its
// ipfrag_high_thresh.
const (
	fragTime   = 30 * time.Second
	fragMemory = 4 << 20 // bytes of payload that wait
)

// reassembly puts fragments together (RFC 791 3.2, RFC 815). A fragment that overlaps another throws the whole packet
// away (RFC 5722 4 and its reasons), one that is there already is ignored. Sources never mix: the key holds both
// addresses.
type reassembly struct {
	mu     sync.Mutex // guards all below
	trains map[trainKey]*train
	bytes  int
	order  uint64
}

type trainKey struct {
	src, dst [4]byte
	id       uint16
	proto    uint8
}

// train is the fragments of one packet.
type train struct {
	key     trainKey
	order   uint64 // of arrival
	due     time.Time
	payload []byte
	pieces  []piece // sorted, disjoint
	total   int     // bytes of the whole payload, -1 until the last fragment is here
	first   *packet // the first fragment with bytes of its own, nil until it is here
	bad     bool    // thrown away; later fragments follow it
}

type piece struct{ start, end int }

// reassemble adds the packet, which is a fragment, to its train. It returns true when the packet is whole now: p then is
// the whole packet, in bytes of its own. Otherwise the fragment waits, or is dropped.
func (g *Gateway) reassemble(p *packet) bool {
	whole, count, r := g.frags.add(p)
	g.arm(p.now.Add(fragTime))
	switch {
	case r != trace.NoReason:
		g.drop(p, trace.Prerouting, r)
		return false
	case whole == nil:
		if p.j.On() {
			p.j.Emit(p.event(trace.Prerouting, trace.Queue, trace.FragmentHeld))
		}
		return false
	}
	p.f = frame.Frame{Data: whole}
	p.ip = frame.IPv4(whole[frame.EthernetHeader:])
	if p.j.On() {
		e := p.event(trace.Prerouting, trace.Accept, trace.Reassembled)
		e.Count = uint32(count)
		p.j.Emit(e)
	}
	return true
}

// add returns the whole frame and the number of its fragments once the last gap is closed.
func (r *reassembly) add(p *packet) (whole []byte, count int, why trace.Reason) {
	key := trainKey{[4]byte(p.ip[12:16]), [4]byte(p.ip[16:20]), p.ip.ID(), p.ip.Proto()}
	payload, start := p.ip.Payload(), p.ip.FragmentOffset()
	end := start + len(payload)

	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.trains[key]
	if t == nil {
		if r.bytes+len(payload) > fragMemory {
			return nil, 0, trace.FragNoMem
		}
		t = r.begin(key, p.now)
	}
	if t.bad || len(payload) == 0 || end > 65535-p.ip.HeaderLen() || p.ip.MoreFragments() && len(payload)%8 != 0 || !t.admits(p, end) {
		r.spoil(t)
		return nil, 0, trace.FragBad
	}
	at, found := slices.BinarySearchFunc(t.pieces, start, func(q piece, s int) int { return cmp.Compare(q.start, s) })
	switch {
	case found && t.pieces[at].end == end:
		return nil, 0, trace.NoReason // a duplicate
	case found, at > 0 && t.pieces[at-1].end > start, at < len(t.pieces) && end > t.pieces[at].start:
		r.spoil(t)
		return nil, 0, trace.FragBad
	case r.bytes+len(payload) > fragMemory:
		return nil, 0, trace.FragNoMem
	}
	t.pieces = slices.Insert(t.pieces, at, piece{start, end})
	t.payload = append(t.payload, make([]byte, max(end-len(t.payload), 0))...)
	copy(t.payload[start:], payload)
	r.bytes += len(payload)
	if start == 0 {
		q := *p
		q.f, q.j = p.f.Clone(), nil
		q.ip = frame.IPv4(q.f.Data[frame.EthernetHeader:])
		t.first = &q
	}
	if !t.complete() {
		return nil, 0, trace.NoReason
	}
	r.remove(t)
	return t.assemble(), len(t.pieces), trace.NoReason
}

func (r *reassembly) begin(key trainKey, now time.Time) *train {
	r.order++
	t := &train{key: key, order: r.order, due: now.Add(fragTime), total: -1}
	if r.trains == nil {
		r.trains = map[trainKey]*train{}
	}
	r.trains[key] = t
	return t
}

// admits checks a fragment against what is known of the packet's end, and notes it if this is the last one.
func (t *train) admits(p *packet, end int) bool {
	if !p.ip.MoreFragments() {
		if t.total >= 0 && t.total != end || len(t.payload) > end {
			return false
		}
		t.total = end
	}
	return t.total < 0 || end <= t.total
}

func (t *train) complete() bool {
	if t.total < 0 || t.first == nil {
		return false
	}
	at := 0
	for _, q := range t.pieces {
		if q.start != at {
			return false
		}
		at = q.end
	}
	return at == t.total
}

func (t *train) assemble() []byte {
	header := t.first.f.Data[:frame.EthernetHeader+t.first.ip.HeaderLen()]
	whole := append(slices.Clone(header), t.payload[:t.total]...)
	ip := frame.IPv4(whole[frame.EthernetHeader:])
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	ip.SetFragment(false, false, 0)
	ip.SetChecksum()
	return whole
}

// spoil throws the bytes of a train away but remembers it until its time is over, so that its other fragments cannot form
// a packet either.
func (r *reassembly) spoil(t *train) {
	r.bytes -= t.held()
	t.bad, t.pieces, t.payload, t.first = true, nil, nil, nil
}

func (r *reassembly) remove(t *train) {
	r.bytes -= t.held()
	delete(r.trains, t.key)
}

func (t *train) held() (n int) {
	for _, q := range t.pieces {
		n += q.end - q.start
	}
	return n
}

// expire removes the trains whose time is over and returns the first fragments of those that had one, whose senders are to
// be told (RFC 792), and when to look again.
func (r *reassembly) expire(now time.Time) (first []*packet, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var dead []*train
	for _, t := range r.trains {
		if !t.due.After(now) {
			dead = append(dead, t)
		} else if next.IsZero() || t.due.Before(next) {
			next = t.due
		}
	}
	slices.SortFunc(dead, func(a, b *train) int { return cmp.Compare(a.order, b.order) })
	for _, t := range dead {
		r.remove(t)
		if t.first != nil {
			first = append(first, t.first)
		}
	}
	return first, next
}
