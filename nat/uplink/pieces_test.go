//go:build linux

package uplink_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"uswitch/nat/uplink"
	"uswitch/switch/frame"
)

// A super-datagram is datagrams: the outside gets each, and of those that the kernel puts together the inside gets each.
func TestSuperDatagrams(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	s := datagrams(t, wanPID, server+":53")
	_ = s.SetReadDeadline(time.Now().Add(patience))
	c := l.udp(t, red, 4000, server+":53")
	sent := randomBytes(2500)
	l.leg.Input(superDatagram(red.String(), 4000, server, 53, sent, 1000), nil, l.now())

	var back net.Addr
	for _, want := range [][]byte{sent[:1000], sent[1000:2000], sent[2000:]} {
		b := make([]byte, 4096)
		n, from, err := s.ReadFrom(b)
		if err != nil || !bytes.Equal(b[:n], want) {
			t.Fatalf("outside: %d bytes, %v; want %d", n, err, len(want))
		}
		back = from
	}

	if err := writeCut(s, sent, 1000, back); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{sent[:1000], sent[1000:2000], sent[2000:]} {
		b := make([]byte, 4096)
		if n, err := c.Read(b); err != nil || !bytes.Equal(b[:n], want) {
			t.Fatalf("inside: %d bytes, %v; want %d", n, err, len(want))
		}
	}
}

// writeCut sends a super-datagram that the kernel cuts into datagrams of so many bytes.
func writeCut(s *net.UDPConn, payload []byte, pieces int, to net.Addr) error {
	cut := make([]byte, unix.CmsgSpace(2))
	binary.NativeEndian.PutUint64(cut, uint64(unix.CmsgLen(2)))
	binary.NativeEndian.PutUint32(cut[8:], unix.IPPROTO_UDP)
	binary.NativeEndian.PutUint32(cut[12:], unix.UDP_SEGMENT)
	binary.NativeEndian.PutUint16(cut[16:], uint16(pieces))
	_, _, err := s.WriteMsgUDP(payload, cut, to.(*net.UDPAddr))
	return err
}

// With GSO, datagrams that the kernel has put together go inside as super-frames, where that is possible, and arrive as the
// datagrams that they are.
func TestSuperDatagramsGoInWhole(t *testing.T) {
	for _, test := range []struct {
		name          string
		config        uplink.HostConfig
		total, pieces int
		want          []int // of how many datagrams each super-frame consists
	}{
		{"a last one that is shorter", uplink.HostConfig{GSO: true}, 2500, 1000, []int{3}},
		{"all of one size", uplink.HostConfig{GSO: true}, 40000, 1000, []int{40}},
		{"as large as the networks take", uplink.HostConfig{GSO: true, MTU: 1028}, 2500, 1000, []int{3}},
		{"too large for a network", uplink.HostConfig{GSO: true, MTU: 1027}, 2500, 1000, nil},
		{"more than every kernel takes", uplink.HostConfig{GSO: true}, 1000, 10, []int{64, 36}},
		{"more by one", uplink.HostConfig{GSO: true}, 645, 10, []int{64}},
		{"without GSO", uplink.HostConfig{}, 2500, 1000, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, test.config)
			s := datagrams(t, wanPID, server+":53")
			c := l.udp(t, red, 4000, server+":53")
			if _, err := c.Write([]byte("?")); err != nil {
				t.Fatal(err)
			}
			_, back, err := s.ReadFrom(make([]byte, 8))
			if err != nil {
				t.Fatal(err)
			}
			sent := randomBytes(test.total)
			if err := writeCut(s, sent, test.pieces, back); errors.Is(err, unix.EINVAL) && test.total/test.pieces >= 64 {
				unavailable(t, "this kernel does not send so many at once")
			} else if err != nil {
				t.Fatal(err)
			}
			for rest := sent; len(rest) > 0; rest = rest[min(test.pieces, len(rest)):] {
				b, want := make([]byte, 4096), rest[:min(test.pieces, len(rest))]
				if n, err := c.Read(b); err != nil || !bytes.Equal(b[:n], want) {
					t.Fatalf("inside: %d bytes, %v; want %d", n, err, len(want))
				}
			}
			var got []int
			for len(l.several) > 0 {
				got = append(got, <-l.several)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("super-frames of %v datagrams, want %v", got, test.want)
			}
			if n := l.invalid.Load(); n > 0 {
				t.Errorf("%d super-frames had metadata that cannot be true", n)
			}
		})
	}
}

