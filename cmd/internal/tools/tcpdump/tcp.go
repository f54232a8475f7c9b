package tcpdump

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"uswitch/switch/frame"
)

// conn is a connection, its ends in the order of their ports and then of their addresses.
type conn struct{ low, high netip.AddrPort }

// sequence is where the two directions of a connection began; low is the one from conn.low.
type sequence struct{ low, high uint32 }

// maxConns bounds the memory for connections; when it is full all are forgotten, and their numbers are absolute once more.
const maxConns = 1 << 16

// TCP's flags (RFC 9293 3.1) in the order in which they are printed.
var tcpFlags = []struct {
	bit  byte
	name string
}{{1, "F"}, {2, "S"}, {4, "R"}, {8, "P"}, {16, "."}, {32, "U"}, {64, "E"}, {128, "W"}}

const (
	flagFIN, flagSYN, flagRST, flagACK, flagURG = 1, 2, 4, 16, 32
)

// tcp prints a segment (print-tcp.c).
func (p *Printer) tcp(k packet) {
	b := k.payload
	if len(b) < 4 {
		p.f("%s [|tcp]", k.ends())
		return
	}
	src, dst := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	p.f("%s", k.ends(src, dst))
	if len(b) < frame.TCPHeader {
		p.f(" [|tcp]")
		return
	}
	header, flags := int(b[12]>>4)*4, b[13]
	if header < frame.TCPHeader || header > k.length {
		why := fmt.Sprintf("too short, < %d", frame.TCPHeader)
		if header > k.length {
			why = fmt.Sprintf("too long, > %d", k.length)
		}
		p.f(" tcp %d [bad hdr length %d - %s]", k.length-header, header, why)
		return
	}
	seq, ack := binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	var theirs uint32 // where the numbers begin that the other end counts with
	if flags&flagACK != 0 {
		seq, ack, theirs = p.relative(netip.AddrPortFrom(k.src, src), netip.AddrPortFrom(k.dst, dst), seq, ack, flags)
	}
	length := k.length - header
	p.f("Flags [%s]", flagNames(flags))
	if length > 0 || flags&(flagSYN|flagFIN|flagRST) != 0 {
		p.f(", seq %d", seq)
		if length > 0 {
			p.f(":%d", seq+uint32(length))
		}
	}
	if flags&flagACK != 0 {
		p.f(", ack %d", ack)
	}
	p.f(", win %d", binary.BigEndian.Uint16(b[14:]))
	if flags&flagURG != 0 {
		p.f(", urg %d", binary.BigEndian.Uint16(b[18:]))
	}
	if header > frame.TCPHeader {
		p.f(", options [")
		if !p.tcpOptions(b[frame.TCPHeader:min(header, len(b))], theirs) {
			return
		}
		p.f("]")
	}
	p.f(", length %d", length)
	if length > 0 && len(b) > header {
		p.stream(src, dst, b[header:], length)
	}
}

// relative turns sequence numbers into those since the connection's beginning, or remembers that beginning and returns them
// as they are. theirs is the beginning of the other direction, zero at first.
func (p *Printer) relative(src, dst netip.AddrPort, seq, ack uint32, flags byte) (relSeq, relAck, theirs uint32) {
	c := conn{src, dst}
	reverse := src.Port() > dst.Port() || src.Port() == dst.Port() && src.Addr().Compare(dst.Addr()) > 0
	if reverse {
		c = conn{dst, src}
	}
	s, known := p.conns[c]
	if !known || flags&flagSYN != 0 {
		if p.conns == nil || len(p.conns) >= maxConns {
			p.conns = map[conn]*sequence{}
		}
		s = &sequence{low: seq, high: ack - 1}
		if reverse {
			s = &sequence{low: ack - 1, high: seq}
		}
		p.conns[c] = s
		return seq, ack, 0
	}
	if reverse {
		return seq - s.high, ack - s.low, s.low
	}
	return seq - s.low, ack - s.high, s.high
}

func flagNames(flags byte) string {
	var names strings.Builder
	for _, f := range tcpFlags {
		if flags&f.bit != 0 {
			names.WriteString(f.name)
		}
	}
	if names.Len() == 0 {
		return "none"
	}
	return names.String()
}
