package nat

import (
	"container/list"
	"encoding/binary"
	"slices"
	"time"

	"uswitch/switch/frame"
)

type trainKey struct {
	src, dst [4]byte
	id       uint16
	proto    uint8
}

// train is the fragments of one packet.
type train struct {
	key    trainKey
	place  *list.Element // in the order
	due    time.Time
	pieces []piece // sorted, disjoint
	total  int     // bytes of the whole payload, -1 until the last fragment is here
	first  held    // the first fragment, without bytes until it is here
	bad    bool    // thrown away; later fragments follow it
	bytes  int     // what it costs
}

// piece is the payload of one fragment.
type piece struct {
	start int
	data  []byte
}

func (q piece) end() int { return q.start + len(q.data) }

func keyOf(p *packet) trainKey {
	return trainKey{[4]byte(p.ip[12:16]), [4]byte(p.ip[16:20]), p.ip.ID(), p.ip.Proto()}
}

// keep copies a fragment's payload, of the first one everything.
func (t *train) keep(p *packet) piece {
	if p.ip.FragmentOffset() > 0 {
		return piece{p.ip.FragmentOffset(), slices.Clone(p.ip.Payload())}
	}
	t.first = p.held()
	return piece{0, t.first.p.ip.Payload()}
}

// admits checks a fragment against what is known of the packet's end, and notes it if this is the last one.
func (t *train) admits(p *packet, end int) bool {
	if !p.ip.MoreFragments() {
		n := len(t.pieces)
		if t.total >= 0 && t.total != end || n > 0 && t.pieces[n-1].end() > end {
			return false
		}
		t.total = end
	}
	return t.total < 0 || end <= t.total
}

func (t *train) complete() bool {
	at := 0
	for _, q := range t.pieces {
		if q.start != at {
			return false
		}
		at = q.end()
	}
	return at == t.total
}

func (t *train) assemble() []byte {
	header := t.first.p.f.Data[:frame.EthernetHeader+t.first.p.ip.HeaderLen()]
	whole := append(make([]byte, 0, len(header)+t.total), header...)
	for _, q := range t.pieces {
		whole = append(whole, q.data...)
	}
	ip := frame.IPv4(whole[frame.EthernetHeader:])
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	ip.SetFragment(false, false, 0)
	ip.SetChecksum()
	return whole
}
