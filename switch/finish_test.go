package vswitch_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// plainLink takes only frames with nothing left to do.
type plainLink struct{ *link }

func (plainLink) TakesOffload(frame.GSO) bool { return false }

// plugPlain puts a port with a plainLink beside the others.
func (l *lab) plugPlain(name string) {
	l.t.Helper()
	link := newLink()
	p, err := l.Attach(name, plainLink{link}, vswitch.DefaultFlags())
	if err != nil {
		l.t.Fatal(err)
	}
	l.names = append(l.names, name)
	l.ports[name], l.links[name] = p, link
}

// superFrame is a TCP super-frame of that many segments of 1000 bytes.
func superFrame(dst, src frame.MAC, segments int) frame.Frame {
	const size, headers = 1000, frame.EthernetHeader + frame.IPv4Header + frame.TCPHeader
	f := frameOf(dst, src, headers+segments*size)
	red, blue := netip.MustParseAddr("11.11.11.2"), netip.MustParseAddr("11.11.11.3")
	frame.PutIPv4(f.Data[frame.EthernetHeader:], frame.ProtoTCP, 64, 1, red, blue)
	tcp := f.Data[frame.EthernetHeader+frame.IPv4Header:]
	tcp[12] = 0x50
	pseudo := ^frame.Checksum(nil, frame.PseudoHeader(frame.ProtoTCP, red, blue, len(tcp)))
	binary.BigEndian.PutUint16(tcp[16:], pseudo)
	f.Offload = frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16,
		GSO: frame.GSOTCPv4, GSOSize: size, HeaderLen: headers}
	return f
}

// valid reports whether the TCP checksum of a frame that superFrame began is right.
func valid(f frame.Frame) bool {
	ip, err := frame.ParseIPv4(f.Data[frame.EthernetHeader:])
	if err != nil || len(ip) != len(f.Data)-frame.EthernetHeader {
		return false
	}
	return frame.Checksum(ip.Payload(), frame.PseudoHeader(frame.ProtoTCP, ip.Src(), ip.Dst(), len(ip.Payload()))) == 0
}

// TestFinish floods frames with work left to do: whole to a link that takes them, finished to one that does not, and
// unchanged for the next receiver.
func TestFinish(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED")
	l.plugPlain("PLAIN")
	l.plug("BLUE", vswitch.DefaultFlags())
	f := superFrame(frame.Broadcast, host(1), 4)
	before := f.Clone()
	l.input("RED", f)
	whole, cut, gateway := l.links["BLUE"].take(), l.links["PLAIN"].take(), l.gateway.take()
	for who, got := range map[string][]frame.Frame{"BLUE": whole, "the gateway": gateway} {
		if len(got) != 1 || !bytes.Equal(got[0].Data, before.Data) || got[0].Offload != before.Offload {
			t.Errorf("%s did not get the frame as it came, but %d", who, len(got))
		}
	}
	if len(cut) != 4 {
		t.Fatalf("PLAIN got %d frames, want 4 segments", len(cut))
	}
	for i, one := range cut {
		if one.Offload != (frame.Offload{}) || len(one.Data) != 1054 || !valid(one) {
			t.Errorf("segment %d: %d bytes, %+v, checksum valid: %v", i, len(one.Data), one.Offload, valid(one))
		}
	}
	if c := l.ports["PLAIN"].Counters(); c.TxFrames != 4 || c.TxBytes != 4*1054 || c.TxDropped != 0 {
		t.Errorf("PLAIN counts %+v", c)
	}
	if c := l.ports["BLUE"].Counters(); c.TxFrames != 1 {
		t.Errorf("BLUE counts %+v", c)
	}

	// One that only lacks its checksum.
	f = superFrame(frame.Broadcast, host(1), 1)
	f.Offload.GSO, f.Offload.GSOSize, f.Offload.HeaderLen = 0, 0, 0
	l.input("RED", f)
	if cut = l.links["PLAIN"].take(); len(cut) != 1 || !valid(cut[0]) || cut[0].Offload != (frame.Offload{}) {
		t.Errorf("PLAIN got %d frames, want one that is complete", len(cut))
	}
}

// streamLink takes everything but super-frames of datagrams, as a TAP before Linux 6.2.
type streamLink struct{ *link }

func (streamLink) TakesOffload(kind frame.GSO) bool { return kind != frame.GSOUDPL4 }

