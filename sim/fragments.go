package sim

import (
	"encoding/binary"
	"time"

	"uswitch/switch/frame"
)

// fragments puts packets together again (RFC 791 3.2), for machines: the gateway has its own, stricter table. Here a
// packet whose pieces come in order or in any other is accepted if they fit without a gap, and nothing else is. The zero
// value is ready.
type fragments struct{ waiting []*pieces } // oldest first

// pieces are the fragments of one packet so far.
type pieces struct {
	key    [9]byte // addresses, protocol
	id     uint16
	since  time.Time
	header []byte // of the first piece
	data   []byte
	have   int // bytes of data that have come
	total  int // bytes of data; 0 while the last piece is missing
}

// Bounds of the table: packets that wait at once, and how long (RFC 1122 3.3.2, Linux ipfrag_time).
const (
	maxWaiting = 64
	maxWait    = 30 * time.Second
)

// add takes a fragment, and returns the packet once it is whole, else nil.
func (t *fragments) add(ip frame.IPv4, now time.Time) frame.IPv4 {
	p := t.of(ip, now)
	offset, payload := ip.FragmentOffset(), ip.Payload()
	end := offset + len(payload)
	if end+frame.IPv4Header > 65535 {
		return nil
	}
	if offset == 0 {
		p.header = ip[:ip.HeaderLen()]
	}
	if !ip.MoreFragments() {
		p.total = end
	}
	if end > len(p.data) {
		p.data = append(p.data, make([]byte, end-len(p.data))...)
	}
	p.have += copy(p.data[offset:], payload)
	if p.total == 0 || p.have < p.total || p.header == nil {
		return nil
	}
	t.forget(func(o *pieces) bool { return o == p })
	if p.have != p.total || len(p.data) != p.total {
		return nil // pieces overlapped
	}
	whole := frame.IPv4(append(append([]byte(nil), p.header...), p.data...))
	binary.BigEndian.PutUint16(whole[2:], uint16(len(whole)))
	whole.SetFragment(false, false, 0)
	whole.SetChecksum()
	return whole
}

// of finds the packet that a fragment belongs to, or begins it.
func (t *fragments) of(ip frame.IPv4, now time.Time) *pieces {
	t.forget(func(p *pieces) bool { return now.Sub(p.since) >= maxWait })
	key := [9]byte(append(append([]byte(nil), ip[12:20]...), ip.Proto()))
	for _, p := range t.waiting {
		if p.key == key && p.id == ip.ID() {
			return p
		}
	}
	if len(t.waiting) == maxWaiting {
		t.waiting = t.waiting[1:]
	}
	p := &pieces{key: key, id: ip.ID(), since: now}
	t.waiting = append(t.waiting, p)
	return p
}

func (t *fragments) forget(gone func(*pieces) bool) {
	kept := t.waiting[:0]
	for _, p := range t.waiting {
		if !gone(p) {
			kept = append(kept, p)
		}
	}
	clear(t.waiting[len(kept):])
	t.waiting = kept
}