// What a client sends to a published port goes in whole as well.
func TestPublishedSuperDatagrams(t *testing.T) {
	l := newLab(t, uplink.HostConfig{GSO: true}, dnat("udp", 8080, "11.11.11.2:80"))
	c := l.udp(t, red, 80, "")
	l.publish(t, frame.ProtoUDP, "0.0.0.0:8080")
	sent := randomBytes(2500)
	if err := writeCut(datagrams(t, wanPID, server+":0"), sent, 1000, addr(host+":8080")); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{sent[:1000], sent[1000:2000], sent[2000:]} {
		b := make([]byte, 4096)
		if n, err := c.Read(b); err != nil || !bytes.Equal(b[:n], want) {
			t.Fatalf("inside: %d bytes, %v; want %d", n, err, len(want))
		}
	}
	if len(l.several) != 1 || <-l.several != 3 {
		t.Error("they did not go in as one super-frame of 3")
	}
}

// A super-datagram that the kernel does not cut leaves all the same: because there are too many pieces, or because each is
// too large for the way and has to be fragmented.
func TestSuperDatagramsThatTheKernelDoesNotCut(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	s := datagrams(t, wanPID, server+":53")
	_ = s.SetReadDeadline(time.Now().Add(patience))
	for _, test := range []struct{ total, pieces int }{{2010, 10}, {5000, 2000}, {60000, 30000}} {
		sent := randomBytes(test.total)
		l.leg.Input(superDatagram(red.String(), 4000, server, 53, sent, test.pieces), nil, l.now())
		for rest := sent; len(rest) > 0; rest = rest[min(test.pieces, len(rest)):] {
			b, want := make([]byte, 1<<16), rest[:min(test.pieces, len(rest))]
			if n, err := s.Read(b); err != nil || !bytes.Equal(b[:n], want) {
				t.Fatalf("%d bytes in pieces of %d: %d bytes, %v; want %d", test.total, test.pieces, n, err, len(want))
			}
		}
	}
}

// superDatagram is a frame that stands for datagrams of so many bytes each.
func superDatagram(src string, sport uint16, dst string, dport uint16, payload []byte, pieces int) frame.Frame {
	const headers = frame.EthernetHeader + frame.IPv4Header
	b := make([]byte, headers+frame.UDPHeader+len(payload))
	frame.Ethernet(b).SetHeader(frame.MAC{2, 0x42, 11, 11, 11, 1}, frame.MAC{2, 0x42, 11, 11, 11, 2}, frame.TypeIPv4)
	copy(b[headers+frame.UDPHeader:], payload)
	frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoUDP, 64, 1, netip.MustParseAddr(src), netip.MustParseAddr(dst))
	u := b[headers:]
	binary.BigEndian.PutUint16(u[0:], sport)
	binary.BigEndian.PutUint16(u[2:], dport)
	binary.BigEndian.PutUint16(u[4:], uint16(len(u)))
	pseudo := frame.PseudoHeader(frame.ProtoUDP, netip.MustParseAddr(src), netip.MustParseAddr(dst), len(u))
	for pseudo > 0xffff {
		pseudo = pseudo>>16 + pseudo&0xffff
	}
	binary.BigEndian.PutUint16(u[6:], uint16(pseudo))
	return frame.Frame{Data: b, Offload: frame.Offload{NeedsChecksum: true, ChecksumStart: headers, ChecksumOffset: 6,
		GSO: frame.GSOUDPL4, GSOSize: uint16(pieces), HeaderLen: headers + frame.UDPHeader}}
}
