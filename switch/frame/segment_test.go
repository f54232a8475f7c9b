package frame_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"uswitch/switch/frame"
)

// super describes a super-frame that a test makes.
type super struct {
	gso     frame.GSO
	v6      bool
	tags    int // VLAN tags
	options int // bytes of TCP options, a multiple of 4
	size    uint16
	payload int
	flags   frame.TCPFlags
}

const firstID, firstSeq = 0xfffe, 0xffffff00 // both wrap around soon

// frame makes it as a sender with offload does: the lengths are those of the whole, and in place of the checksum the sum
// of the pseudo-header stands.
func (s super) frame() frame.Frame {
	b := make([]byte, 12, 1<<16+100)
	copy(b, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2})
	for i := range s.tags {
		b = binary.BigEndian.AppendUint16(b, []uint16{0x8100, 0x88a8}[(s.tags-i+1)%2])
		b = append(b, 0, 7)
	}
	header, proto, offset := frame.UDPHeader, frame.ProtoUDP, 6
	if s.gso != frame.GSOUDPL4 {
		header, proto, offset = frame.TCPHeader+s.options, frame.ProtoTCP, 16
	}
	length := header + s.payload
	sum := uint32(proto) + uint32(length)
	pseudo := func(addresses []byte) {
		for i := 0; i < len(addresses); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(addresses[i:]))
		}
	}
	if s.v6 {
		b = append(b, 0x86, 0xdd, 0x60, 0, 0, 0, byte(length>>8), byte(length), proto, 64)
		b = append(b, bytes.Repeat([]byte{0xfd, 0x01}, 16)...)
		pseudo(b[len(b)-32:])
	} else {
		b = append(b, 0x08, 0x00, 0x45, 0, byte((length+20)>>8), byte(length+20), firstID>>8, firstID&0xff, 0x40, 0, 64, proto, 0, 0)
		b = append(b, 11, 11, 11, 2, 11, 11, 11, 3)
		pseudo(b[len(b)-8:])
		frame.IPv4(b[len(b)-20:]).SetChecksum()
	}
	start := len(b)
	b = append(b, 0x12, 0x34, 0x56, 0x78)
	if s.gso == frame.GSOUDPL4 {
		b = append(b, byte(length>>8), byte(length), 0, 0)
	} else {
		b = binary.BigEndian.AppendUint32(b, firstSeq)
		b = append(b, 0, 0, 0, 9, byte(header/4<<4), byte(s.flags), 1, 0, 0, 0, 0, 0)
		b = append(b, bytes.Repeat([]byte{1}, s.options)...) // NOP
	}
	for i := range s.payload {
		b = append(b, byte(i*11+i>>8))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(b[start+offset:], uint16(sum))
	return frame.Frame{Data: b, Offload: frame.Offload{
		NeedsChecksum: true, ChecksumStart: uint16(start), ChecksumOffset: uint16(offset),
		GSO: s.gso, GSOSize: s.size, HeaderLen: uint16(start + header),
	}}
}

var supers = []struct {
	name string
	super
	segments int
}{
	{"TCP over IPv4", super{gso: frame.GSOTCPv4, size: 1460, payload: 64000, flags: frame.ACK | frame.PSH}, 44},
	{"with options", super{gso: frame.GSOTCPv4, options: 12, size: 1448, payload: 2*1448 + 1, flags: frame.ACK}, 3},
	{"FIN and CWR", super{gso: frame.GSOTCPv4, size: 100, payload: 300, flags: frame.ACK | frame.FIN | frame.PSH | frame.CWR | frame.ECE}, 3},
	{"smaller than one segment", super{gso: frame.GSOTCPv4, size: 1460, payload: 1, flags: frame.ACK | frame.PSH}, 1},
	{"odd segments", super{gso: frame.GSOTCPv4, size: 9, payload: 100, flags: frame.ACK}, 12},
	{"TCP over IPv6", super{gso: frame.GSOTCPv6, v6: true, size: 1440, payload: 60000, flags: frame.ACK}, 42},
	{"tagged", super{gso: frame.GSOTCPv6, v6: true, tags: 1, size: 1440, payload: 3000, flags: frame.ACK}, 3},
	{"tagged twice", super{gso: frame.GSOTCPv4, tags: 2, size: 1440, payload: 3000, flags: frame.ACK}, 3},
	{"UDP over IPv4", super{gso: frame.GSOUDPL4, size: 1400, payload: 60001}, 43},
	{"UDP over IPv6", super{gso: frame.GSOUDPL4, v6: true, size: 1, payload: 128}, 128},
}

