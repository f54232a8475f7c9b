package vswitch

import (
	"sync"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// send hands a frame to the link, if it fits.
func (p *Port) send(f frame.Frame, j *trace.Journey, now time.Time) {
	k := p.flags.Load()
	if k.Down {
		p.sw.dropTo(p, trace.PortDisabled, f, j)
		return
	}
	if k.MTU > 0 && payload(f) > k.MTU {
		p.sw.dropTo(p, trace.PktTooBig, f, j)
		return
	}
	if p.tunnel != nil {
		p.encap(f, j, now)
		return
	}
	if p.cuts && f.Unfinished() || p.cutsU && f.Offload.GSO == frame.GSOUDPL4 {
		p.finish(f, j)
		return
	}
	note, count := together(f)
	told := p.tellBefore(note, count, f, j)
	if err := p.write(f); err != nil {
		p.sw.dropTo(p, linkReason(err), f, j)
		return
	}
	p.tx.count(f)
	if !told {
		p.tell(note, count, f, j)
	}
}

// encap hands a frame to the tunnel, which says what becomes of it.
func (p *Port) encap(f frame.Frame, j *trace.Journey, now time.Time) {
	note, count := together(f)
	p.tell(note, count, f, j)
	sent := func() (sent bool) {
		defer func() {
			if fault := recover(); fault != nil {
				p.fail(fault)
				p.sw.drop(p, trace.Egress, trace.PortFault, 0, f, j)
				sent = false
			}
		}()
		return p.tunnel.Encap(f, j, now)
	}()
	if !sent {
		p.tx.drops.Add(1)
		return
	}
	p.tx.count(f)
}

// tellBefore tells that a frame is sent before it is, if the link is ready: the answer may be back in the switch before the
// system call returns, and a reader should see the question first. To a link that is not ready the frame goes first, and what
// became of it is told then: most likely nothing comes back.
func (p *Port) tellBefore(note trace.Note, count uint32, f frame.Frame, j *trace.Journey) bool {
	if !j.On() || p.ready != nil && !p.ready() {
		return false
	}
	p.tell(note, count, f, j)
	return true
}

// tell tells that a frame is sent.
func (p *Port) tell(note trace.Note, count uint32, f frame.Frame, j *trace.Journey) {
	if j.On() {
		j.Emit(trace.Event{Hook: trace.Egress, Verdict: trace.Accept, Note: note, Count: count, Where: p.sw.name, Port: p.name, Frame: f})
	}
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
	note, count := together(f)
	if note == trace.SegmentsTogether {
		note = trace.Segmented
	}
	told := p.tellBefore(note, count, f, j)
	for one, more := segments.Next(); more; one, more = segments.Next() {
		if err := p.write(one); err != nil {
			p.sw.dropTo(p, linkReason(err), f, j)
			return
		}
		p.tx.count(one)
	}
	if !told {
		p.tell(note, count, f, j)
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

// dropFrom counts a frame that goes no further because of what it is or where it wants to go, against the port it came
// from (nil: the local port), and tells whoever listens.
func (s *Switch) dropFrom(p *Port, h trace.Hook, r trace.Reason, f frame.Frame, j *trace.Journey) {
	if p != nil {
		p.rx.drops.Add(1)
	}
	s.drop(p, h, r, 0, f, j)
}

// dropLooped counts a frame whose sender goes round in a loop, and is believed to be elsewhere.
func (s *Switch) dropLooped(p *Port, found finding, f frame.Frame, j *trace.Journey) {
	p.rx.drops.Add(1)
	if j := s.tracer.Drop(trace.Loop, j); j.On() {
		j.Emit(trace.Event{Hook: trace.Learn, Verdict: trace.Drop, Reason: trace.Loop, Note: trace.Looped, Where: s.name,
			Port: p.name, From: found.from, Ports: found.loop.names, MAC: frame.Ethernet(f.Data).Src(), Frame: f})
	}
}

// dropTo counts a copy that the port it was meant for did not take, against that port.
func (s *Switch) dropTo(p *Port, r trace.Reason, f frame.Frame, j *trace.Journey) {
	p.tx.drops.Add(1)
	fits := 0
	if r == trace.PktTooBig {
		fits = p.flags.Load().MTU
	}
	s.drop(p, trace.Egress, r, fits, f, j)
}

// drop is where both end; fits is the size that would have passed, on a drop that is about size.
func (s *Switch) drop(p *Port, h trace.Hook, r trace.Reason, fits int, f frame.Frame, j *trace.Journey) {
	if j := s.tracer.Drop(r, j); j.On() {
		j.Emit(trace.Event{Hook: h, Verdict: trace.Drop, Reason: r, Count: uint32(fits), Where: s.name, Port: p.nameOrNone(), Frame: f})
	}
}

// nameOrNone is Name for a port that may be nil, the local one.
func (p *Port) nameOrNone() string { return p.nameOr("") }

// nameOr is Name for a port that may be nil, and then local.
func (p *Port) nameOr(local string) string {
	if p == nil {
		return local
	}
	return p.name
}
