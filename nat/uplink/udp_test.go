//go:build linux

package uplink_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"

	"uswitch/nat/uplink"
	"uswitch/switch/trace"
)

// udp opens a UDP socket inside; port 0 is any. With to it is connected.
func (l *lab) udp(t *testing.T, from netip.Addr, port int, to string) *gonet.UDPConn {
	t.Helper()
	local := full(from, port)
	var remote *tcpip.FullAddress
	if to != "" {
		at := netip.MustParseAddrPort(to)
		r := full(at.Addr(), int(at.Port()))
		remote = &r
	}
	c, err := gonet.DialUDP(l.inside, &local, remote, ipv4.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(patience))
	return c
}

// echoDatagrams sends every datagram back.
func echoDatagrams(c *net.UDPConn) {
	go func() {
		for b := make([]byte, 1<<16); ; {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(b[:n], from)
		}
	}()
}

func addr(s string) net.Addr { return net.UDPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

func TestUDPPortIsTheSameForAllDestinations(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	a, b := datagrams(t, wanPID, server+":53"), datagrams(t, wanPID, other+":53")
	c := l.udp(t, red, 4000, "")
	var seen []string
	for i, s := range []*net.UDPConn{a, b} {
		if _, err := c.WriteTo([]byte("?"), addr([]string{server, other}[i]+":53")); err != nil {
			t.Fatal(err)
		}
		_, from, err := s.ReadFrom(make([]byte, 10))
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, from.String())
		if _, err := s.WriteTo([]byte("!"), from); err != nil {
			t.Fatal(err)
		}
		if _, from, err := c.ReadFrom(make([]byte, 10)); err != nil || !strings.HasPrefix(from.String(), []string{server, other}[i]) {
			t.Fatalf("answer from %v, %v", from, err)
		}
	}
	if seen[0] != seen[1] || !strings.HasPrefix(seen[0], host+":") {
		t.Errorf("seen from %v, want one port of %s", seen, host)
	}
	// Another inside endpoint with the same port has a port of its own.
	if _, err := l.udp(t, blue, 4000, "").WriteTo([]byte("?"), addr(server+":53")); err != nil {
		t.Fatal(err)
	}
	if _, from, err := a.ReadFrom(make([]byte, 10)); err != nil || from.String() == seen[0] {
		t.Errorf("BLUE is seen from %v, as RED is", from)
	}
}

func TestUDPSizes(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	echoDatagrams(datagrams(t, wanPID, server+":54"))
	c := l.udp(t, red, 0, server+":54")
	for _, n := range []int{0, 1, 2, 1471, 1472, 1473, 9000, 32768, 65506, 65507} {
		data := randomBytes(n)
		if _, err := c.Write(data); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		b := make([]byte, 1<<16)
		if got, err := c.Read(b); err != nil || !bytes.Equal(b[:got], data) {
			t.Errorf("%d bytes: got %d back, or different ones: %v", n, got, err)
		}
	}
}

func TestUDPErrorsComeInsideOut(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	s := datagrams(t, wanPID, server+":55")
	for _, test := range []struct {
		name, to string
		port     uint16
		want     told
	}{
		{"closed port", server, 9999, told{server, red.String(), 3, 3, 4001, 63, "11.11.11.2>" + server}},
		{"unreachable", unreachable, 53, told{"198.18.0.1", red.String(), 3, 1, 4001, 63, "11.11.11.2>" + unreachable}},
		{"the gateway's word about a forbidden place", hostsOwn, 53, told{"11.11.11.1", red.String(), 3, 13, 4001, 64, "11.11.11.2>" + hostsOwn}},
	} {
		got := l.hears(t, func() { l.probe(red.String(), 4001, test.to, test.port, 64) })
		got.ttl, test.want.ttl = 0, 0
		if got != test.want {
			t.Errorf("%s: heard %+v, want %+v", test.name, got, test.want)
		}
		l.probe(red.String(), 4001, server, 55, 64)
		if _, _, err := s.ReadFrom(make([]byte, 20)); err != nil {
			t.Errorf("%s: the mapping did not survive it (RFC 4787 REQ-12): %v", test.name, err)
		}
	}
}

// 2,000 ports of two hosts (TestF46 of package test has 50,000) cost a bounded number of sockets, and one that was closed
// for them opens again when it is used.
func TestUDPManyPortsAreBounded(t *testing.T) {
	l := newLab(t, uplink.HostConfig{Limits: uplink.Limits{Flows: 32}})
	s := datagrams(t, wanPID, server+":56")
	first := l.udp(t, red, 20000, "")
	send := func(c *gonet.UDPConn) string {
		t.Helper()
		if _, err := c.WriteTo([]byte("?"), addr(server+":56")); err != nil {
			t.Fatal(err)
		}
		_ = s.SetReadDeadline(time.Now().Add(patience))
		_, from, err := s.ReadFrom(make([]byte, 8))
		if err != nil {
			var drops []string
			for _, r := range trace.Reasons() {
				if n := l.tracer.Drops(r); n > 0 {
					drops = append(drops, fmt.Sprint(r, " ", n))
				}
			}
			t.Fatal(err, drops, len(l.gateway.Conns(l.now())))
		}
		_, _ = s.WriteTo([]byte("!"), from) // the gateway keeps few connections that nobody answers
		return from.String()
	}
	before := send(first)
	const count = 2000
	sockets := openSockets()
	for i := range count - 1 {
		c := l.udp(t, []netip.Addr{red, blue}[i%2], 20001+i, "")
		send(c)
		c.Close()
	}
	if n := openSockets(); n > sockets+2*32 {
		t.Errorf("%d sockets are open, with a limit of 32 for each host", n)
	}
	if after := send(first); after != before {
		t.Errorf("seen from %s, and after eviction from %s", before, after)
	}
}
