//go:build linux

package uplink_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

var at = time.Unix(0, 0)

// packet builds one with complete checksums and room in front.
func packet(proto uint8, src, dst string, payload []byte) frame.Frame {
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+len(payload))
	copy(b[frame.EthernetHeader+frame.IPv4Header:], payload)
	ip := frame.PutIPv4(b[frame.EthernetHeader:], proto, 64, 1, netip.MustParseAddr(src), netip.MustParseAddr(dst))
	sum := frame.PseudoHeader(proto, ip.Src(), ip.Dst(), len(payload))
	switch proto {
	case frame.ProtoUDP:
		binary.BigEndian.PutUint16(ip.Payload()[6:], frame.Checksum(ip.Payload(), sum))
	case frame.ProtoTCP:
		binary.BigEndian.PutUint16(ip.Payload()[16:], frame.Checksum(ip.Payload(), sum))
	}
	return frame.Frame{Data: b}
}

func datagram(src, dst uint16) []byte {
	b := make([]byte, frame.UDPHeader+4)
	binary.BigEndian.PutUint16(b[0:], src)
	binary.BigEndian.PutUint16(b[2:], dst)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	return b
}

func syn(src, dst uint16) []byte {
	b := make([]byte, frame.TCPHeader)
	binary.BigEndian.PutUint16(b[0:], src)
	binary.BigEndian.PutUint16(b[2:], dst)
	b[12], b[13] = 5<<4, byte(frame.SYN)
	return b
}

