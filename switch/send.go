package vswitch

import (
	"sync"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// send hands a frame to the link, if it fits.
func (p *Port) send(f frame.Frame, j *trace.Journey) {
	if mtu := p.knobs.Load().MTU; mtu > 0 && payload(f) > mtu {
		p.sw.dropTo(p, trace.PktTooBig, f, j)
		return
	}
	if p.cuts && f.Unfinished() || p.cutsU && f.Offload.GSO == frame.GSOUDPL4 {
		p.finish(f, j)
		return
	}
	// The event goes out before the frame: the answer may be back in the switch before the system call returns, and a
	// reader should see the question first.
	if j.On() {
		e := trace.Event{Hook: trace.Egress, Verdict: trace.Accept, Where: p.sw.name, Port: p.name, Frame: f}
		e.Note, e.Count = together(f)
		j.Emit(e)
	}
	if err := p.write(f); err != nil {
		p.sw.dropTo(p, linkReason(err), f, j)
		return
	}
	p.tx.count(f)
}

// together returns what the trace says of a frame that stands for many.
func together(f frame.Frame) (trace.Note, uint32) {
	if f.Offload.GSO == frame.GSONone {
		return trace.NoNote, 0
	}
	return trace.SegmentsTogether, uint32(f.Offload.Segments(len(f.Data)))
}

// scratch holds buffers in which frames are finished: *[]byte, for as long as one frame takes.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// finish hands a frame to a link that does not take it with something left to do: cut into segments, with its checksums. The
// frame itself stays as it is, for the other receivers of a flood. Once the link refuses a segment the rest is not tried.
func (p *Port) finish(f frame.Frame, j *trace.Journey) {
	buffer := scratch.Get().(*[]byte)
	defer scratch.Put(buffer)
	if n := f.Offload.WireLength(len(f.Data)); len(*buffer) < n {
		*buffer = make([]byte, n)
	}
	segments, ok := frame.Segment(f, *buffer)
	if !ok {
		p.sw.dropTo(p, trace.BadOffload, f, j)
		return
	}
	if j.On() {
		e := trace.Event{Hook: trace.Egress, Verdict: trace.Accept, Where: p.sw.name, Port: p.name, Frame: f}
		if f.Offload.GSO != frame.GSONone {
			e.Note, e.Count = trace.Segmented, uint32(f.Offload.Segments(len(f.Data)))
		}
		j.Emit(e)
	}
	for one, more := segments.Next(); more; one, more = segments.Next() {
		if err := p.write(one); err != nil {
			p.sw.dropTo(p, linkReason(err), f, j)
			return
		}
		p.tx.count(one)
	}
}

// payload returns the bytes that an MTU limits: of one segment where the frame stands for many. A VLAN tag is not counted,
// as in Linux.
func payload(f frame.Frame) int {
	n := f.Offload.WireLength(len(f.Data)) - frame.EthernetHeader
	if e, ok := frame.ParseEthernet(f.Data); ok && e.Type() == frame.TypeVLAN {
		n -= 4
	}
	return n
}
