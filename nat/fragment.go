package nat

import (
	"encoding/binary"

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
	header, payload := p.ip[:p.ip.HeaderLen()], p.ip.Payload()
	later := laterHeader(header)
	room := (p.out.config.MTU - len(header)) &^ 7
	count := (len(payload) + room - 1) / room
	if p.j.On() {
		e := p.event(trace.Postrouting, trace.Accept, trace.FragmentedInto)
		e.Count = uint32(count)
		p.emit(e)
	}
	for offset := 0; offset < len(payload); offset += room {
		piece := payload[offset:min(offset+room, len(payload))]
		h := header
		if offset > 0 {
			h = later
		}
		b := make([]byte, frame.EthernetHeader, frame.EthernetHeader+len(h)+len(piece))
		b = append(append(b, h...), piece...)
		ip := frame.IPv4(b[frame.EthernetHeader:])
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
		ip.SetFragment(false, offset+len(piece) < len(payload), offset)
		ip.SetChecksum()
		q := *p
		q.f, q.ip = frame.Frame{Data: b, Source: p.f.Source}, ip
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

// laterHeader returns the header of every fragment but the first: of the options, those with the copied flag.
func laterHeader(header []byte) []byte {
	h := append([]byte(nil), header[:frame.IPv4Header]...)
	for options := header[frame.IPv4Header:]; len(options) > 0 && options[0] != 0; {
		n := 1
		if options[0] != 1 {
			n = int(options[1]) // checkOptions has seen that it is possible
		}
		if options[0]&0x80 != 0 {
			h = append(h, options[:n]...)
		}
		options = options[n:]
	}
	for len(h)%4 != 0 {
		h = append(h, 0)
	}
	h[0] = 0x40 | byte(len(h)/4)
	return h
}
