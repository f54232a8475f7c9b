package nat

import (
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// fragment cuts a packet that is too large for the way out (RFC 791 3.2) and sends the pieces.
func (g *Gateway) fragment(p *packet) {
	if p.f.Offload.GSO != frame.GSONone {
		g.fragmentSegments(p)
		return
	}
	p.f.FinishChecksum()
	p.j.Split()
	payload, room := len(p.ip.Payload()), p.ip.FragmentRoom(p.out.config.MTU)
	if p.j.On() {
		e := p.event(trace.Postrouting, trace.Accept, trace.FragmentedInto)
		e.Count = uint32((payload + room - 1) / room)
		p.emit(e)
	}
	for offset := 0; offset < payload; {
		b := make([]byte, frame.EthernetHeader, frame.EthernetHeader+p.ip.HeaderLen()+min(room, payload-offset))
		b, offset = p.ip.AppendFragment(b, offset, room)
		q := *p
		q.f, q.ip = frame.Frame{Data: b, Source: p.f.Source}, frame.IPv4(b[frame.EthernetHeader:])
		g.transmit(&q)
	}
}

// fragmentSegments cuts a super-frame first into the packets that it stands for, and each of these into fragments.
func (g *Gateway) fragmentSegments(p *packet) {
	frame.Ethernet(p.f.Data).SetHeader(frame.MAC{}, frame.MAC{}, frame.TypeIPv4) // from an uplink it is mere room
	segments, ok := frame.Segment(p.f, make([]byte, p.f.Offload.WireLength(len(p.f.Data))))
	if !ok {
		g.drop(p, trace.Postrouting, trace.BadOffload)
		return
	}
	p.j.Split()
	for one, more := segments.Next(); more; one, more = segments.Next() {
		q := *p
		q.f, q.ip = one, frame.IPv4(one.Data[frame.EthernetHeader:])
		if q.fits() {
			g.transmit(&q)
		} else {
			g.fragment(&q)
		}
	}
}
