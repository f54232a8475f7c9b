package vxlan

import (
	"net/netip"
	"sync"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

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
