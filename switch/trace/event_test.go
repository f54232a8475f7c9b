package trace_test

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// The lab of the tests: RED and BLUE on br0, the gateway between br0 and the uplink.
var (
	redMAC  = frame.MAC{0x02, 0x42, 0x0b, 0x0b, 0x0b, 0x02}
	blueMAC = frame.MAC{0x02, 0x42, 0x0b, 0x0b, 0x0b, 0x03}
	gwMAC   = frame.MAC{0x02, 0x42, 0x0b, 0x0b, 0x0b, 0x01}

	red    = netip.MustParseAddr("11.11.11.2")
	blue   = netip.MustParseAddr("11.11.11.3")
	gw     = netip.MustParseAddr("11.11.11.1")
	out    = netip.MustParseAddr("192.168.104.2")
	google = netip.MustParseAddr("8.8.8.8")

	br0   = netip.MustParsePrefix("11.11.11.0/24")
	start = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
)

type labNames struct{}

func (labNames) Name(a netip.Addr) (string, bool) {
	name, ok := map[netip.Addr]string{red: "RED", blue: "BLUE", gw: "gateway"}[a]
	return name, ok
}

func (labNames) NameMAC(m frame.MAC) (string, bool) {
	name, ok := map[frame.MAC]string{redMAC: "RED", blueMAC: "BLUE", gwMAC: "gateway"}[m]
	return name, ok
}

// walk is a journey in the making: step numbers the hops and lends every event the frame as it then is.
type walk struct {
	events []trace.Event
	packet uint64
	hop    uint32
	time   time.Time
	data   []byte
	ip     bool
}

func (w *walk) step(hook trace.Hook, verdict trace.Verdict, where string, e trace.Event) {
	w.hop++
	e.Time, e.Packet, e.Hop = w.time, w.packet, w.hop
	e.Hook, e.Verdict, e.Where, e.IP = hook, verdict, where, w.ip
	e.Frame.Data = append([]byte(nil), w.data...)
	e.Length = len(w.data)
	w.events = append(w.events, e)
}

func ethernet(src, dst frame.MAC, etherType uint16, payload []byte) []byte {
	b := make([]byte, frame.EthernetHeader, frame.EthernetHeader+len(payload))
	frame.Ethernet(b).SetHeader(dst, src, etherType)
	return append(b, payload...)
}

func arp(src, dst frame.MAC, op uint16, sha frame.MAC, spa netip.Addr, tha frame.MAC, tpa netip.Addr) []byte {
	b := make([]byte, frame.ARPLength)
	frame.PutARP(b, op, sha, spa, tha, tpa)
	return ethernet(src, dst, frame.TypeARP, b)
}

func ipv4(proto, ttl uint8, src, dst netip.Addr, payload []byte) []byte {
	b := append(make([]byte, frame.IPv4Header), payload...)
	return frame.PutIPv4(b, proto, ttl, 1, src, dst)
}

func icmp(kind, code uint8, id, seq uint16, payload []byte) []byte {
	b := append([]byte{kind, code, 0, 0, byte(id >> 8), byte(id), byte(seq >> 8), byte(seq)}, payload...)
	frame.ICMP(b).SetChecksum()
	return b
}

// echo is a ping's packet of 84 bytes.
func echo(kind uint8, ttl uint8, src, dst netip.Addr, id, seq uint16) []byte {
	return ipv4(frame.ProtoICMP, ttl, src, dst, icmp(kind, 0, id, seq, make([]byte, 56)))
}

func udp(sport, dport uint16, payload []byte) []byte {
	b := make([]byte, frame.UDPHeader, frame.UDPHeader+len(payload))
	binary.BigEndian.PutUint16(b[0:], sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	binary.BigEndian.PutUint16(b[4:], uint16(frame.UDPHeader+len(payload)))
	return append(b, payload...)
}

func tcp(sport, dport uint16, seq, ack uint32, flags frame.TCPFlags, payload []byte) []byte {
	b := make([]byte, frame.TCPHeader, frame.TCPHeader+len(payload))
	binary.BigEndian.PutUint16(b[0:], sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	binary.BigEndian.PutUint32(b[4:], seq)
	binary.BigEndian.PutUint32(b[8:], ack)
	b[12], b[13] = 5<<4, byte(flags)
	return append(b, payload...)
}

func icmpTuple(src, dst netip.Addr, id uint16) frame.Tuple {
	return frame.Tuple{SrcIP: frame.AddrOf(src), DstIP: frame.AddrOf(dst), SrcPort: id, DstPort: id, Proto: frame.ProtoICMP}
}

func flowTuple(proto uint8, src, dst string) frame.Tuple {
	s, d := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	return frame.Tuple{SrcIP: frame.AddrOf(s.Addr()), DstIP: frame.AddrOf(d.Addr()), SrcPort: s.Port(), DstPort: d.Port(), Proto: proto}
}

// print runs events through a Printer and returns the text.
func print(o trace.TextOptions, events ...trace.Event) string {
	var b strings.Builder
	p := trace.NewPrinter(&b, o)
	for i := range events {
		if err := p.Event(&events[i]); err != nil {
			panic(err)
		}
	}
	if err := p.Flush(); err != nil {
		panic(err)
	}
	return b.String()
}
