//go:build linux

package uplink_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// publish publishes a port and returns where; the rule that serves it is newLab's caller's.
func (l *lab) publish(t *testing.T, proto uint8, at string) *uplink.Listener {
	t.Helper()
	p, err := l.up.Listen(proto, netip.MustParseAddrPort(at), false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func dnat(proto string, port int, to string) string {
	return fmt.Sprintf("-t nat -A PREROUTING -d %s -p %s --dport %d -j DNAT --to-destination %s", host, proto, port, to)
}

// service listens inside and serves each client with f.
func (l *lab) service(t *testing.T, port int, f func(net.Conn)) {
	t.Helper()
	s, err := gonet.ListenTCP(l.inside, full(red, port), ipv4.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.Close()
	})
	go func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			go f(c)
		}
	}()
}

// tryClient connects from the outside.
func tryClient(t *testing.T, to string) (*net.TCPConn, error) {
	t.Helper()
	var c net.Conn
	var failed error
	in(t, wanPID, func() error {
		c, failed = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(server)}, Timeout: patience}).Dial("tcp4", to)
		return nil
	})
	if failed != nil {
		return nil, failed
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn), nil
}

func client(t *testing.T, to string) *net.TCPConn {
	t.Helper()
	c, err := tryClient(t, to)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPublishedTCP(t *testing.T) {
	l := newLab(t, uplink.HostConfig{}, dnat("tcp", 8080, "11.11.11.2:80"))
	peers := make(chan string, 10)
	l.service(t, 80, func(c net.Conn) {
		defer c.Close()
		peers <- c.RemoteAddr().String()
		_, _ = io.Copy(c, c)
		_ = c.(*gonet.TCPConn).CloseWrite()
	})
	p := l.publish(t, frame.ProtoTCP, "0.0.0.0:8080")
	if got := p.Addr(); got != netip.MustParseAddrPort("0.0.0.0:8080") {
		t.Errorf("it listens on %v", got)
	}
	c := client(t, host+":8080")
	exchange(t, c, randomBytes(10<<20))
	if peer := <-peers; peer != c.LocalAddr().String() {
		t.Errorf("the service saw %s, want the client's own address %v", peer, c.LocalAddr())
	}
	// The host's own clients come from the gateway, never from 127.0.0.1, and each has a port of its own.
	seen := map[string]bool{}
	for _, at := range []string{"127.0.0.1", "127.0.0.2", host} {
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(at)}}).Dial("tcp4", host+":8080")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		exchange(t, c.(*net.TCPConn), []byte("hello"))
		peer := <-peers
		if !strings.HasPrefix(peer, uplink.DefaultGateway.String()+":") || seen[peer] {
			t.Errorf("from %s: the service saw %s", at, peer)
		}
		seen[peer] = true
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp4", host+":8080"); err == nil {
		c.Close()
		t.Error("the port is open still")
	}
}

func TestPublishedTCPEnds(t *testing.T) {
	l := newLab(t, uplink.HostConfig{}, dnat("tcp", 8080, "11.11.11.2:80"), dnat("tcp", 8081, "11.11.11.99:80"),
		dnat("tcp", 8082, "11.11.11.2:82"), dnat("tcp", 8084, "11.11.11.2:84"),
		"-A FORWARD -p tcp --dport 84 -j REJECT --reject-with icmp-host-unreachable")
	l.service(t, 82, func(c net.Conn) {
		_, _ = io.ReadFull(c, make([]byte, 1))
		abort(c.(*gonet.TCPConn))
	})
	for name, port := range map[string]string{"nothing listens": "8080", "nobody is there": "8081", "no rule": "8083", "a rule rejects": "8084", "the service resets": "8082"} {
		l.publish(t, frame.ProtoTCP, "0.0.0.0:"+port)
		c, err := tryClient(t, host+":"+port)
		if err == nil { // else the reset was faster than the client's look at what its connect gave
			_ = c.SetDeadline(time.Now().Add(patience))
			if _, err = c.Write([]byte("x")); err == nil {
				_, err = c.Read(make([]byte, 1))
			}
		}
		if err == nil || !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe") {
			t.Errorf("%s: the client read %v, want a reset", name, err)
		}
	}
}

// TestPublishedTCPWithoutAService: that the client was connected before the service refused, the trace tells where the service
// is asked, of clients outside and on this machine.
func TestPublishedTCPWithoutAService(t *testing.T) {
	l := newLab(t, uplink.HostConfig{}, dnat("tcp", 8085, "11.11.11.2:80"))
	ring := trace.NewRing(1024, 1<<20, 0)
	l.tracer.Attach(ring)
	l.publish(t, frame.ProtoTCP, "0.0.0.0:8085")
	const connected = "; its client is connected already, by this machine's listening socket, which cannot ask the service first"
	expect := func(who, want string) {
		t.Helper()
		var e trace.Event
		var heard []string
		eventually(t, who+": the trace does not say so", func() bool {
			for _, ok := ring.TryNext(&e); ok; _, ok = ring.TryNext(&e) {
				if e.Hook == trace.Ingress && e.Text(trace.English) == want {
					return true
				} else if e.Hook == trace.Ingress {
					heard = append(heard, e.Text(trace.English))
				}
			}
			return false
		})
		if len(heard) > 0 {
			t.Errorf("%s: before that it says %q", who, heard)
		}
	}
	if c, err := tryClient(t, host+":8085"); err == nil {
		c.Close()
	}
	expect("outside", "comes from the outside"+connected)
	if c, err := net.Dial("tcp4", "127.0.0.1:8085"); err == nil {
		c.Close()
	}
	expect("here", "comes from this machine itself, for which "+uplink.DefaultGateway.String()+" stands"+connected)
}