// TestSegment cuts super-frames of each kind and lets gopacket read what comes out.
func TestSegment(t *testing.T) {
	for _, tt := range supers {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.frame()
			before := f.Clone()
			if got := f.Offload.Segments(len(f.Data)); got != tt.segments {
				t.Errorf("Segments: %d, want %d", got, tt.segments)
			}
			if got := tt.cut(t, f); got != tt.segments {
				t.Errorf("%d segments, want %d", got, tt.segments)
			}
			if !bytes.Equal(f.Data, before.Data) || f.Offload != before.Offload {
				t.Error("the borrowed frame was changed")
			}
		})
	}
}

// cut checks each segment and that together they are the payload. It returns how many there were.
func (s super) cut(t *testing.T, f frame.Frame) (n int) {
	t.Helper()
	scratch := make([]byte, f.Offload.WireLength(len(f.Data)))
	segmenter, ok := frame.Segment(f, scratch)
	if !ok {
		t.Fatal("refused")
	}
	var together []byte
	for one, more := segmenter.Next(); more; one, more = segmenter.Next() {
		if one.Offload != (frame.Offload{}) || len(one.Data) > len(scratch) {
			t.Fatalf("segment %d: %d bytes, %+v", n, len(one.Data), one.Offload)
		}
		last := len(together)+len(one.Data)-int(f.Offload.HeaderLen) == s.payload
		together = append(together, s.check(t, one.Data, n, last)...)
		n++
	}
	if want := f.Data[f.Offload.HeaderLen:]; !bytes.Equal(together, want) {
		t.Errorf("the segments' payloads are %d bytes, and not the %d that were there", len(together), len(want))
	}
	return n
}

// check reads one segment with gopacket, verifies its checksums, and returns its payload.
func (s super) check(t *testing.T, data []byte, number int, last bool) []byte {
	t.Helper()
	packet := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.NoCopy)
	if packet.ErrorLayer() != nil || packet.Metadata().Truncated {
		t.Fatalf("segment %d: %v", number, packet)
	}
	var pseudo []byte
	var proto uint8
	if s.v6 {
		ip := packet.NetworkLayer().(*layers.IPv6)
		same(t, "IPv6 length", int(ip.Length), len(ip.Payload))
		pseudo, proto = append(append([]byte{}, ip.SrcIP...), ip.DstIP...), uint8(ip.NextHeader)
	} else {
		ip := packet.NetworkLayer().(*layers.IPv4)
		same(t, "IPv4 id", ip.Id, uint16(firstID+number))
		same(t, "IPv4 header's sum", naive(ip.Contents, 0), 0)
		same(t, "IPv4 length", int(ip.Length), len(ip.Contents)+len(ip.Payload))
		pseudo, proto = append(append([]byte{}, ip.SrcIP.To4()...), ip.DstIP.To4()...), uint8(ip.Protocol)
	}
	transport := packet.NetworkLayer().LayerPayload()
	pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(transport)))
	pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(proto))
	same(t, "transport's sum", naive(append(pseudo, transport...), 0), 0)
	if s.gso == frame.GSOUDPL4 {
		udp := packet.TransportLayer().(*layers.UDP)
		same(t, "UDP length", int(udp.Length), len(transport))
		if udp.Checksum == 0 {
			t.Errorf("segment %d: no checksum", number)
		}
		return udp.Payload
	}
	tcp := packet.TransportLayer().(*layers.TCP)
	same(t, "sequence number", tcp.Seq, firstSeq+uint32(number)*uint32(s.size))
	want := s.flags
	if !last {
		want &^= frame.FIN | frame.PSH
	}
	if number > 0 {
		want &^= frame.CWR
	}
	same(t, "flags", frame.TCP(transport).Flags(), want)
	return tcp.Payload
}

