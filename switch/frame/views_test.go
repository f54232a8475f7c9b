package frame_test

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"uswitch/switch/frame"
)

// fromHex reads a fixture: hex digits with any white space.
func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A padded ARP question, a ping of 8 bytes, a DNS question without a checksum, a SYN with options.
const (
	arpHex = `ffffffffffff 02420b0b0b02 0806  0001 0800 06 04 0001  02420b0b0b02 0b0b0b02  000000000000 0b0b0b03
		000000000000000000000000000000000000`
	pingHex = `02420b0b0b03 02420b0b0b02 0800  45000024 1c464000 40013e6f 0b0b0b02 0b0b0b03
		0800 9ad4 0007 0001 6162636465666768`
	dnsHex = `02420b0b0b01 02420b0b0b02 0800  45000039 abcd0000 4011 0000 0b0b0b02 08080808  9c40 0035 0025 0000
		0001 0100 0001 0000 0000 0000 076578616d706c65 03636f6d 00 0001 0001`
	synHex = `02420b0b0b01 02420b0b0b02 0800  4500003c 00014000 4006 0000 0b0b0b02 08080808
		c350 0050 000003e8 00000000 a002 faf0 0000 0000  020405b4 0402080a 00000001 00000000 01030307`
)

func TestEthernet(t *testing.T) {
	e, ok := frame.ParseEthernet(fromHex(t, pingHex))
	if !ok || e.Dst().String() != "02:42:0b:0b:0b:03" || e.Src().String() != "02:42:0b:0b:0b:02" || e.Type() != frame.TypeIPv4 || len(e.Payload()) != 36 {
		t.Errorf("%v > %v, type %04x, %d bytes, ok %v", e.Src(), e.Dst(), e.Type(), len(e.Payload()), ok)
	}
	if _, ok := frame.ParseEthernet(e[:13]); ok {
		t.Error("13 bytes are a header")
	}
	e.SetHeader(frame.Broadcast, e.Dst(), frame.TypeARP)
	if got := hex.EncodeToString(e[:14]); got != "ffffffffffff02420b0b0b030806" {
		t.Errorf("header %s", got)
	}
}

func TestARP(t *testing.T) {
	whole := fromHex(t, arpHex)[14:]
	a, ok := frame.ParseARP(whole)
	if !ok || len(a) != frame.ARPLength {
		t.Fatalf("ok %v, %d bytes: padding is to be out of sight", ok, len(a))
	}
	if a.Op() != frame.ARPRequest || a.SenderMAC().String() != "02:42:0b:0b:0b:02" || a.SenderIP().String() != "11.11.11.2" ||
		a.TargetMAC() != (frame.MAC{}) || a.TargetIP().String() != "11.11.11.3" || a.IsAnnouncement() || a.IsProbe() {
		t.Errorf("%x", []byte(a))
	}
	again := make([]byte, frame.ARPLength)
	frame.PutARP(again, a.Op(), a.SenderMAC(), a.SenderIP(), a.TargetMAC(), a.TargetIP())
	if string(again) != string(a) {
		t.Errorf("got  %x\nwant %x", again, []byte(a))
	}
	for name, at := range map[string]int{"hardware type": 1, "protocol type": 2, "hardware length": 4, "protocol length": 5} {
		b := append([]byte(nil), whole...)
		b[at] ^= 0xff
		if _, ok := frame.ParseARP(b); ok {
			t.Errorf("another %s was accepted", name)
		}
	}
	if _, ok := frame.ParseARP(whole[:27]); ok {
		t.Error("27 bytes were accepted")
	}
}

func TestARPKinds(t *testing.T) {
	zero, a, b := netip.IPv4Unspecified(), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	for _, tt := range []struct {
		name           string
		op             uint16
		sender, target netip.Addr
		announce       bool
		probe          bool
	}{
		{"question", frame.ARPRequest, a, b, false, false},
		{"announcement as a question", frame.ARPRequest, a, a, true, false},
		{"announcement as an answer", frame.ARPReply, a, a, true, false},
		{"probe", frame.ARPRequest, zero, b, false, true},
		{"an answer from 0.0.0.0 is no probe", frame.ARPReply, zero, b, false, false},
	} {
		buf := make(frame.ARP, frame.ARPLength)
		frame.PutARP(buf, tt.op, frame.MAC{2}, tt.sender, frame.MAC{}, tt.target)
		if buf.IsAnnouncement() != tt.announce || buf.IsProbe() != tt.probe {
			t.Errorf("%s: announcement %v, probe %v", tt.name, buf.IsAnnouncement(), buf.IsProbe())
		}
	}
}

