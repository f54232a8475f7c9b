package trace

import (
	"encoding/binary"
	"fmt"

	"uswitch/switch/frame"
)

// sequences remember where the sequence numbers of TCP connections begin, so that a head can count from there, as tcpdump
// does. A connection is known by its number, which its translated packets have too, or else by both ends.
type sequences struct{ begun map[flow]*sequence }

// sequence is a connection: the numbers that its two directions begin at, the first one being that of from.
type sequence struct {
	from  frame.Tuple
	start [2]uint32
}

// maxSequences bounds the connections that are remembered; when it is full all are forgotten.
const maxSequences = 1 << 12

// see takes the journey of a packet and returns what its head says in place of absolute numbers; empty if there is nothing
// to count from. A SYN is shown as it is, and a connection that is met on its way counts from there.
func (s *sequences) see(in Language, j *journey) string {
	p, ok := j.steps[0].Network()
	if !ok || p.Proto() != frame.ProtoTCP || p.FragmentOffset() != 0 || len(p.Payload()) < 14 {
		return ""
	}
	t := frame.TCP(p.Payload())
	tuple, _ := p.Tuple()
	key, _ := flowOf(j)
	known := s.begun[key]
	if known == nil || t.Flags()&(frame.SYN|frame.ACK) == frame.SYN {
		if s.begun == nil || len(s.begun) >= maxSequences {
			s.begun = map[flow]*sequence{}
		}
		s.begun[key] = &sequence{from: tuple, start: [2]uint32{t.Seq(), 0}}
		if t.Flags()&frame.ACK != 0 {
			s.begun[key].start[1] = t.Ack() - 1
		}
		return ""
	}
	dir := 0
	if tuple.SrcIP != known.from.SrcIP || tuple.SrcPort != known.from.SrcPort {
		dir = 1
	}
	if t.Flags()&frame.SYN != 0 {
		known.start[dir], known.start[1-dir] = t.Seq(), t.Ack()-1
		return ""
	}
	return tcpFrom(in, p, known.start[dir], known.start[1-dir])
}

// tcpWords follows tcpdump: ports, flags in brackets, sequence numbers, length of the data.
func tcpWords(in Language, p frame.IP) string { return tcpFrom(in, p, 0, 0) }

// tcpFrom is tcpWords with sequence numbers that count from seq, and acknowledgements from ack.
func tcpFrom(in Language, p frame.IP, seq, ack uint32) string {
	b := p.Payload()
	if len(b) < 14 {
		return cutShort(in, b)
	}
	t := frame.TCP(b)
	flags := t.Flags()
	data := max(totalLength(p)-p.HeaderLen()-t.HeaderLen(), 0)
	what := fmt.Sprintf("%d > %d [%s]", t.SrcPort(), t.DstPort(), flagLetters(flags))
	if data > 0 || flags&(frame.SYN|frame.FIN|frame.RST) != 0 {
		what += fmt.Sprintf(" seq %d", t.Seq()-seq)
		if data > 0 {
			what += fmt.Sprintf(":%d", t.Seq()-seq+uint32(data))
		}
	}
	if flags&frame.ACK != 0 {
		what += fmt.Sprintf(" ack %d", t.Ack()-ack)
	}
	return what + fmt.Sprintf(" len %d", data)
}

// cutShort says what can be said of a transport header that is not complete.
func cutShort(in Language, b []byte) string {
	if len(b) < 4 {
		return in("cut short")
	}
	return in("%d > %d, cut short", binary.BigEndian.Uint16(b[0:2]), binary.BigEndian.Uint16(b[2:4]))
}