// TestSegmentSingle completes a frame that is no super-frame, and passes on one that is complete.
func TestSegmentSingle(t *testing.T) {
	f := super{gso: frame.GSOTCPv4, size: 9000, payload: 77, flags: frame.ACK | frame.FIN | frame.CWR}.frame()
	f.Offload.GSO, f.Offload.GSOSize, f.Offload.HeaderLen = 0, 0, 0
	before := f.Clone()
	s := super{flags: frame.ACK | frame.FIN | frame.CWR, payload: 77}
	scratch := make([]byte, len(f.Data))
	segmenter, ok := frame.Segment(f, scratch)
	one, more := segmenter.Next()
	if !ok || !more || &one.Data[0] != &scratch[0] || one.Offload != (frame.Offload{}) {
		t.Fatalf("%v, %v, %+v", ok, more, one.Offload)
	}
	s.check(t, one.Data, 0, true)
	if _, more := segmenter.Next(); more || !bytes.Equal(f.Data, before.Data) {
		t.Error("more than one, or the borrowed frame was changed")
	}
	segmenter, _ = frame.Segment(one, nil)
	if again, more := segmenter.Next(); !more || &again.Data[0] != &scratch[0] {
		t.Error("a complete frame was copied")
	}
	if _, more := segmenter.Next(); more {
		t.Error("more than one")
	}
}

// TestSegmentRefuses offers frames that are not what their Offload says.
func TestSegmentRefuses(t *testing.T) {
	tcp := super{gso: frame.GSOTCPv4, size: 1000, payload: 3000, flags: frame.ACK}
	udp := super{gso: frame.GSOUDPL4, size: 1, payload: 129}
	for _, tt := range []struct {
		name   string
		super  super
		change func(f *frame.Frame)
	}{
		{"no size", tcp, func(f *frame.Frame) { f.Offload.GSOSize = 0 }},
		{"tiny segments", tcp, func(f *frame.Frame) { f.Offload.GSOSize = 7 }},
		{"too many datagrams", udp, func(*frame.Frame) {}},
		{"another version of IP", tcp, func(f *frame.Frame) { f.Offload.GSO = frame.GSOTCPv6 }},
		{"another protocol", tcp, func(f *frame.Frame) {
			f.Offload.GSO, f.Offload.ChecksumOffset, f.Offload.HeaderLen = frame.GSOUDPL4, 6, 42
		}},
		{"not IP", tcp, func(f *frame.Frame) { f.Data[12] = 0x88 }},
		{"tags without end", tcp, func(f *frame.Frame) {
			for i := 12; i+1 < len(f.Data); i += 2 {
				f.Data[i], f.Data[i+1] = 0x81, 0
			}
		}},
		{"cut short", tcp, func(f *frame.Frame) { f.Data = f.Data[:len(f.Data)-1] }},
		{"padded", tcp, func(f *frame.Frame) { f.Data = append(f.Data, 0) }},
		{"a fragment", tcp, func(f *frame.Frame) { f.Data[20] = 0x20 }},
		{"a header that is too short", tcp, func(f *frame.Frame) { f.Data[46], f.Offload.HeaderLen = 0x40, 34+16 }},
		{"headers that end elsewhere", tcp, func(f *frame.Frame) { f.Offload.HeaderLen++ }},
		{"headers to the end", tcp, func(f *frame.Frame) { f.Offload.HeaderLen = uint16(len(f.Data)) }},
		{"the checksum elsewhere", tcp, func(f *frame.Frame) { f.Offload.ChecksumOffset = 6 }},
		{"the transport elsewhere", tcp, func(f *frame.Frame) { f.Offload.ChecksumStart++; f.Offload.HeaderLen++ }},
		{"nobody completes the checksum", tcp, func(f *frame.Frame) { f.Offload.NeedsChecksum = false }},
	} {
		f := tt.super.frame()
		tt.change(&f)
		if _, ok := frame.Segment(f, nil); ok {
			t.Errorf("%s: accepted", tt.name)
		}
	}
}

