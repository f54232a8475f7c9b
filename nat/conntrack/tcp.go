package conntrack

import "uswitch/switch/frame"

// tcpState is how far a TCP connection has come, with the kernel's names (nf_conntrack_proto_tcp.c). It is followed far
// enough to give each connection the right time to live; payload and windows are the endpoints' business.
type tcpState uint8

const (
	tcpNone tcpState = iota
	tcpSynSent
	tcpSynRecv
	tcpEstablished
	tcpFinWait
	tcpCloseWait
	tcpLastAck
	tcpTimeWait
	tcpClose
)

var tcpStateNames = [...]string{"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK",
	"TIME_WAIT", "CLOSE"}

func (s tcpState) String() string { return tcpStateNames[s] }

// tcpTrack follows one connection.
type tcpTrack struct {
	state tcpState
	sides [2]tcpSide
}

// tcpSide is what one side has said.
type tcpSide struct {
	acked    bool   // it has acknowledged something
	ack      uint32 // what it acknowledged last
	window   uint32 // how much more it takes, in bytes
	next     uint32 // the sequence number behind the last that it sent
	scaled   bool   // its SYN offered to scale windows, by scale bits
	scale    uint8
	finished bool // it has sent a FIN
}

func (t *tcpTrack) closed() bool { return t.state == tcpTimeWait || t.state == tcpClose }

// reopens reports whether a SYN begins the connection anew although its last life is still remembered.
func (t *tcpTrack) reopens(d Direction, s Segment) bool {
	return t.closed() && d == Original && s.Flags&(frame.SYN|frame.ACK) == frame.SYN
}

// follow moves the connection on by one segment. It returns false for a RST that the receiver will not believe
// (RFC 5961 3.2: the sequence number is outside the window). One inside the window that is not exactly the next number
// passes, but ends nothing either: the receiver will ask back, and if it is true, another one follows.
func (t *tcpTrack) follow(d Direction, s Segment) bool {
	side := &t.sides[d]
	if s.Flags&frame.RST != 0 {
		exact, credible := t.judge(d, s)
		if exact {
			t.state = tcpClose
		}
		return credible
	}
	t.state = t.next(d, s.Flags)
	if s.Flags&frame.SYN != 0 && t.state <= tcpSynRecv {
		side.scaled, side.scale = s.Scale >= 0, uint8(max(s.Scale, 0))
	}
	if s.Flags&frame.ACK != 0 {
		side.acked, side.ack = true, s.Ack
		side.window = s.Window
		if s.Flags&frame.SYN == 0 && side.scaled && t.sides[d.Other()].scaled {
			side.window <<= side.scale
		}
	}
	side.next = s.End
	side.finished = side.finished || s.Flags&frame.FIN != 0 && t.state >= tcpFinWait
	return true
}

// judge compares the sequence number of a RST with what the side that it is sent to expects: the one it has acknowledged,
// or the one behind what is still on its way there.
func (t *tcpTrack) judge(d Direction, s Segment) (exact, credible bool) {
	sender, receiver := t.sides[d], t.sides[d.Other()]
	if !receiver.acked {
		return true, true
	}
	credible = s.Seq-receiver.ack <= receiver.window
	return credible && (s.Seq == receiver.ack || s.Seq == sender.next), credible
}

// next is the table of states, reduced to what happens between honest endpoints.
func (t *tcpTrack) next(d Direction, flags frame.TCPFlags) tcpState {
	switch {
	case flags&frame.SYN != 0 && flags&frame.ACK == 0:
		if t.state == tcpNone {
			return tcpSynSent
		}
	case flags&frame.SYN != 0:
		if t.state == tcpSynSent && d == Reply {
			return tcpSynRecv
		}
	case flags&frame.FIN != 0:
		switch t.state {
		case tcpSynRecv, tcpEstablished:
			return tcpFinWait
		case tcpFinWait, tcpCloseWait:
			if t.sides[d.Other()].finished { // else it is the first FIN once more
				return tcpLastAck
			}
		}
	case flags&frame.ACK != 0:
		switch t.state {
		case tcpNone:
			return tcpEstablished
		case tcpSynRecv:
			if d == Original {
				return tcpEstablished
			}
		case tcpFinWait:
			return tcpCloseWait
		case tcpLastAck:
			return tcpTimeWait
		}
	}
	return t.state
}

// begins reports whether a packet may be the first of a connection. For TCP that is a SYN and nothing else, so that scans
// with odd flags, and acknowledgements out of nowhere, create no state (the kernel's nf_conntrack_tcp_loose=0; see flush.go);
// for ICMP a question.
func begins(tuple frame.Tuple, s Segment) bool {
	switch tuple.Proto {
	case frame.ProtoTCP:
		return s.Flags&control == frame.SYN && tuple.SrcPort != 0 && tuple.DstPort != 0
	case frame.ProtoUDP:
		return tuple.DstPort != 0
	case frame.ProtoICMP, frame.ProtoICMPv6:
		return s.Question
	}
	return true
}

// goesOn reports whether a packet may be the next one of a TCP connection that is known to be under way.
func goesOn(tuple frame.Tuple, s Segment) bool {
	return tuple.Proto == frame.ProtoTCP && s.Flags&control == frame.ACK
}

// control are the flags that begin and end a connection.
const control = frame.SYN | frame.ACK | frame.FIN | frame.RST

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
func ReadSegment(p frame.IP) Segment {
	s := Segment{Length: len(p), Scale: -1}
	if s.Question = p.IsICMPQuestion(); s.Question {
		return s
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