func TestOutputRefuses(t *testing.T) {
	h, err := uplink.NewHost(uplink.HostConfig{Addr: netip.MustParsePrefix("192.168.104.2/24")})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	damaged := packet(frame.ProtoUDP, "192.168.104.2", "9.9.9.9", datagram(1, 2))
	damaged.Data[len(damaged.Data)-1] ^= 1
	damagedTCP := packet(frame.ProtoTCP, "192.168.104.2", "9.9.9.9", syn(1, 2))
	damagedTCP.Data[len(damagedTCP.Data)-1] ^= 1
	fragment := packet(frame.ProtoUDP, "192.168.104.2", "9.9.9.9", datagram(1, 2))
	frame.IPv4(fragment.Data[frame.EthernetHeader:]).SetFragment(false, true, 0)
	long := datagram(1, 2)
	binary.BigEndian.PutUint16(long[4:], 100)
	for name, test := range map[string]struct {
		f    frame.Frame
		want trace.Reason
	}{
		"an inside source":      {packet(frame.ProtoUDP, "11.11.11.2", "9.9.9.9", datagram(1, 2)), trace.InsideSource},
		"loopback":              {packet(frame.ProtoUDP, "192.168.104.2", "127.0.0.1", datagram(1, 2)), trace.HostForbidden},
		"loopback, TCP":         {packet(frame.ProtoTCP, "192.168.104.2", "127.0.0.1", syn(1, 2)), trace.HostForbidden},
		"metadata":              {packet(frame.ProtoTCP, "192.168.104.2", "169.254.169.254", syn(1, 80)), trace.HostForbidden},
		"credentials":           {packet(frame.ProtoTCP, "192.168.104.2", "169.254.170.2", syn(1, 80)), trace.HostForbidden},
		"a port nobody bound":   {packet(frame.ProtoUDP, "192.168.104.2", "9.9.9.9", datagram(1, 2)), trace.NATNoPort},
		"a TCP port nobody has": {packet(frame.ProtoTCP, "192.168.104.2", "9.9.9.9", syn(1, 2)), trace.NATNoPort},
		"another protocol":      {packet(47, "192.168.104.2", "9.9.9.9", nil), trace.UplinkProto},
		"a fragment":            {fragment, trace.FragBad},
		"a damaged datagram":    {damaged, trace.BadL4Checksum},
		"a damaged segment":     {damagedTCP, trace.BadL4Checksum},
		"a length that lies":    {packet(frame.ProtoUDP, "192.168.104.2", "9.9.9.9", long), trace.BadL4},
		"half a UDP header":     {packet(frame.ProtoICMP, "192.168.104.2", "9.9.9.9", []byte{8, 0}), trace.BadICMP},
		"no IP packet":          {frame.Frame{Data: make([]byte, 20)}, trace.IPHeader},
		"half a TCP header":     {packet(frame.ProtoICMP, "192.168.104.2", "9.9.9.9", []byte{3, 3, 0xfc, 0xfc, 0, 0, 0, 0}), trace.BadICMP},
	} {
		if got := h.Output(test.f, at); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestBind(t *testing.T) {
	h, err := uplink.NewHost(uplink.HostConfig{Addr: netip.MustParsePrefix("192.168.104.2/24")})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	flow := func(proto uint8, srcPort uint16, dst string) frame.Tuple {
		return frame.Tuple{Proto: proto, SrcIP: frame.AddrOf(red), SrcPort: srcPort, DstIP: frame.AddrOf(netip.MustParseAddr(dst)), DstPort: 80}
	}
	bind := func(f frame.Tuple) netip.AddrPort {
		t.Helper()
		own, r := h.Bind(nat.Binding{Tuple: f}, at)
		if r != trace.NoReason {
			t.Fatal(r)
		}
		return own
	}
	left := func(f frame.Tuple, own netip.AddrPort) frame.Tuple {
		f.SrcIP, f.SrcPort = frame.AddrOf(own.Addr()), own.Port()
		return f
	}
	sockets := openSockets()
	for _, proto := range []uint8{frame.ProtoTCP, frame.ProtoUDP} {
		a, b := flow(proto, 4000, "9.9.9.9"), flow(proto, 4000, "9.9.9.10")
		first, second, another := bind(a), bind(b), bind(flow(proto, 4001, "9.9.9.9"))
		switch {
		case first != second:
			t.Errorf("one inside endpoint got %v and %v", first, second)
		case first == another:
			t.Errorf("two inside endpoints got %v", first)
		case first.Addr().String() != "192.168.104.2" || first.Port() < 1024:
			t.Errorf("got %v", first)
		}
		h.Release(left(a, first))
		if third := bind(a); third != first {
			t.Errorf("while in use: %v became %v", first, third)
		}
		h.Release(left(a, first))
		h.Release(left(b, first))
		h.Release(left(flow(proto, 4001, "9.9.9.9"), another))
	}
	eventually(t, "released sockets stay open", func() bool { return openSockets() == sockets })
	for _, dst := range []string{"127.0.0.1", "169.254.169.254", "0.0.0.0"} {
		if _, r := h.Bind(nat.Binding{Tuple: flow(frame.ProtoTCP, 1, dst)}, at); r != trace.HostForbidden {
			t.Errorf("%s: %v", dst, r)
		}
	}
	// The sender's port is kept where it is free, as with MASQUERADE in Linux; a rule's range is kept to.
	taken, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	used := uint16(taken.LocalAddr().(*net.UDPAddr).Port)
	some := nat.PortRange{Min: used - 1, Max: used + 1}
	for i, c := range []struct {
		nat.Binding
		want func(uint16) bool
	}{
		{nat.Binding{Tuple: flow(frame.ProtoUDP, used, "9.9.9.9")}, func(p uint16) bool { return p != used && p >= 1024 }},
		{nat.Binding{Tuple: flow(frame.ProtoUDP, 80, "9.9.9.9")}, func(p uint16) bool { return p >= 1024 }},
		{nat.Binding{Tuple: flow(frame.ProtoUDP, used-2, "9.9.9.9"), Random: true}, func(p uint16) bool { return p >= 1024 }},
		{nat.Binding{Tuple: flow(frame.ProtoUDP, 7, "9.9.9.9"), Ports: some}, func(p uint16) bool { return p == used-1 }},
		{nat.Binding{Tuple: flow(frame.ProtoUDP, 8, "9.9.9.9"), Ports: some}, func(p uint16) bool { return p == used+1 }},
		{nat.Binding{Tuple: flow(frame.ProtoUDP, 7, "9.9.9.10"), Ports: some}, func(p uint16) bool { return p == used-1 }},
		{nat.Binding{Tuple: flow(frame.ProtoUDP, 9, "9.9.9.9"), Ports: some}, nil},
		{nat.Binding{Tuple: flow(frame.ProtoTCP, used, "9.9.9.9"), Ports: some}, some.Contains},
	} {
		own, r := h.Bind(c.Binding, at)
		switch {
		case c.want == nil && r != trace.NATNoPort, c.want != nil && r != trace.NoReason:
			t.Errorf("%d: %v", i, r)
		case c.want != nil && !c.want(own.Port()):
			t.Errorf("%d: it leaves from %d, and %d is taken", i, own.Port(), used)
		}
	}
	if _, r := h.Bind(nat.Binding{Tuple: flow(47, 0, "9.9.9.9")}, at); r != trace.UplinkProto {
		t.Errorf("GRE: %v", r)
	}
}

func TestNewHostChecksItsConfiguration(t *testing.T) {
	for name, c := range map[string]uplink.HostConfig{
		"IPv6":     {Addr: netip.MustParsePrefix("fd00::1/64")},
		"the same": {Addr: netip.MustParsePrefix("192.168.104.1/24")},
		"MTU":      {MTU: 100},
	} {
		if _, err := uplink.NewHost(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
