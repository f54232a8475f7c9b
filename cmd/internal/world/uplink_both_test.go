package world

import (
	"net/netip"
	"testing"

	"uswitch/switch/frame"
)

// datagram builds a UDP packet with room in front.
func datagram(t *testing.T, src, dst string) frame.Frame {
	t.Helper()
	from, to := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+frame.UDPHeader)
	ip := frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoUDP, 64, 1, from.Addr(), to.Addr())
	frame.PutUDP(ip.Payload(), from.Port(), to.Port())
	return frame.Frame{Data: b}
}

// TestClients: an answer goes where its question came from, and so it does after a generation of others.
func TestClients(t *testing.T) {
	var c clients
	question, answer := datagram(t, "192.0.2.9:5000", "10.0.2.15:53"), datagram(t, "10.0.2.15:53", "192.0.2.9:5000")
	if c.has(answer) {
		t.Error("nobody has asked")
	}
	c.note(question)
	if !c.has(answer) || c.has(question) || c.has(datagram(t, "10.0.2.15:53", "192.0.2.9:5001")) {
		t.Error("want the answer to the question, and nothing else")
	}
	for i := range maxClients {
		c.young[frame.Tuple{SrcPort: uint16(i), DstPort: uint16(i >> 16), Proto: frame.ProtoTCP}] = struct{}{}
	}
	c.note(datagram(t, "192.0.2.9:5002", "10.0.2.15:53"))
	if len(c.young) != 1 || !c.has(answer) {
		t.Errorf("%d young ones; the first is known: %t", len(c.young), c.has(answer))
	}
	if n := testing.AllocsPerRun(100, func() { c.note(question); c.has(answer) }); n > 1 {
		t.Errorf("%v allocations for each packet", n)
	}
}
