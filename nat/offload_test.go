package nat_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// partial leaves a TCP or UDP checksum to the device, as a sender with offload does: the pseudo-header's sum stands in the
// field, not complemented.
func partial(h host, packet frame.IPv4) frame.Frame {
	f := h.frame(packet)
	ip := frame.IPv4(f.Data[frame.EthernetHeader:])
	at := map[uint8]int{frame.ProtoTCP: 16, frame.ProtoUDP: 6}[ip.Proto()]
	sum := frame.Checksum(nil, frame.PseudoHeader(ip.Proto(), ip.Src(), ip.Dst(), len(ip.Payload())))
	binary.BigEndian.PutUint16(ip.Payload()[at:], ^sum)
	f.Offload = frame.Offload{NeedsChecksum: true, ChecksumStart: uint16(frame.EthernetHeader + ip.HeaderLen()), ChecksumOffset: uint16(at)}
	return f
}

func TestPartialChecksumStaysPartial(t *testing.T) {
	l := newLab(t, masquerade, "-t nat -A PREROUTING -d 192.0.2.9/32 -j DNAT --to-destination 22.22.22.2")
	for name, p := range map[string][]byte{
		"udp": udp(redPort, "8.8.8.8:53", "data"), "tcp": tcp(redPort, server, seg{flags: "S"}),
		"odd": udp(redPort, "8.8.8.8:54", "odd"), "both": udp(redPort, "192.0.2.9:53", "both ends"),
	} {
		l.br0.inject(partial(l.red, p))
		out := append(l.wan.frames, l.br1.frames...)
		l.wan.frames, l.br1.frames = nil, nil
		if len(out) != 1 || !out[0].Offload.NeedsChecksum {
			t.Fatalf("%s: %d frames, want one whose checksum is still partial", name, len(out))
		}
		out[0].FinishChecksum()
		read(t, out[0].Data[frame.EthernetHeader:])
	}
}

func TestPartialChecksumOfAnInnerPacketOnly(t *testing.T) {
	// A tunnel's sender leaves the inner checksum to the device; the outer one is complete and must be kept right.
	l := newLab(t, masquerade)
	inner := tcp("10.0.0.1:1", "10.0.0.2:2", seg{flags: "S"})
	f := l.red.frame(udp(redPort, "8.8.8.8:4789", string(inner)))
	f.Offload = frame.Offload{NeedsChecksum: true, ChecksumStart: 14 + 20 + 8 + 20, ChecksumOffset: 16}
	l.br0.inject(f)
	if got := l.wan.packets(); len(got) != 1 { // reads and verifies the outer checksum
		t.Errorf("came out: %v", got)
	}
}

func TestOffloadThatWouldChangeWhatRulesRead(t *testing.T) {
	for name, c := range map[string]struct {
		packet        []byte
		start, offset uint16
	}{
		"the source address": {udp(redPort, "8.8.8.8:53", "data"), 0, 26},
		"a port of UDP":      {udp(redPort, "8.8.8.8:53", "data"), 34, 2},
		"the same, crooked":  {udp(redPort, "8.8.8.8:53", "data"), 35, 1},
		"flags of TCP":       {tcp(redPort, server, seg{flags: "S"}), 42, 4},
		"ICMP":               {echo("11.11.11.2", "8.8.8.8", 7, ""), 34, 0},
		"GRE's IP header":    {packetOf(47, ip4("11.11.11.2"), ip4("8.8.8.8"), []byte("some bytes")), 14, 12},
	} {
		l := newLab(t)
		f := l.red.frame(c.packet)
		f.Offload = frame.Offload{NeedsChecksum: true, ChecksumStart: c.start, ChecksumOffset: c.offset}
		l.br0.inject(f)
		if n := l.tracer.Drops(trace.BadOffload); n != 1 || len(l.wan.frames) != 0 {
			t.Errorf("%s: passed", name)
		}
	}
}

