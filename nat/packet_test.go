package nat_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"uswitch/switch/frame"
)

// Packets in these tests are bare IP packets, built complete with checksums and read back as one line each: what a
// student would write down of them.

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
func ip4(s string) netip.Addr    { return netip.MustParseAddr(s) }

func packetOf(proto uint8, src, dst netip.Addr, transport []byte) []byte {
	b := make([]byte, frame.IPv4Header+len(transport))
	copy(b[frame.IPv4Header:], transport)
	frame.PutIPv4(b, proto, 64, 0x4242, src, dst)
	return b
}

// sealed writes the transport checksum of a packet whose field is zero.
func sealed(ip frame.IPv4, at int) []byte {
	payload := ip.Payload()
	binary.BigEndian.PutUint16(payload[at:], 0)
	sum := frame.Checksum(payload, frame.PseudoHeader(ip.Proto(), ip.Src(), ip.Dst(), len(payload)))
	if sum == 0 && ip.Proto() == frame.ProtoUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(payload[at:], sum)
	return ip
}

func udp(src, dst, data string) []byte {
	s, d := ap(src), ap(dst)
	u := make([]byte, frame.UDPHeader+len(data))
	binary.BigEndian.PutUint16(u[0:], s.Port())
	binary.BigEndian.PutUint16(u[2:], d.Port())
	binary.BigEndian.PutUint16(u[4:], uint16(len(u)))
	copy(u[frame.UDPHeader:], data)
	return sealed(packetOf(frame.ProtoUDP, s.Addr(), d.Addr(), u), 6)
}

// seg is what a TCP segment says besides its ports.
type seg struct {
	flags    string // S, A, F, R, P, U, any of them
	seq, ack uint32
	window   uint16
	options  []byte // a multiple of 4
	data     string
}

const flagLetters = "FSRPAUEC"

func tcp(src, dst string, s seg) []byte {
	from, to := ap(src), ap(dst)
	header := frame.TCPHeader + len(s.options)
	b := make([]byte, header+len(s.data))
	binary.BigEndian.PutUint16(b[0:], from.Port())
	binary.BigEndian.PutUint16(b[2:], to.Port())
	binary.BigEndian.PutUint32(b[4:], s.seq)
	binary.BigEndian.PutUint32(b[8:], s.ack)
	b[12] = byte(header / 4 << 4)
	for _, f := range s.flags {
		b[13] |= 1 << strings.IndexRune(flagLetters, f)
	}
	binary.BigEndian.PutUint16(b[14:], s.window)
	copy(b[frame.TCPHeader:], s.options)
	copy(b[header:], s.data)
	return sealed(packetOf(frame.ProtoTCP, from.Addr(), to.Addr(), b), 16)
}

func icmp(src, dst string, kind, code uint8, rest uint32, data []byte) []byte {
	m := frame.ICMP(make([]byte, frame.ICMPHeader+len(data)))
	m[0], m[1] = kind, code
	binary.BigEndian.PutUint32(m[4:], rest)
	copy(m[frame.ICMPHeader:], data)
	m.SetChecksum()
	return packetOf(frame.ProtoICMP, ip4(src), ip4(dst), m)
}

func echo(src, dst string, id uint16, data string) []byte {
	return icmp(src, dst, frame.ICMPEcho, 0, uint32(id)<<16|1, []byte(data))
}

func echoReply(src, dst string, id uint16, data string) []byte {
	return icmp(src, dst, frame.ICMPEchoReply, 0, uint32(id)<<16|1, []byte(data))
}

func withTTL(ip frame.IPv4, ttl uint8) []byte {
	ip[8] = ttl
	ip.SetChecksum()
	return ip
}

func withDF(ip frame.IPv4) []byte {
	ip.SetFragment(true, false, 0)
	ip.SetChecksum()
	return ip
}

func withOptions(ip frame.IPv4, options ...byte) []byte {
	b := append(append(append([]byte(nil), ip[:20]...), options...), ip.Payload()...)
	b[0] = 0x40 | byte(5+len(options)/4)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	frame.IPv4(b).SetChecksum()
	return b
}

// cut returns the fragments of a packet, each of at most size bytes of payload, a multiple of 8.
func cut(ip frame.IPv4, size int) (all [][]byte) {
	payload := ip.Payload()
	for at := 0; at < len(payload); at += size {
		end := min(at+size, len(payload))
		all = append(all, fragment(ip, at, end, end < len(payload)))
	}
	return all
}

// fragment returns one fragment of a packet.
func fragment(ip frame.IPv4, start, end int, more bool) []byte {
	b := append(append([]byte(nil), ip[:ip.HeaderLen()]...), ip.Payload()[start:end]...)
	f := frame.IPv4(b)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	f.SetFragment(false, more, start)
	f.SetChecksum()
	return f
}

// read describes a packet in one line, and fails the test if a checksum in it is wrong.
func read(t testing.TB, b []byte) string {
	t.Helper()
	ip, err := frame.ParseIPv4(b)
	if err != nil {
		t.Fatalf("not a packet: %v: %x", err, b)
	}
	if len(ip) != len(b) {
		t.Errorf("%d bytes behind the packet's end", len(b)-len(ip))
	}
	if bad := badChecksum(ip); bad != "" {
		t.Errorf("%s checksum is wrong: %s: %x", bad, describe(ip), b)
	}
	return describe(ip)
}

