//go:build linux

package uplink_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"

	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

const server6, far6, unreachable6 = "2001:db8:113::10", "2001:db8:113::20", "2001:db8:113::98"

func full6(at string) tcpip.FullAddress {
	a := netip.MustParseAddrPort(at)
	return full(a.Addr(), int(a.Port()))
}

// TestIPv6Stream: a connection carries a mebibyte each way, from the port that it has inside, and a closed port refuses it.
func TestIPv6Stream(t *testing.T) {
	l := newLab(t, uplink.HostConfig{GSO: true})
	from := make(chan string, 1)
	serve(t, wanPID, "["+server6+"]:80", func(c *net.TCPConn) {
		from <- c.RemoteAddr().String()
		_, _ = io.Copy(c, c)
		_ = c.CloseWrite()
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := gonet.DialTCPWithBind(ctx, l.inside, full(red6, 40006), full6("["+server6+"]:80"), ipv6.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := <-from; got != "[2001:db8:18::2]:40006" {
		t.Errorf("the server sees %s", got)
	}
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	go func() { _, _ = c.Write(sent); _ = c.CloseWrite() }()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes come back of %d: %v", len(got), len(sent), err)
	}
	if _, err := gonet.DialContextTCP(ctx, l.inside, full6("["+server6+"]:81"), ipv6.ProtocolNumber); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a closed port: %v", err)
	}
}

// TestIPv6Datagrams: one port for all destinations, answers with their hop limit, and what routers on the way say.
func TestIPv6Datagrams(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	echoDatagrams(datagrams(t, wanPID, "["+server6+"]:53"))
	local := full(red6, 40053)
	c, err := gonet.DialUDP(l.inside, &local, nil, ipv6.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	for _, size := range []int{5, 1400, 20000} {
		sent, b := bytes.Repeat([]byte{7}, size), make([]byte, 1<<16)
		if _, err := c.WriteTo(sent, addr("["+server6+"]:53")); err != nil {
			t.Fatal(err)
		}
		if n, from, err := c.ReadFrom(b); err != nil || !bytes.Equal(b[:n], sent) || from.String() != "["+server6+"]:53" {
			t.Errorf("of %d bytes %d come back, from %v: %v", size, n, from, err)
		}
	}
	probe := func(to string, size int, hops uint8) func() {
		u := make(frame.UDP, frame.UDPHeader+size)
		frame.PutUDP(u, 40054, 33434)
		u.SetChecksum(red6, netip.MustParseAddr(to))
		return func() { l.send(frame.ProtoUDP, hops, red6.String(), to, u) }
	}
	quoted := red6.String() + ">"
	for _, want := range []struct {
		to   string
		size int
		hops uint8
		from string
		m    told
	}{
		{far6, 10, 2, "2001:db8:18::1", told{icmpType: frame.ICMPv6TimeExceeded}},
		{far6, 1400, 64, "2001:db8:18::1", told{icmpType: frame.ICMPv6TooBig}},
		{server6, 10, 64, server6, told{icmpType: frame.ICMPv6Unreachable, code: frame.Unreachable6Port}},
		{unreachable6, 10, 64, "2001:db8:18::1", told{icmpType: frame.ICMPv6Unreachable, code: frame.Unreachable6NoRoute}}, // as ip6_pkt_discard says it
	} {
		got := l.hears(t, probe(want.to, want.size, want.hops))
		if got.from != want.from || got.icmpType != want.m.icmpType || got.code != want.m.code || got.id != 40054 || got.payload != quoted+want.to {
			t.Errorf("%s with %d bytes and %d hops: %+v", want.to, want.size, want.hops, got)
		}
	}
}

// TestIPv6Echo: pings are answered, and told about, by the ping socket or the raw one.
func TestIPv6Echo(t *testing.T) {
	ping := func(l *lab, to string, hops uint8) func() {
		return func() {
			src, dst := red6, netip.MustParseAddr(to)
			b := make([]byte, frame.IPv6Header+frame.ICMPHeader+4)
			ip := frame.PutIP(b, frame.ProtoICMPv6, hops, 0, src, dst)
			m := ip.Payload()
			m[0] = frame.ICMPv6Echo
			binary.BigEndian.PutUint16(m[4:], 0x1234)
			copy(m[frame.ICMPHeader:], "ping")
			ip.SetICMPChecksum()
			l.send(frame.ProtoICMPv6, hops, src.String(), to, m)
		}
	}
	const file = "/proc/sys/net/ipv4/ping_group_range"
	for name, groups := range map[string]string{"ping socket": "0 2147483647", "raw socket": "1 0"} {
		t.Run(name, func(t *testing.T) {
			before, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, []byte(groups), 0)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer os.WriteFile(file, before, 0)
			l := newLab(t, uplink.HostConfig{})
			if got := l.hears(t, ping(l, server6, 64)); got.icmpType != frame.ICMPv6EchoReply || got.id != 0x1234 || got.payload != "ping" || got.from != server6 || got.to != red6.String() {
				t.Errorf("the answer is %+v", got)
			}
			if got := l.hears(t, ping(l, far6, 2)); got.icmpType != frame.ICMPv6TimeExceeded || got.id != 0x1234 || got.from != "2001:db8:18::1" || got.payload != red6.String()+">"+far6 {
				t.Errorf("a router says %+v", got)
			}
		})
	}
}

// TestIPv6Wall: this machine is closed to the lab in IPv6 too, by whatever address.
func TestIPv6Wall(t *testing.T) {
	outside(t)
	h, err := uplink.NewHost(uplink.HostConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if h.Addr6().String() != "2001:db8:18::2/128" {
		t.Errorf("the uplink's address is %v", h.Addr6())
	}
	for _, closed := range []string{"::1", "::", "fe80::1", "2001:db8:18::2", "fd00:ec2::254", "fd20:ce::254", "::ffff:127.0.0.1"} {
		if r := h.Refuses(netip.MustParseAddr(closed)); r != trace.HostForbidden {
			t.Errorf("%s: %v", closed, r)
		}
	}
	if r := h.Refuses(netip.MustParseAddr(server6)); r != trace.NoReason {
		t.Errorf("%s: %v", server6, r)
	}
}

// TestIPv6Published: a port of [::] takes clients of IPv6, IPv4 is somebody else's, and this machine's own have a name inside.
func TestIPv6Published(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	local := full(red6, 80)
	inside, err := gonet.ListenTCP(l.inside, local, ipv6.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()
	go func() {
		for {
			c, err := inside.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, c.RemoteAddr().String())
			_ = c.Close()
		}
	}()
	udp, err := gonet.DialUDP(l.inside, &local, nil, ipv6.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	go func() {
		for b := make([]byte, 100); ; {
			_, from, err := udp.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = udp.WriteTo([]byte(from.String()), from)
		}
	}()
	for _, proto := range []uint8{frame.ProtoTCP, frame.ProtoUDP} {
		p, err := l.up.Listen(proto, netip.MustParseAddrPort("[::]:8080"), true)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		four, err := l.up.Listen(proto, netip.MustParseAddrPort("0.0.0.0:8080"), false)
		if err != nil {
			t.Fatalf("beside [::]: %v", err)
		}
		defer four.Close()
	}
	if _, err := l.up.Listen(frame.ProtoTCP, netip.MustParseAddrPort("[::1]:8080"), true); err == nil || !strings.Contains(err.Error(), "already allocated") {
		t.Errorf("a port of [::] again: %v", err)
	}
	ask := func(network, to string) string {
		c, err := net.Dial(network, to)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		if network == "udp" {
			_, _ = c.Write([]byte("who am I?"))
		}
		b := make([]byte, 100)
		n, err := c.Read(b)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	for _, network := range []string{"tcp", "udp"} {
		in(t, wanPID, func() error {
			if got := ask(network, "[2001:db8:18::2]:8080"); !strings.HasPrefix(got, "[2001:db8:18::1]:") {
				t.Errorf("%s: a client of the outside is seen as %s", network, got)
			}
			return nil
		})
		if got := ask(network, "[::1]:8080"); !strings.HasPrefix(got, "["+uplink.DefaultGateway6.String()+"]:") {
			t.Errorf("%s: a client on this machine is seen as %s", network, got)
		}
	}
}
