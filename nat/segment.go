package nat

import (
	"encoding/binary"

	"uswitch/switch/frame"
)

// segment is what connection tracking reads of a packet besides its tuple.
type segment struct {
	flags    frame.TCPFlags
	seq      uint32
	ack      uint32
	window   uint32
	end      uint32 // the sequence number behind it
	scale    int    // the window scale option of a SYN, -1 without
	question bool   // ICMP: asks for an answer
	length   int    // of the IP packet in bytes, of all its segments for a super-frame
}

// readSegment reads what there is; a packet that is not TCP has a length only.
func readSegment(p frame.IPv4) segment {
	s := segment{length: len(p), scale: -1}
	if m, ok := frame.ParseICMP(p.Payload()); ok && p.Proto() == frame.ProtoICMP {
		s.question = m.IsQuestion()
	}
	if p.Proto() != frame.ProtoTCP || p.FragmentOffset() != 0 {
		return s
	}
	t, ok := frame.ParseTCP(p.Payload())
	if !ok {
		return s
	}
	s.flags, s.seq, s.ack, s.window = t.Flags(), t.Seq(), t.Ack(), uint32(t.Window())
	s.end = s.seq + uint32(len(t.Payload()))
	if s.flags&frame.SYN != 0 {
		s.end++
		s.scale = windowScale(t[frame.TCPHeader:t.HeaderLen()])
	}
	if s.flags&frame.FIN != 0 {
		s.end++
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

// putRST writes a TCP reset into b, which must hold TCPHeader bytes, in answer to the segment s (RFC 9293 3.10.7.1).
func putRST(b []byte, srcPort, dstPort uint16, s segment) {
	clear(b[:frame.TCPHeader])
	binary.BigEndian.PutUint16(b[0:], srcPort)
	binary.BigEndian.PutUint16(b[2:], dstPort)
	b[12], b[13] = frame.TCPHeader/4<<4, byte(frame.RST)
	if s.flags&frame.ACK != 0 {
		binary.BigEndian.PutUint32(b[4:], s.ack)
		return
	}
	binary.BigEndian.PutUint32(b[8:], s.end)
	b[13] |= byte(frame.ACK)
}
