package uplink_test

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// nicLink is an interface that keeps what it gets.
type nicLink struct{ got []frame.Frame }

func (c *nicLink) Read() (frame.Frame, error) { return frame.Frame{}, frame.ErrLinkGone }
func (c *nicLink) Close() error               { return nil }
func (c *nicLink) Write(f frame.Frame) error {
	c.got = append(c.got, f.Clone())
	return nil
}

// plainNIC takes only frames with nothing left to do.
type plainNIC struct{ nicLink }

func (*plainNIC) TakesOffload(frame.GSO) bool { return false }

// streamNIC takes everything but super-frames of datagrams, as a TAP before Linux 6.2.
type streamNIC struct{ nicLink }

func (*streamNIC) TakesOffload(kind frame.GSO) bool { return kind != frame.GSOUDPL4 }

// TestNetnsFinishes: a super-frame leaves whole by an interface that takes it, and in pieces with their checksums by another.
func TestNetnsFinishes(t *testing.T) {
	const headers = frame.EthernetHeader + frame.IPv4Header + frame.UDPHeader
	src, dst := netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("8.8.8.8")
	b := append(make([]byte, headers), strings.Repeat("x", 2500)...)
	frame.Ethernet(b).SetHeader(frame.MAC{2, 1}, frame.MAC{2, 2}, frame.TypeIPv4)
	frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoUDP, 64, 1, src, dst)
	udp := b[frame.EthernetHeader+frame.IPv4Header:]
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	binary.BigEndian.PutUint16(udp[6:], ^frame.Checksum(nil, frame.PseudoHeader(frame.ProtoUDP, src, dst, len(udp))))
	super := frame.Frame{Data: b, Offload: frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6,
		GSO: frame.GSOUDPL4, GSOSize: 1000, HeaderLen: headers}}

	var whole nicLink
	uplink.NewNetns("wan", &whole, new(trace.Tracer)).Output(super, nil, time.Time{})
	if len(whole.got) != 1 || whole.got[0].Offload != super.Offload {
		t.Errorf("%d frames, want the one that was sent", len(whole.got))
	}

	var stream streamNIC
	unfinished := frame.Frame{Data: super.Data, Offload: frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}}
	for _, f := range []frame.Frame{super, unfinished} {
		uplink.NewNetns("wan", &stream, new(trace.Tracer)).Output(f, nil, time.Time{})
	}
	if len(stream.got) != 4 || stream.got[0].Unfinished() || stream.got[3].Offload != unfinished.Offload {
		t.Errorf("%d frames, want 3 datagrams and the frame that only lacks its checksum", len(stream.got))
	}

	var plain plainNIC
	tracer := new(trace.Tracer)
	out := uplink.NewNetns("wan", &plain, tracer)
	out.Output(super, nil, time.Time{})
	if len(plain.got) != 3 {
		t.Fatalf("%d frames, want 3", len(plain.got))
	}
	for i, f := range plain.got {
		payload := f.Data[frame.EthernetHeader+frame.IPv4Header:]
		if f.Offload != (frame.Offload{}) || frame.Checksum(payload, frame.PseudoHeader(frame.ProtoUDP, src, dst, len(payload))) != 0 {
			t.Errorf("datagram %d is not complete: %+v", i, f.Offload)
		}
	}
	super.Offload.GSO = frame.GSOTCPv4
	out.Output(super, nil, time.Time{})
	if len(plain.got) != 3 || tracer.Drops(trace.TxError) != 1 {
		t.Errorf("a frame that is not what its Offload says: %d frames, %d drops", len(plain.got), tracer.Drops(trace.TxError))
	}
}
