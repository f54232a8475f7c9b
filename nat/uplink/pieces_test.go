//go:build linux

package uplink_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
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

	cut := make([]byte, unix.CmsgSpace(2))
	binary.NativeEndian.PutUint64(cut, uint64(unix.CmsgLen(2)))
	binary.NativeEndian.PutUint32(cut[8:], unix.IPPROTO_UDP)
	binary.NativeEndian.PutUint32(cut[12:], unix.UDP_SEGMENT)
	binary.NativeEndian.PutUint16(cut[16:], 1000)
	if _, _, err := s.WriteMsgUDP(sent, cut, back.(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{sent[:1000], sent[1000:2000], sent[2000:]} {
		b := make([]byte, 4096)
		if n, err := c.Read(b); err != nil || !bytes.Equal(b[:n], want) {
			t.Fatalf("inside: %d bytes, %v; want %d", n, err, len(want))
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
