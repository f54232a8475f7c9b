package nat_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// withPorts is a packet of a protocol whose header begins with the ports, with a checksum that is right.
func withPorts(proto uint8, src, dst string, sport, dport uint16) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b[0:], sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	copy(b[12:], "payload.")
	switch proto {
	case frame.ProtoSCTP:
		binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	default: // UDP-Lite and DCCP, over all of it
		binary.BigEndian.PutUint16(b[6:], frame.Checksum(b, frame.PseudoHeader(proto, ip4(src), ip4(dst), len(b))))
	}
	return packetOf(proto, ip4(src), ip4(dst), b)
}

// soundPorts reads such a packet, and fails the test if its checksum is wrong.
func soundPorts(t *testing.T, p frame.IPv4) string {
	t.Helper()
	b := p.Payload()
	whole := append([]byte(nil), b...)
	if p.Proto() == frame.ProtoSCTP {
		clear(whole[8:12])
		if crc32.Checksum(whole, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(b[8:]) {
			t.Error("SCTP with a wrong checksum")
		}
	} else if frame.Checksum(b, frame.PseudoHeader(p.Proto(), p.Src(), p.Dst(), len(b))) != 0 {
		t.Errorf("protocol %d with a wrong checksum", p.Proto())
	}
	return fmt.Sprintf("%v:%d > %v:%d", p.Src(), binary.BigEndian.Uint16(b), p.Dst(), binary.BigEndian.Uint16(b[2:]))
}

func TestProtocolsWithPortsAreTranslated(t *testing.T) {
	for _, proto := range []uint8{frame.ProtoSCTP, frame.ProtoUDPLite, frame.ProtoDCCP} {
		l := newLab(t, masquerade, "-t nat -A PREROUTING -i uplink -d 192.0.2.2 -j DNAT --to-destination 22.22.22.2")
		want := func(got [][]byte, lines ...string) {
			t.Helper()
			if len(got) != len(lines) {
				t.Fatalf("protocol %d: %d packets came out, want %d", proto, len(got), len(lines))
			}
			for i, p := range got {
				if s := soundPorts(t, p); s != lines[i] {
					t.Errorf("protocol %d: %s, want %s", proto, s, lines[i])
				}
			}
		}
		// Two hosts speak from one port to one address.
		l.red.send(withPorts(proto, "11.11.11.2", "8.8.8.8", 7000, 9))
		l.pink.send(withPorts(proto, "11.11.11.3", "8.8.8.8", 7000, 9))
		want(l.wan.raw(), "192.0.2.2:7000 > 8.8.8.8:9", "192.0.2.2:7001 > 8.8.8.8:9")
		l.wan.send(withPorts(proto, "8.8.8.8", "192.0.2.2", 9, 7001), withPorts(proto, "8.8.8.8", "192.0.2.2", 9, 7000))
		want(l.br0.raw(), "8.8.8.8:9 > 11.11.11.3:7000", "8.8.8.8:9 > 11.11.11.2:7000")
		l.red.send(withPorts(proto, "11.11.11.2", "8.8.8.8", 7000, 9))
		if c := l.Conns(l.now)[0]; !c.Assured {
			t.Errorf("protocol %d: a conversation is not assured", proto)
		}
		l.wan.send(withPorts(proto, "9.9.9.9", "192.0.2.2", 5, 80))
		want(l.br1.raw(), "9.9.9.9:5 > 22.22.22.2:80")
		l.drops(trace.NATNoPort, 0)
		// What has no ports cannot be told apart, here or in Linux.
		gre := packetOf(47, ip4("11.11.11.2"), ip4("8.8.8.8"), []byte("GRE"))
		l.red.send(gre)
		l.pink.send(packetOf(47, ip4("11.11.11.3"), ip4("8.8.8.8"), []byte("GRE")))
		l.drops(trace.NATNoPort, 1)
	}
}
