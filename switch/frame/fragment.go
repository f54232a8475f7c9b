package frame

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// fragmentHeader is the length in bytes of IPv6's fragment header (RFC 8200 4.5).
const fragmentHeader = 8

// unfragmentable returns how many bytes of an IPv6 packet stand in every fragment: its header, and the extension headers that
// somebody on the way reads.
func (p IPv6) unfragmentable() (end int, named int) {
	end, named = IPv6Header, 6
	p.Extensions(func(e Extension) bool {
		if e.Proto == ProtoHopByHop || e.Proto == ProtoRouting {
			end, named = e.End, e.Start
		}
		return e.Proto != ProtoFragment
	})
	return end, named
}

// Divisible returns how many bytes of a packet are divided among its fragments.
func (p IP) Divisible() int {
	if p.Is4() {
		return len(IPv4(p).Payload())
	}
	end, _ := IPv6(p).unfragmentable()
	return len(p) - end
}

// FragmentRoom returns how many of these bytes each fragment carries but the last, for a link of mtu bytes.
func (p IP) FragmentRoom(mtu int) int {
	if p.Is4() {
		return IPv4(p).FragmentRoom(mtu)
	}
	end, _ := IPv6(p).unfragmentable()
	return max((mtu-end-fragmentHeader)&^7, 8)
}

// AppendFragment appends to b the fragment that begins at an offset of these bytes: see IPv4.AppendFragment. An IPv6 packet must
// not be a fragment itself, since only who sends it may cut it (RFC 8200 4.5); id is what its fragments share.
func (p IP) AppendFragment(b []byte, offset, room int, id uint32) (with []byte, next int) {
	if p.Is4() {
		return IPv4(p).AppendFragment(b, offset, room)
	}
	end, named := IPv6(p).unfragmentable()
	at := len(b)
	next = min(offset+room, len(p)-end)
	b = append(b, p[:end]...)
	field := uint16(offset)
	if next < len(p)-end {
		field |= 1
	}
	b = append(b, p[named], 0)
	b = binary.BigEndian.AppendUint16(b, field)
	b = binary.BigEndian.AppendUint32(b, id)
	b = append(b, p[end+offset:end+next]...)
	b[at+named] = ProtoFragment
	IP(b[at:]).SetLength()
	return b, next
}

// fragmented returns what a fragment carries of the whole packet, and how much that can be at most, in bytes.
func (p IP) fragmented() (part []byte, most int) {
	if p.Is4() {
		q := IPv4(p)
		return q.Payload(), 65535 - q.HeaderLen()
	}
	at := IPv6(p).chain().fragment
	return p[at+fragmentHeader:], 65535 + IPv6Header - at
}

// FragmentMost returns how many bytes the fragments of a packet may carry together whose first fragment p is.
func (p IP) FragmentMost() int {
	_, most := p.fragmented()
	return most
}

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

// FragmentKey tells the fragments of one packet from those of others (RFC 791 3.2, RFC 8200 4.5).
type FragmentKey struct {
	src, dst Addr
	id       uint32
	proto    uint8 // of IPv4
}

// FragmentKeyOf returns the key of a fragment.
func FragmentKeyOf(p IP) FragmentKey {
	src, dst := p.ends()
	if p.Is4() {
		return FragmentKey{src, dst, uint32(IPv4(p).ID()), p[9]}
	}
	return FragmentKey{src: src, dst: dst, id: IPv6(p).FragmentID()}
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
func (f *Fragments[V]) Fit(p IP) (at int, fit Fit) {
	part, most := p.fragmented()
	payload, start, more := len(part), p.FragmentOffset(), p.MoreFragments()
	end := start + payload
	switch n := len(f.list); {
	case payload == 0, end > most, more && payload%8 != 0:
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
func (f *Fragments[V]) Insert(at int, p IP, kept V) {
	part, _ := p.fragmented()
	start := p.FragmentOffset()
	end := start + len(part)
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
func (f *Fragments[V]) AppendWhole(b []byte, packet func(V) IP) []byte {
	first, at := packet(f.list[0].kept), len(b)
	header := first.HeaderLen()
	if !first.Is4() {
		header = IPv6(first).chain().fragment
	}
	b = append(slices.Grow(b, header+f.total), first[:header]...)
	for _, o := range f.list {
		part, _ := packet(o.kept).fragmented()
		b = append(b, part...)
	}
	p := IP(b[at:])
	p.SetLength()
	if p.Is4() {
		IPv4(p).SetFragment(false, false, 0)
		p.SetChecksum()
		return b
	}
	c := IPv6(first).chain()
	p[c.named] = first[c.fragment] // the header behind the fragment header is named where that was
	return b
}
