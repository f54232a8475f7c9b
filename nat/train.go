package nat

import (
	"container/list"
	"encoding/binary"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

type trainKey struct {
	src, dst frame.Addr
	id       uint16
	proto    uint8
}

// train is the fragments of one packet.
type train struct {
	key    trainKey
	source *fragSource   // who has sent its first fragment to come in
	place  *list.Element // in the order of all
	own    *list.Element // in the order of its source
	due    time.Time
	pieces []piece // sorted, disjoint
	total  int     // bytes of the whole payload, -1 until the last fragment is here
	bad    bool    // thrown away; later fragments follow it
	bytes  int     // what it costs
}

// piece is one fragment, with bytes of its own: it may have to be given up one day, under its own name.
type piece struct {
	start   int
	payload []byte
	f       frame.Frame
	in      *Interface
	srcMAC  frame.MAC
	toGroup bool
	token   trace.Token
}

func (q piece) end() int { return q.start + len(q.payload) }

// keep copies a fragment. The event that says so is still to be emitted.
func keep(p *packet) piece {
	q := piece{start: p.ip.FragmentOffset(), f: p.f.Clone(), in: p.in, srcMAC: p.srcMAC, toGroup: p.toGroup, token: p.j.Leave()}
	q.payload = q.ip().Payload()
	return q
}

func (q piece) ip() frame.IPv4 { return frame.IPv4(q.f.Data[frame.EthernetHeader:]) }

// held is the fragment as a packet that has waited.
func (q piece) held() held {
	return held{p: packet{f: q.f, ip: q.ip(), in: q.in, srcMAC: q.srcMAC, toGroup: q.toGroup}, token: q.token}
}

func keyOf(p *packet) trainKey {
	return trainKey{frame.AddrOf(p.ip.Src()), frame.AddrOf(p.ip.Dst()), p.ip.ID(), p.ip.Proto()}
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
	first := t.pieces[0]
	header := first.f.Data[:frame.EthernetHeader+first.ip().HeaderLen()]
	whole := append(make([]byte, 0, len(header)+t.total), header...)
	for _, q := range t.pieces {
		whole = append(whole, q.payload...)
	}
	ip := frame.IPv4(whole[frame.EthernetHeader:])
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	ip.SetFragment(false, false, 0)
	ip.SetChecksum()
	return whole
}