func TestSegmentAllocatesNothing(t *testing.T) {
	f := supers[0].frame()
	scratch := make([]byte, f.Offload.WireLength(len(f.Data)))
	allocs := testing.AllocsPerRun(10, func() {
		segmenter, _ := frame.Segment(f, scratch)
		for _, more := segmenter.Next(); more; {
			_, more = segmenter.Next()
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// FuzzSegment cuts super-frames of any measure, whose segments must be right, and any bytes with any Offload, of which
// nothing but an end is asked.
func FuzzSegment(f *testing.F) {
	for i, tt := range supers {
		f.Add(tt.frame().Data, byte(i), byte(tt.gso), tt.size, uint16(tt.payload), byte(tt.flags), uint16(54), uint16(34), uint16(16))
	}
	f.Fuzz(func(t *testing.T, data []byte, shape, gso byte, size, payload uint16, flags byte, header, start, offset uint16) {
		s := super{
			gso: []frame.GSO{frame.GSOTCPv4, frame.GSOTCPv6, frame.GSOUDPL4}[gso%3], tags: int(shape) & 3 % 3,
			options: int(shape) >> 2 & 7 * 4, size: size, payload: int(payload) % 64000, flags: frame.TCPFlags(flags),
		}
		s.v6 = s.gso == frame.GSOTCPv6 || s.gso == frame.GSOUDPL4 && shape&0x80 != 0
		super := s.frame()
		most := (s.payload + max(int(s.size), 1) - 1) / max(int(s.size), 1)
		if s.payload > 0 && s.size > 0 && (s.gso == frame.GSOUDPL4 && most <= 128 || s.gso != frame.GSOUDPL4 && s.size >= 8) {
			same(t, "segments", s.cut(t, super), most)
		} else if _, ok := frame.Segment(super, nil); ok {
			t.Errorf("accepted: %+v", s)
		}

		odd := frame.Frame{Data: data, Offload: frame.Offload{
			NeedsChecksum: shape&1 == 0, GSO: frame.GSO(gso), GSOSize: size, HeaderLen: header, ChecksumStart: start, ChecksumOffset: offset,
		}}
		segmenter, ok := frame.Segment(odd, make([]byte, odd.Offload.WireLength(len(data))))
		for n := 0; ok; n++ {
			if _, ok = segmenter.Next(); n > len(data)+1 {
				t.Fatal("no end")
			}
		}
		odd.Offload.SegmentHeader(data)
	})
}

// TestFinishChecksumZero: a sum that comes out as zero stays zero in TCP, and is written as all ones in UDP, where zero
// would mean that there is none (RFC 768).
func TestFinishChecksumZero(t *testing.T) {
	for offset, want := range map[uint16]uint16{16: 0, 6: 0xffff} {
		b := make([]byte, 20)
		b[0], b[1] = 0xff, 0xff // the sum of all is ffff, its complement zero
		f := frame.Frame{Data: b, Offload: frame.Offload{NeedsChecksum: true, ChecksumOffset: offset}}
		f.FinishChecksum()
		if got := binary.BigEndian.Uint16(b[offset:]); got != want {
			t.Errorf("at offset %d: %04x, want %04x", offset, got, want)
		}
	}
}
