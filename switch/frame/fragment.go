package frame

import (
	"cmp"
	"slices"
)

// FragmentRoom returns how many bytes of payload each fragment of a packet carries but the last, for a link of mtu bytes.
func (p IPv4) FragmentRoom(mtu int) int { return max((mtu-p.HeaderLen())&^7, 8) }

// AppendFragment appends to b the fragment of p that begins at an offset of its payload, with room bytes of it at most (see
// FragmentRoom), and returns where the next one begins: at the end of the payload after the last (RFC 791 3.2). p may itself
// be a fragment.
func (p IPv4) AppendFragment(b []byte, offset, room int) (with []byte, next int) {
	payload, at := p.Payload(), len(b)
	next = min(offset+room, len(payload))
	if first := p.FragmentOffset() + offset; first == 0 {
		b = append(b, p[:p.HeaderLen()]...)
	} else {
		b = p.appendLaterHeader(b)
	}
	b = append(b, payload[offset:next]...)
	q := IPv4(b[at:])
	q.SetLength()
	q.SetFragment(p.DontFragment(), p.MoreFragments() || next < len(payload), p.FragmentOffset()+offset)
	q.SetChecksum()
	return b, next
}

// appendLaterHeader appends the header of every fragment but the first: of the options, those with the copied flag.
func (p IPv4) appendLaterHeader(b []byte) []byte {
	at := len(b)
	b = append(b, p[:IPv4Header]...)
	for options := p.Options(); len(options) > 0 && options[0] != 0; {
		n := 1
		if options[0] != 1 {
			if len(options) < 2 || options[1] < 2 || int(options[1]) > len(options) {
				break // malformed: what follows cannot be read
			}
			n = int(options[1])
		}
		if options[0]&0x80 != 0 {
			b = append(b, options[:n]...)
		}
		options = options[n:]
	}
	for (len(b)-at)%4 != 0 {
		b = append(b, 0)
	}
	b[at] = 0x40 | byte((len(b)-at)/4)
	return b
}

// FragmentKey tells the fragments of one packet from those of others (RFC 791 3.2).
type FragmentKey struct {
	src, dst Addr
	id       uint16
	proto    uint8
}

// FragmentKeyOf returns the key of a fragment.
func FragmentKeyOf(p IPv4) FragmentKey {
	return FragmentKey{addr4(p[12:16]), addr4(p[16:20]), p.ID(), p.Proto()}
}

// Fragments are the fragments of one packet that have come, sorted and disjoint (RFC 791 3.2, RFC 815); V is what their owner
// keeps of each. The zero value has none. It belongs to one goroutine at a time, and its owner bounds how many there are.
type Fragments[V any] struct {
	list  []fragmentOf[V]
	total int // bytes of the whole payload, once the last fragment is here
	last  bool
}

type fragmentOf[V any] struct {
	start, end int // bytes of the whole payload
	kept       V
}

// Fit is how a fragment fits those that are there.
type Fit uint8

// What can become of a fragment. One that overlaps another, or does not keep to the packet's end, means that the packet
// cannot be trusted (RFC 5722 4 and its reasons); one that is there already means nothing.
const (
	Fits Fit = iota
	Duplicate
	Contradicts
)

// Fit reports whether the fragment can join the others. Where it Fits, Insert takes it at the returned place.
func (f *Fragments[V]) Fit(p IPv4) (at int, fit Fit) {
	payload, start, more := len(p.Payload()), p.FragmentOffset(), p.MoreFragments()
	end := start + payload
	switch n := len(f.list); {
	case payload == 0, end > 65535-p.HeaderLen(), more && payload%8 != 0:
		return 0, Contradicts
	case !more && (f.last && f.total != end || n > 0 && f.list[n-1].end > end):
		return 0, Contradicts
	case f.last && end > f.total:
		return 0, Contradicts
	}
	at, found := slices.BinarySearchFunc(f.list, start, func(o fragmentOf[V], start int) int { return cmp.Compare(o.start, start) })
	switch {
	case found && f.list[at].end == end:
		return 0, Duplicate
	case found, at > 0 && f.list[at-1].end > start, at < len(f.list) && end > f.list[at].start:
		return 0, Contradicts
	}
	return at, Fits
}

// Insert takes a fragment at the place that Fit has returned.
func (f *Fragments[V]) Insert(at int, p IPv4, kept V) {
	start := p.FragmentOffset()
	end := start + len(p.Payload())
	if !p.MoreFragments() {
		f.total, f.last = end, true
	}
	f.list = slices.Insert(f.list, at, fragmentOf[V]{start, end, kept})
}

// Remove takes the fragment at a place out again.
func (f *Fragments[V]) Remove(at int) { f.list = slices.Delete(f.list, at, at+1) }

// Len returns how many there are.
func (f *Fragments[V]) Len() int { return len(f.list) }

// At returns what the owner keeps of one, counted from the packet's beginning.
func (f *Fragments[V]) At(i int) V { return f.list[i].kept }

// Whole reports whether no byte is missing, and how many the payload has.
func (f *Fragments[V]) Whole() (total int, whole bool) {
	at := 0
	for _, o := range f.list {
		if o.start != at {
			return 0, false
		}
		at = o.end
	}
	return f.total, f.last && at == f.total
}

// AppendWhole appends the packet to b: the header of the first fragment, and the payload of all. packet returns the fragment
// of what is kept of it.
func (f *Fragments[V]) AppendWhole(b []byte, packet func(V) IPv4) []byte {
	first, at := packet(f.list[0].kept), len(b)
	b = append(slices.Grow(b, first.HeaderLen()+f.total), first[:first.HeaderLen()]...)
	for _, o := range f.list {
		b = append(b, packet(o.kept).Payload()...)
	}
	p := IPv4(b[at:])
	p.SetLength()
	p.SetFragment(false, false, 0)
	p.SetChecksum()
	return b
}