func TestImpossibleOffload(t *testing.T) {
	// True of the frame with its padding, but not of the packet in it: fragmenting it would write behind its end.
	l := newLab(t)
	small := &way{lab: l}
	small.leg = l.add(nat.InterfaceConfig{Name: "small", Addr: prefix("198.51.100.2/24"), MTU: 600, Uplink: small})
	f := l.red.frame(append(udp(redPort, "198.51.100.9:5", strings.Repeat("x", 1000)), make([]byte, 400)...))
	f.Offload = frame.Offload{NeedsChecksum: true, ChecksumStart: 1300, ChecksumOffset: 16}
	l.br0.inject(f)
	l.drops(trace.BadOffload, 1)
	l.want(small)
}

func TestPartialIsFinishedBeforeFragmentation(t *testing.T) {
	l := newLab(t)
	small := &way{lab: l}
	small.leg = l.add(nat.InterfaceConfig{Name: "small", Addr: prefix("198.51.100.2/24"), MTU: 600, Uplink: small})
	l.br0.inject(partial(l.red, udp(redPort, "198.51.100.9:5", strings.Repeat("x", 1000))))
	if got := read(t, reassembled(t, small.raw())); got != "udp 11.11.11.2:1818 > 198.51.100.9:5 ttl 63 +1000" {
		t.Error(got)
	}
}

func TestSuperFramePassesWhole(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(tcp(redPort, server, seg{flags: "S"}))
	l.wan.raw()
	f := partial(l.red, withDF(tcp(redPort, server, seg{flags: "A", data: strings.Repeat("x", 30000)})))
	f.Offload.GSO, f.Offload.GSOSize, f.Offload.HeaderLen = frame.GSOTCPv4, 1460, 54
	l.br0.inject(f)
	if len(l.wan.frames) != 1 || l.wan.frames[0].Offload.GSOSize != 1460 || len(l.wan.frames[0].Data) != len(f.Data) {
		t.Fatalf("%d frames came out", len(l.wan.frames))
	}
	l.wan.frames[0].FinishChecksum()
	l.want(l.wan, "tcp 192.0.2.2:1818 > 8.8.8.8:80 ttl 63 A +30000")

	// Its segments do not fit: its sender is told, once.
	f.Offload.GSOSize = 1461
	l.br0.inject(f)
	got := l.br0.packets()
	if len(got) != 1 || !strings.HasPrefix(got[0], "icmp 3/4 mtu 1500 11.11.11.1 > 11.11.11.2") {
		t.Errorf("came out: %v", got)
	}
}

func TestSuperFrameIsCutBeforeFragmentation(t *testing.T) {
	l := newLab(t)
	small := &way{lab: l}
	small.leg = l.add(nat.InterfaceConfig{Name: "small", Addr: prefix("198.51.100.2/24"), MTU: 600, Uplink: small})
	f := partial(l.red, udp(redPort, "198.51.100.9:5", strings.Repeat("x", 2500)))
	f.Offload.GSO, f.Offload.GSOSize, f.Offload.HeaderLen = frame.GSOUDPL4, 1000, 42
	l.br0.inject(f)
	byID := map[uint16][][]byte{}
	var ids []uint16
	for _, raw := range small.raw() {
		id := frame.IPv4(raw).ID()
		if byID[id] == nil {
			ids = append(ids, id)
		}
		byID[id] = append(byID[id], raw)
	}
	var got []string
	for _, id := range ids {
		got = append(got, read(t, reassembled(t, byID[id])))
	}
	datagram := "udp 11.11.11.2:1818 > 198.51.100.9:5 ttl 63 +"
	if want := datagram + "1000, " + datagram + "1000, " + datagram + "500"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestTraceOfPacketsCountsOffloadFromThePacket(t *testing.T) {
	l := newLab(t)
	ring := trace.NewRing(100, 1<<20, 0)
	l.tracer.Attach(ring)
	l.br0.inject(partial(l.red, udp(redPort, "8.8.8.8:53", "data")))
	var e trace.Event
	packets := 0
	for _, more := ring.TryNext(&e); more; _, more = ring.TryNext(&e) {
		if e.IP {
			packets++
			e.Frame.FinishChecksum()
			read(t, e.Frame.Data) // verifies the checksum
		}
	}
	if packets == 0 {
		t.Error("no packet in the trace")
	}
}