// badChecksum names the checksum that is wrong in a whole packet, if one is.
func badChecksum(ip frame.IPv4) string {
	payload := ip.Payload()
	switch {
	case !ip.ChecksumOK():
		return "IP header"
	case ip.IsFragment():
		return ""
	case ip.Proto() == frame.ProtoICMP && frame.Checksum(payload, 0) != 0:
		return "ICMP"
	case ip.Proto() == frame.ProtoTCP, ip.Proto() == frame.ProtoUDP && frame.UDP(payload).Checksum() != 0:
		if frame.Checksum(payload, frame.PseudoHeader(ip.Proto(), ip.Src(), ip.Dst(), len(payload))) != 0 {
			return "transport"
		}
	}
	if quote, ok := quoteOf(ip); ok {
		whole := len(quote) == int(binary.BigEndian.Uint16(quote[2:]))
		if bad := badChecksum(quote); bad == "IP header" || bad != "" && whole {
			return "quoted " + bad
		}
	}
	return ""
}

func quoteOf(ip frame.IPv4) (frame.IPv4, bool) {
	if ip.Proto() != frame.ProtoICMP || ip.IsFragment() {
		return nil, false
	}
	m, ok := frame.ParseICMP(ip.Payload())
	if !ok || !m.IsError() || len(m.Payload()) < frame.IPv4Header+8 {
		return nil, false
	}
	quote := frame.IPv4(m.Payload())
	header := quote.HeaderLen()
	return quote, quote[0]>>4 == 4 && header >= frame.IPv4Header && len(quote) >= header+8
}

func describe(ip frame.IPv4) string {
	payload := ip.Payload()
	ends := fmt.Sprintf("%v > %v ttl %d", ip.Src(), ip.Dst(), ip.TTL())
	if ip.IsFragment() {
		more := ""
		if ip.MoreFragments() {
			more = "+"
		}
		return fmt.Sprintf("fragment %s %s id %x %d..%d%s", frame.ProtoName(ip.Proto()), ends, ip.ID(), ip.FragmentOffset(),
			ip.FragmentOffset()+len(payload), more)
	}
	switch t, ok := frame.TupleOf(ip); {
	case !ok && ip.Proto() == frame.ProtoICMP:
		m := frame.ICMP(payload)
		about, mtu := "", ""
		if quote, ok := quoteOf(ip); ok {
			about = " about " + describe(quote)
		}
		if m.Type() == frame.ICMPUnreachable && m.Code() == frame.UnreachableTooBig {
			mtu = fmt.Sprintf(" mtu %d", m.MTU())
		}
		return fmt.Sprintf("icmp %d/%d%s %s%s", m.Type(), m.Code(), mtu, ends, about)
	case !ok, !t.HasPorts() && t.Proto != frame.ProtoICMP:
		return fmt.Sprintf("proto %d %s", ip.Proto(), ends)
	case t.Proto == frame.ProtoICMP:
		name := map[uint8]string{frame.ICMPEcho: "echo", frame.ICMPEchoReply: "echo-reply"}[payload[0]]
		return fmt.Sprintf("%s %s id %d%s", name, ends, t.SrcPort, describeData(payload[frame.ICMPHeader:]))
	case t.Proto == frame.ProtoUDP:
		return fmt.Sprintf("udp %s > %s ttl %d%s", t.Source(), t.Destination(), ip.TTL(), describeData(payload[frame.UDPHeader:]))
	default:
		line := fmt.Sprintf("tcp %s > %s ttl %d", t.Source(), t.Destination(), ip.TTL())
		segment, ok := frame.ParseTCP(payload)
		if !ok {
			return line // in a quotation
		}
		flags := ""
		for i, letter := range flagLetters {
			if segment.Flags()>>i&1 != 0 {
				flags += string(letter)
			}
		}
		return line + " " + flags + describeData(segment.Payload())
	}
}

// describeData quotes what is short.
func describeData(b []byte) string {
	switch {
	case len(b) == 0:
		return ""
	case len(b) > 16:
		return fmt.Sprintf(" +%d", len(b))
	}
	return fmt.Sprintf(" %q", b)
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// defaultRoute is the default route.
var defaultRoute = prefix("0.0.0.0/0")

// reassembled puts fragments together that come in order.
func reassembled(t testing.TB, fragments [][]byte) []byte {
	t.Helper()
	if len(fragments) == 0 {
		t.Fatal("no fragments")
	}
	whole := append([]byte(nil), fragments[0][:frame.IPv4(fragments[0]).HeaderLen()]...)
	for i, b := range fragments {
		read(t, b)
		f := frame.IPv4(b)
		if f.FragmentOffset() != len(whole)-20 || f.MoreFragments() != (i < len(fragments)-1) || len(f) > 1500 {
			t.Errorf("fragment %d: %s", i, describe(f))
		}
		whole = append(whole, f.Payload()...)
	}
	ip := frame.IPv4(whole)
	binary.BigEndian.PutUint16(whole[2:], uint16(len(whole)))
	ip.SetFragment(false, false, 0)
	ip.SetChecksum()
	return whole
}