// TestFinishDatagrams: a link that does not take super-frames of datagrams gets the datagrams, and others as they are.
func TestFinishDatagrams(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	link := newLink()
	p, err := l.Attach("STREAM", streamLink{link}, vswitch.DefaultFlags())
	if err != nil {
		t.Fatal(err)
	}
	l.names = append(l.names, "STREAM")
	l.ports["STREAM"], l.links["STREAM"] = p, link
	stream := superFrame(frame.Broadcast, host(1), 3)
	l.input("RED", stream)
	if got := link.take(); len(got) != 1 || got[0].Offload != stream.Offload {
		t.Errorf("%d frames, want the super-frame of TCP as it came", len(got))
	}
	l.links["BLUE"].take()

	f := superFrame(frame.Broadcast, host(1), 3)
	const udp = frame.EthernetHeader + frame.IPv4Header
	headers := udp + frame.UDPHeader
	f.Data = f.Data[:headers+2500]
	ip := frame.PutIPv4(f.Data[frame.EthernetHeader:], frame.ProtoUDP, 64, 1, netip.MustParseAddr("11.11.11.2"), netip.MustParseAddr("11.11.11.3"))
	clear(f.Data[udp:headers])
	binary.BigEndian.PutUint16(f.Data[udp+4:], uint16(len(ip.Payload())))
	binary.BigEndian.PutUint16(f.Data[udp+6:], ^frame.Checksum(nil, frame.PseudoHeader(frame.ProtoUDP, ip.Src(), ip.Dst(), len(ip.Payload()))))
	f.Offload = frame.Offload{NeedsChecksum: true, ChecksumStart: udp, ChecksumOffset: 6,
		GSO: frame.GSOUDPL4, GSOSize: 1000, HeaderLen: uint16(headers)}
	l.input("RED", f)
	got := link.take()
	if len(got) != 3 {
		t.Fatalf("%d frames, want 3 datagrams", len(got))
	}
	for i, one := range got {
		ip, err := frame.ParseIPv4(one.Data[frame.EthernetHeader:])
		if err != nil || one.Offload != (frame.Offload{}) ||
			frame.Checksum(ip.Payload(), frame.PseudoHeader(frame.ProtoUDP, ip.Src(), ip.Dst(), len(ip.Payload()))) != 0 {
			t.Errorf("datagram %d: %d bytes, %+v, %v", i, len(one.Data), one.Offload, err)
		}
	}
	if whole := l.links["BLUE"].take(); len(whole) != 1 || whole[0].Offload != f.Offload {
		t.Errorf("BLUE got %d frames, want the super-frame", len(whole))
	}
}

// TestFinishRefuses: what cannot be cut is dropped with a reason, and so is the rest of what a link does not take.
func TestFinishRefuses(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED")
	l.plugPlain("PLAIN")
	liar := superFrame(frame.Broadcast, host(1), 3)
	liar.Offload.GSO = frame.GSOTCPv6 // true of no IPv4 packet
	l.input("RED", liar)
	l.expect("gateway !bad-offload")
	malformed := superFrame(frame.Broadcast, host(1), 3)
	malformed.Offload.GSOSize = 0
	l.input("RED", malformed)
	l.expect("!bad-offload")
	l.links["PLAIN"].err = frame.ErrLinkFull
	l.input("RED", superFrame(frame.Broadcast, host(1), 3))
	l.expect("gateway !tx-error")
	if c := l.ports["PLAIN"].Counters(); c.TxFrames != 0 || c.TxDropped != 2 {
		t.Errorf("PLAIN counts %+v", c)
	}
}

// TestFinishMTU: of a super-frame each segment has to fit.
func TestFinishMTU(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	l.set("BLUE", func(k *vswitch.PortFlags) { k.MTU = 1040 })
	l.input("RED", superFrame(frame.Broadcast, host(1), 3))
	l.expect("BLUE gateway")
	l.set("BLUE", func(k *vswitch.PortFlags) { k.MTU = 1039 })
	l.input("RED", superFrame(frame.Broadcast, host(1), 3))
	l.expect("gateway !pkt-too-big")
}

// TestFinishTrace: a super-frame is one event a step, which says for how many segments it stands.
func TestFinishTrace(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED")
	l.plugPlain("PLAIN")
	l.plug("BLUE", vswitch.DefaultFlags())
	ring := trace.NewRing(100, 1<<20, 0)
	l.tracer.Attach(ring)
	l.input("RED", superFrame(frame.Broadcast, host(1), 3))
	type step struct {
		hook  trace.Hook
		port  string
		note  trace.Note
		count uint32
	}
	var got []step
	var e trace.Event
	for _, more := ring.TryNext(&e); more; _, more = ring.TryNext(&e) {
		if e.Hook == trace.Ingress || e.Hook == trace.Egress {
			got = append(got, step{e.Hook, e.Port, e.Note, e.Count})
		}
	}
	want := []step{
		{trace.Ingress, "RED", trace.SegmentsTogether, 3},
		{trace.Egress, "PLAIN", trace.Segmented, 3},
		{trace.Egress, "BLUE", trace.SegmentsTogether, 3},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestFinishAllocates nothing, whoever listens.
func TestFinishAllocates(t *testing.T) {
	for _, traced := range []string{"off", "ring"} {
		s, ports := bare(t, traced, 1)
		p, err := s.Attach("plain", plainSink{}, vswitch.DefaultFlags())
		if err != nil {
			t.Fatal(err)
		}
		s.Input(p, frameOf(nearest, host(2), 60), epoch)
		f := superFrame(host(2), host(1), 40)
		if n := testing.AllocsPerRun(200, func() { s.Input(ports[0], f, epoch) }); n != 0 {
			t.Errorf("trace %s: %v allocations", traced, n)
		}
	}
}

type plainSink struct{ sink }

func (plainSink) TakesOffload(frame.GSO) bool { return false }