func TestIPv4(t *testing.T) {
	padded := append(fromHex(t, pingHex)[14:], 0, 0, 0, 0)
	p, err := frame.ParseIPv4(padded)
	if err != nil || len(p) != 36 {
		t.Fatalf("%v, %d bytes: padding is to be out of sight", err, len(p))
	}
	if p.HeaderLen() != 20 || p.TOS() != 0 || p.ID() != 0x1c46 || !p.DontFragment() || p.MoreFragments() || p.IsFragment() || p.FragmentOffset() != 0 ||
		p.TTL() != 64 || p.Proto() != frame.ProtoICMP || p.Src().String() != "11.11.11.2" || p.Dst().String() != "11.11.11.3" ||
		len(p.Options()) != 0 || len(p.Payload()) != 16 {
		t.Errorf("%x", []byte(p))
	}
	p.SetChecksum()
	if !p.ChecksumOK() {
		t.Error("a checksum just made is wrong")
	}
	for p.TTL() > 0 {
		p.DecrementTTL()
		if !p.ChecksumOK() {
			t.Fatalf("ttl %d: the updated checksum is wrong", p.TTL())
		}
	}
	p[12] ^= 1
	if p.ChecksumOK() {
		t.Error("a damaged header has a right checksum")
	}
}

func TestIPv4Faults(t *testing.T) {
	good := fromHex(t, pingHex)[14:]
	for _, tt := range []struct {
		name   string
		change func(b []byte) []byte
		want   error
	}{
		{"as it was", func(b []byte) []byte { return b }, nil},
		{"empty", func([]byte) []byte { return nil }, frame.ErrShortIPv4},
		{"19 bytes", func(b []byte) []byte { return b[:19] }, frame.ErrShortIPv4},
		{"version 6", func(b []byte) []byte { b[0] = 0x65; return b }, frame.ErrIPVersion},
		{"header of 16 bytes", func(b []byte) []byte { b[0] = 0x44; return b }, frame.ErrIPv4Header},
		{"header longer than the packet", func(b []byte) []byte { b[0] = 0x4f; return b }, frame.ErrIPv4Header},
		{"total length shorter than the header", func(b []byte) []byte { b[3] = 19; return b }, frame.ErrIPv4Length},
		{"total length beyond the frame", func(b []byte) []byte { b[3] = 37; return b }, frame.ErrIPv4Length},
		{"options", func(b []byte) []byte { b[0] = 0x46; return b }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := frame.ParseIPv4(tt.change(append([]byte(nil), good...))); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFragmentBits(t *testing.T) {
	p := frame.PutIPv4(make([]byte, 20), 17, 64, 9, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"))
	for _, tt := range []struct {
		df, more bool
		offset   int
	}{{false, false, 0}, {true, false, 0}, {false, true, 0}, {false, true, 1480}, {false, false, 65528}, {true, true, 8}} {
		p.SetFragment(tt.df, tt.more, tt.offset)
		if p.DontFragment() != tt.df || p.MoreFragments() != tt.more || p.FragmentOffset() != tt.offset || p.IsFragment() != (tt.more || tt.offset > 0) {
			t.Errorf("%+v: %x", tt, []byte(p[6:8]))
		}
	}
}

func TestTransport(t *testing.T) {
	u, ok := frame.ParseUDP(fromHex(t, dnsHex)[34:])
	if !ok || u.SrcPort() != 40000 || u.DstPort() != 53 || u.Length() != 37 || u.Checksum() != 0 || len(u.Payload()) != 29 {
		t.Errorf("UDP %x", []byte(u))
	}
	s, ok := frame.ParseTCP(fromHex(t, synHex)[34:])
	if !ok || s.SrcPort() != 50000 || s.DstPort() != 80 || s.Seq() != 1000 || s.Ack() != 0 || s.HeaderLen() != 40 ||
		s.Flags() != frame.SYN || s.Window() != 64240 || len(s.Payload()) != 0 {
		t.Errorf("TCP %x", []byte(s))
	}
	m, ok := frame.ParseICMP(fromHex(t, pingHex)[34:])
	if !ok || m.Type() != frame.ICMPEcho || m.Code() != 0 || m.ID() != 7 || m.Seq() != 1 || !m.IsQuery() || m.IsError() || string(m.Payload()) != "abcdefgh" {
		t.Errorf("ICMP %x", []byte(m))
	}
	m.SetChecksum()
	if !m.ChecksumOK() {
		t.Error("a checksum just made is wrong")
	}
	if _, ok := frame.ParseTCP(s[:39]); ok {
		t.Error("a TCP header without all its options was accepted")
	}
	s[12] = 4 << 4
	if _, ok := frame.ParseTCP(s); ok {
		t.Error("a TCP header of 16 bytes was accepted")
	}
	if _, ok := frame.ParseUDP(u[:7]); ok {
		t.Error("7 bytes of UDP were accepted")
	}
	if _, ok := frame.ParseICMP(m[:7]); ok {
		t.Error("7 bytes of ICMP were accepted")
	}
}

func TestICMPKinds(t *testing.T) {
	queries, errs := []byte{0, 8, 13, 14, 15, 16, 17, 18}, []byte{3, 4, 5, 11, 12}
	for kind := range 256 {
		m := make(frame.ICMP, frame.ICMPHeader)
		m[0] = byte(kind)
		if m.IsQuery() != slices.Contains(queries, m[0]) || m.IsError() != slices.Contains(errs, m[0]) {
			t.Errorf("type %d: query %v, error %v", kind, m.IsQuery(), m.IsError())
		}
	}
}
