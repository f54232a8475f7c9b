package vxlan

import (
	"net/netip"
	"sync"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// DefaultPort is IANA's, which Docker uses too; Linux' own default and flannel's is 8472.
const DefaultPort = 4789

// DefaultTTL is that of outer packets.
const DefaultTTL = 64

// MaxVNI is the largest of the 24 bits.
const MaxVNI = 1<<24 - 1

// flowOf hashes what the packets of one flow have in common: the outer source port is chosen by it, so that routers on the way spread
// flows over their links, and keep each in order (RFC 7348 section 5).
func flowOf(data []byte) uint32 {
	e, ok := frame.ParseEthernet(data)
	if !ok {
		return 0
	}
	h := uint64(14695981039346656037)
	add := func(b []byte) {
		for _, c := range b {
			h = (h ^ uint64(c)) * 1099511628211 // FNV-1a
		}
	}
	p := e.Payload()
	switch {
	case e.Type() == frame.TypeIPv4 && len(p) >= frame.IPv4Header+4:
		ip := frame.IPv4(p)
		add(p[12:20])
		add(p[9:10])
		if at := ip.HeaderLen(); !ip.IsFragment() && frame.ProtoHasPorts(ip.Proto()) && at+4 <= len(p) {
			add(p[at : at+4])
		}
	case e.Type() == frame.TypeIPv6 && len(p) >= 44:
		add(p[8:40])
		add(p[6:7])
		if frame.ProtoHasPorts(p[6]) {
			add(p[40:44])
		}
	default:
		add(data[:12])
	}
	return uint32(h ^ h>>32)
}

// buffers hold the packets that one frame becomes, for as long as they are being sent.
var buffers = sync.Pool{New: func() any { return new([MaxBytes]byte) }}

// Encap sends a frame to the machine behind which its receiver lives, or to every peer, and says so on the frame's journey; it reports
// whether anybody got it. A super-frame is cut first, as each of its segments travels by itself.
func (l *Link) Encap(f frame.Frame, j *trace.Journey, now time.Time) bool {
	e, ok := frame.ParseEthernet(f.Data)
	if !ok {
		return l.lose(trace.PktTooSmall, 0, trace.Event{Frame: f}, j)
	}
	mac, flow := e.Dst(), flowOf(f.Data)
	outer := trace.Outer{VNI: l.vni, TTL: l.ttl, TOS: e.ECN()}
	if mac.IsStation() {
		if to, age, static, known := l.table.lookup(mac, l.age(now)); known {
			note := trace.TunnelLearned
			if static {
				note = trace.TunnelStatic
			}
			outer.Dst = netip.AddrPortFrom(to, l.local.Port())
			return l.send(f, flow, trace.Event{Note: note, MAC: mac, Age: age, Outer: outer}, j)
		}
	}
	all := l.peers.Load().all
	if len(all) == 0 {
		return l.lose(trace.VXLANNoRemote, 0, trace.Event{MAC: mac, Frame: f}, j)
	}
	sent := false
	for _, a := range all {
		outer.Dst = netip.AddrPortFrom(a, l.local.Port())
		if l.send(f, flow, trace.Event{Note: trace.TunnelFlood, MAC: mac, Count: uint32(len(all)), Outer: outer}, j) {
			sent = true
		}
	}
	return sent
}

// send sends a frame to one machine, and tells of it: e says why there.
func (l *Link) send(f frame.Frame, flow uint32, e trace.Event, j *trace.Journey) bool {
	e.Outer.Src, e.Frame = l.socket.Source(flow), f
	if j.On() { // before it is sent, as an answer may be back before the system call returns
		e.Hook, e.Verdict, e.Where, e.Port = trace.Encap, trace.Accept, l.where, l.name
		j.Emit(e)
	}
	r, fits := l.transmit(f, flow, e.Outer.Dst, e.Outer.TOS)
	if r == trace.NoReason {
		return true
	}
	return l.lose(r, max(0, fits-frame.VXLANHeader-frame.EthernetHeader), e, j)
}

// lose counts a frame that did not leave, and tells whoever listens; fits is the size that would have passed, of a drop that is about
// size. It returns false.
func (l *Link) lose(r trace.Reason, fits int, e trace.Event, j *trace.Journey) bool {
	if j := l.tracer.Drop(r, j); j.On() {
		e.Hook, e.Verdict, e.Reason, e.Where, e.Port = trace.Encap, trace.Drop, r, l.where, l.name
		if e.Note = trace.NoNote; fits > 0 {
			e.Count = uint32(fits)
		}
		j.Emit(e)
	}
	return false
}

// transmit makes packets of a frame, and sends them as many together as the socket takes.
func (l *Link) transmit(f frame.Frame, flow uint32, to netip.AddrPort, tos uint8) (r trace.Reason, fits int) {
	buffer := buffers.Get().(*[MaxBytes]byte)
	defer buffers.Put(buffer)
	size := frame.VXLANHeader + f.Offload.WireLength(len(f.Data))
	if size > len(buffer) {
		return trace.PktTooBig, 0
	}
	segments, ok := frame.Segment(f, buffer[frame.VXLANHeader:])
	if !ok {
		return trace.BadOffload, 0
	}
	used, together := 0, 0
	for {
		one, more := segments.Next()
		if !more {
			break
		}
		frame.PutVXLAN(buffer[used:], l.vni)
		used += frame.VXLANHeader
		if &one.Data[0] != &buffer[used] { // it was whole before
			copy(buffer[used:], one.Data)
		}
		used += len(one.Data)
		if together++; together == MaxTogether || used+size > len(buffer) {
			if r, fits = l.socket.Send(buffer[:used], size, flow, to, tos); r != trace.NoReason {
				return r, fits
			}
			used, together = 0, 0
		}
		segments.Into(buffer[used+frame.VXLANHeader:])
	}
	if used > 0 {
		r, fits = l.socket.Send(buffer[:used], size, flow, to, tos)
	}
	return r, fits
}

// arrive hands a frame to the switch: what it came in tells where its sender lives. outer is that of its first packet.
func (l *Link) arrive(f frame.Frame, outer trace.Outer, now time.Time) {
	l.came = arrived{outer: outer, frame: f}
	if e, ok := frame.ParseEthernet(f.Data); ok && l.learning.Load() && e.Src().IsStation() {
		l.came.mac = e.Src()
		l.came.note, l.came.before = l.table.learn(e.Src(), outer.Src.Addr(), l.age(now))
	}
	l.deliver(f, now)
}

// Decap tells on the journey of the frame that was handed to the switch last how it came.
func (l *Link) Decap(j *trace.Journey) {
	c := &l.came
	e := trace.Event{Hook: trace.Decap, Verdict: trace.Accept, Note: c.note, MAC: c.mac, Outer: c.outer, Where: l.where, Port: l.name, Frame: c.frame}
	if c.note == trace.TunnelMoved {
		e.Addr = c.before
	}
	j.Emit(e)
}

// merger puts the segments of one TCP stream together that came from one machine, one behind the other.
type merger struct {
	to    *Link // nil: there are none
	outer trace.Outer
	all   frame.Merger
}

// add takes the next frame.
func (m *merger) add(l *Link, data []byte, a *Arrival, now time.Time) {
	if m.to == l && m.outer.Src == a.From && m.outer.TOS == a.TOS && m.all.Append(data) {
		return
	}
	m.flush(now)
	m.to, m.outer = l, l.outer(a, l.vni)
	m.all.Begin(data)
}

// flush hands over what waits.
func (m *merger) flush(now time.Time) {
	if l := m.to; l != nil {
		m.to = nil
		l.arrive(m.all.Frame(), m.outer, now)
	}
}
