package tcpdump

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
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

// tcpOptions prints the options behind TCP's header (RFC 9293 3.2); ok is false if one of them made it stop. theirs is
// where the numbers of selective acknowledgements count from.
func (p *Printer) tcpOptions(b []byte, theirs uint32) (ok bool) {
	for i := 0; len(b) > 0; i++ {
		if i > 0 {
			p.f(",")
		}
		kind := b[0]
		if kind == 0 {
			p.f("eol")
			return true
		}
		if kind == 1 {
			p.f("nop")
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			p.f("[bad opt]")
			return false
		}
		p.tcpOption(kind, b[2:b[1]], theirs)
		b = b[b[1]:]
	}
	return true
}

// tcpOption prints one option: its name, and its value if it has the length that it should have.
func (p *Printer) tcpOption(kind byte, value []byte, theirs uint32) {
	lengths := map[byte]int{2: 2, 3: 1, 4: 0, 8: 8}
	switch kind {
	case 2:
		p.f("mss")
		if len(value) >= 2 {
			p.f(" %d", be.Uint16(value))
		}
	case 3:
		p.f("wscale")
		if len(value) >= 1 {
			p.f(" %d", value[0])
		}
	case 4:
		p.f("sackOK")
	case 5:
		p.f("sack")
		if len(value)%8 != 0 {
			p.f(" invalid sack")
			return
		}
		p.f(" %d ", len(value)/8)
		for ; len(value) > 0; value = value[8:] {
			p.f("{%d:%d}", be.Uint32(value)-theirs, be.Uint32(value[4:])-theirs)
		}
	case 8:
		p.f("TS")
		if len(value) >= 8 {
			p.f(" val %d ecr %d", be.Uint32(value), be.Uint32(value[4:]))
		}
	case 34: // RFC 7413 4.1.1
		p.f("tfo ")
		p.cookie(value)
	case 253, 254: // RFC 6994 3
		if len(value) >= 2 && be.Uint16(value) == 0xf989 {
			p.f("exp-tfo")
			p.cookie(value[2:])
			return
		}
		p.f("unknown-%d", kind)
		if len(value) > 0 {
			p.f(" 0x%s", hex.EncodeToString(value))
		}
	default:
		p.f("unknown-%d", kind)
		if len(value) > 0 {
			p.f(" 0x%s", hex.EncodeToString(value))
		}
	}
	if want, fixed := lengths[kind]; fixed && len(value) != want {
		p.f("[len %d]", len(value)+2)
	}
}

// cookie prints that of fast open.
func (p *Printer) cookie(value []byte) {
	if len(value) == 0 {
		p.f(" cookiereq")
		return
	}
	p.f(" cookie %s", hex.EncodeToString(value))
}

// httpWords begin a line that HTTP prints (print-http.c): its methods and its version.
var httpWords = []string{"GET", "PUT", "COPY", "HEAD", "LOCK", "MOVE", "POLL", "POST", "BCOPY", "BMOVE", "MKCOL", "TRACE", "LABEL", "MERGE",
	"DELETE", "SEARCH", "UNLOCK", "REPORT", "UPDATE", "NOTIFY", "BDELETE", "CONNECT", "OPTIONS", "CHECKIN", "PROPFIND", "CHECKOUT",
	"CCM_POST", "SUBSCRIBE", "PROPPATCH", "BPROPFIND", "BPROPPATCH", "UNCHECKOUT", "MKACTIVITY", "MKWORKSPACE", "UNSUBSCRIBE",
	"RPC_CONNECT", "VERSION-CONTROL", "BASELINE-CONTROL"}

// stream prints what a segment carries, where that has a printer.
func (p *Printer) stream(src, dst uint16, payload []byte, length int) {
	isAt := func(ports ...uint16) bool { return slices.Contains(ports, src) || slices.Contains(ports, dst) }
	switch {
	case isAt(80, 8080):
		p.f(": HTTP")
		if line := firstLine(payload); isHTTP(line) {
			p.f(": %s", line)
		}
	case isAt(22) && bytes.HasPrefix(payload, []byte("SSH-")) && bytes.IndexByte(payload, '\n') > 0:
		p.f(": SSH: %s", firstLine(payload))
	case isAt(25):
		p.f(": SMTP: %s", firstLine(payload))
	case isAt(21):
		p.f(": FTP: %s", firstLine(payload))
	case isAt(179):
		p.f(": BGP")
	case isAt(portDNS) && len(payload) > 2: // behind its length (RFC 1035 4.2.2)
		p.f(" ")
		p.dns(payload[2:], length-2, false)
	}
}

// firstLine returns the bytes up to the end of the line, those that cannot be shown as tcpdump shows them.
func firstLine(b []byte) string {
	end := bytes.IndexAny(b, "\r\n")
	if end < 0 {
		end = len(b)
	}
	var line strings.Builder
	for _, c := range b[:end] {
		switch {
		case c >= 0x80:
			line.WriteString("M-")
			c &= 0x7f
		}
		if c < 0x20 || c == 0x7f {
			line.WriteByte('^')
			c ^= 0x40
		}
		line.WriteByte(c)
	}
	return line.String()
}

func isHTTP(line string) bool {
	word, _, _ := strings.Cut(line, " ")
	return slices.Contains(httpWords, word) || strings.HasPrefix(line, "HTTP/")
}