func TestPublishedUDP(t *testing.T) {
	l := newLab(t, uplink.HostConfig{}, dnat("udp", 5353, "11.11.11.2:53"))
	s := l.udp(t, red, 53, "")
	p := l.publish(t, frame.ProtoUDP, "0.0.0.0:5353")
	ask := func(c *net.UDPConn, to string, want func(peer string) bool) {
		t.Helper()
		data := randomBytes(3000)
		if _, err := c.WriteTo(data, addr(to)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1<<16)
		n, peer, err := s.ReadFrom(b)
		if err != nil || !bytes.Equal(b[:n], data) || !want(peer.String()) {
			t.Errorf("the service read %d bytes from %v, %v", n, peer, err)
		}
		if _, err := s.WriteTo([]byte(peer.String()), peer); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		n, from, err := c.ReadFrom(b)
		if err != nil || from.String() != to || string(b[:n]) != peer.String() {
			t.Errorf("the client read %q from %v, %v", b[:n], from, err)
		}
	}
	for range 2 {
		c := datagrams(t, wanPID, other+":0")
		ask(c, host+":5353", func(peer string) bool { return peer == c.LocalAddr().String() })
	}
	for _, at := range []string{"127.0.0.1", "127.0.0.2"} {
		c, err := net.ListenPacket("udp4", at+":40405")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		for range 2 {
			ask(c.(*net.UDPConn), "127.0.0.1:5353", func(peer string) bool {
				return strings.HasPrefix(peer, uplink.DefaultGateway.String()+":")
			})
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	l.publish(t, frame.ProtoUDP, "127.0.0.1:5353")
}

// TestOverflow: what a full queue of a published port's socket, or of a flow's, has dropped is counted, while the socket is
// there and afterwards: whatever was sent has come in or is counted.
func TestOverflow(t *testing.T) {
	t.Parallel()
	h, err := uplink.NewHost(uplink.HostConfig{Addr: netip.MustParsePrefix("127.0.0.1/8"), AllowHost: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	var came atomic.Uint64
	closed := make(chan struct{})
	h.Attach(func(frame.Frame, time.Time) { <-closed; came.Add(1) }, func(nat.Failure, time.Time) {})
	l, err := h.Listen(frame.ProtoUDP, netip.MustParseAddrPort("127.0.0.1:0"), false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("udp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const sent = 3000 // of a kilobyte: several times what the queue holds
	for range sent {
		if _, err := c.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	lost := h.Overflowed()
	if lost == 0 || lost >= sent {
		t.Fatalf("of %d datagrams %d were dropped", sent, lost)
	}
	close(closed)
	for end := time.Now().Add(patience); came.Load()+lost != sent && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if n := came.Load(); n+lost != sent {
		t.Errorf("of %d datagrams %d came in and %d were dropped", sent, n, lost)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := h.Overflowed(); n != lost {
		t.Errorf("%d are counted once the port is closed, %d before", n, lost)
	}
}

func TestPublishErrors(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	taken, err := net.Listen("tcp4", "127.0.0.1:8085")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	l.publish(t, frame.ProtoUDP, "0.0.0.0:8086")
	owner := fmt.Sprintf("pid %d (uplink.test)", os.Getpid())
	for _, test := range []struct {
		proto    uint8
		at, want string
	}{
		{frame.ProtoTCP, "0.0.0.0:8085", "port 8085/tcp is already allocated by " + owner},
		{frame.ProtoUDP, "0.0.0.0:8086", "port 8086/udp is already allocated by " + owner},
		{frame.ProtoTCP, "9.9.9.9:80", "port 80/tcp: 9.9.9.9 is not an address of this host"},
		{frame.ProtoUDP, "9.9.9.9:80", "port 80/udp: 9.9.9.9 is not an address of this host"},
		{frame.ProtoICMP, "0.0.0.0:1", "uplink: publish 0.0.0.0:1/icmp: want an address and tcp or udp"},
		{frame.ProtoTCP, "[2001:db8::9]:80", "port 80/tcp: 2001:db8::9 is not an address of this host"},
	} {
		_, err := l.up.Listen(test.proto, netip.MustParseAddrPort(test.at), strings.HasPrefix(test.at, "["))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v\nwant %s", test.at, err, test.want)
		}
	}
}
