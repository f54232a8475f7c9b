package conntrack

import (
	"uswitch/switch/frame"
)

// Segment is what connection tracking reads of a packet besides its tuple.
type Segment struct {
	Flags    frame.TCPFlags
	Seq      uint32
	Ack      uint32
	Window   uint32
	End      uint32 // the sequence number behind it
	Scale    int    // the window scale option of a SYN, -1 without
	Question bool   // ICMP: asks for an answer
	Length   int    // of the IP packet in bytes, of all its segments for a super-frame
}

// ReadSegment reads what there is; a packet that is not TCP has a length only.
func ReadSegment(p frame.IPv4) Segment {
	s := Segment{Length: len(p), Scale: -1}
	if m, ok := frame.ParseICMP(p.Payload()); ok && p.Proto() == frame.ProtoICMP {
		s.Question = m.IsQuestion()
	}
	if p.Proto() != frame.ProtoTCP || p.FragmentOffset() != 0 {
		return s
	}
	t, ok := frame.ParseTCP(p.Payload())
	if !ok {
		return s
	}
	s.Flags, s.Seq, s.Ack, s.Window = t.Flags(), t.Seq(), t.Ack(), uint32(t.Window())
	s.End = s.Seq + uint32(len(t.Payload()))
	if s.Flags&frame.SYN != 0 {
		s.End++
		s.Scale = windowScale(t[frame.TCPHeader:t.HeaderLen()])
	}
	if s.Flags&frame.FIN != 0 {
		s.End++
	}
	return s
}

// windowScale finds the option of RFC 7323 2.2. A malformed option ends the search.
func windowScale(options []byte) int {
	for len(options) > 0 {
		switch kind := options[0]; {
		case kind == 0:
			return -1
		case kind == 1:
			options = options[1:]
		case len(options) < 2 || options[1] < 2 || int(options[1]) > len(options):
			return -1
		case kind == 3 && options[1] == 3:
			return min(int(options[2]), 14)
		default:
			options = options[options[1]:]
		}
	}
	return -1
}
