package station_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/nat/station"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Two gateways with a cable between them:
//
//	left 192.0.2.1 --- 192.0.2.2 right
//	                   11.11.11.1 right

// side is a gateway, its programs' station, and its end of the cable.
type side struct {
	*nat.Gateway
	*station.Station
	leg    *nat.Interface
	peer   *side
	tracer trace.Tracer
	faults atomic.Int32 // how many of the packets that its station sends next are to fail
}

// faulty is a side's gateway as its station has it.
type faulty struct{ *side }

func (f faulty) Originate(p frame.Frame, now time.Time) {
	if f.faults.Add(-1) >= 0 {
		panic("a fault")
	}
	f.side.Originate(p, now)
}

// Output implements nat.Uplink: the other side gets a copy.
func (s *side) Output(f frame.Frame, now time.Time) trace.Reason {
	s.peer.InputUplink(s.peer.leg, f.Clone(), now)
	return trace.NoReason
}

func newSide(t *testing.T, addr string, rules ...string) *side {
	s, tables := &side{}, rule.NewTables(rule.IPv4)
	if err := tables.Apply(rules); err != nil {
		t.Fatal(err)
	}
	s.Gateway = nat.New(nat.Config{Tracer: &s.tracer, Epoch: time.Now(), Rules: tables, Random: rand.New(rand.NewPCG(1, 2))})
	var err error
	if s.leg, err = s.Add(nat.InterfaceConfig{Name: "cable", Addr: netip.MustParsePrefix(addr), Uplink: s}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if s.Station, err = station.New(faulty{s}, &s.tracer); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func newSides(t *testing.T, rules ...string) (left, right *side) {
	left, right = newSide(t, "192.0.2.1/24"), newSide(t, "192.0.2.2/24", rules...)
	left.peer, right.peer = right, left
	return left, right
}

// parrot repeats what is said on every connection.
func parrot(t *testing.T, l net.Listener) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
}

func dial(t *testing.T, s *side, network, to string) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := s.Dial(ctx, network, netip.MustParseAddrPort(to))
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	}
	return c, err
}

func TestTCP(t *testing.T) {
	left, right := newSides(t)
	l, err := right.Listen(53, nil)
	if err != nil {
		t.Fatal(err)
	}
	parrot(t, l)
	c, err := dial(t, left, "tcp", "192.0.2.2:53")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.LocalAddr().(*net.TCPAddr).IP.String(); got != "192.0.2.1" {
		t.Errorf("from %s, want the gateway's own address", got)
	}
	sent := bytes.Repeat([]byte("a page of text "), 20000)
	go func() { _, _ = c.Write(sent) }()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%v; the same came back: %v", err, bytes.Equal(got, sent))
	}
}

func TestUDP(t *testing.T) {
	left, right := newSides(t)
	release, err := right.Open(frame.ProtoUDP, 53, answerer{t, right})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	c, err := dial(t, left, "udp", "192.0.2.2:53")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.(net.PacketConn); !ok {
		t.Error("a connection of UDP that is no net.PacketConn")
	}
	got := make([]byte, 10)
	if _, err := c.Write([]byte("who?")); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(got); err != nil || string(got[:n]) != "who?" {
		t.Errorf("%q, %v", got[:n], err)
	}
}

// answerer sends every packet back to where it came from.
type answerer struct {
	t *testing.T
	s *side
}

func (a answerer) Deliver(f frame.Frame, now time.Time) {
	back := f.Clone()
	ip := frame.IPv4(back.Data[frame.EthernetHeader:])
	src, dst, u := ip.Src(), ip.Dst(), frame.UDP(ip.Payload())
	copy(u[0:4], []byte{u[2], u[3], u[0], u[1]}) // swapping ends leaves the checksum as it is
	frame.PutIPv4(ip, frame.ProtoUDP, 64, 1, dst, src)
	a.s.Originate(back, now)
}

func TestNobodyListens(t *testing.T) {
	left, _ := newSides(t)
	if _, err := dial(t, left, "tcp", "192.0.2.2:54"); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want a refusal", err)
	}
	c, err := dial(t, left, "udp", "192.0.2.2:54")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("who?"))
	var timeout net.Error
	if _, err := c.Read(make([]byte, 10)); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("%v, want a refusal", err)
	}
}

func TestRulesAreForPrograms(t *testing.T) {
	left, right := newSides(t, "-A INPUT -p tcp --dport 53 -j REJECT")
	l, err := right.Listen(53, nil)
	if err != nil {
		t.Fatal(err)
	}
	parrot(t, l)
	if _, err := dial(t, left, "tcp", "192.0.2.2:53"); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want what REJECT says", err)
	}
}

func TestPortIsClosedToSome(t *testing.T) {
	left, right := newSides(t)
	l, err := right.Listen(53, func(src, _ netip.Addr) bool { return src.String() != "192.0.2.1" })
	if err != nil {
		t.Fatal(err)
	}
	parrot(t, l)
	if _, err := dial(t, left, "tcp", "192.0.2.2:53"); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want a refusal", err)
	}
}

func TestPorts(t *testing.T) {
	left, _ := newSides(t)
	l, err := left.Listen(53, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := left.Listen(53, nil); err == nil {
		t.Error("two listeners on one port")
	}
	_ = l.Close()
	if l, err = left.Listen(53, nil); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	for to, network := range map[string]string{"8.8.8.8:53": "udp", "192.0.2.2:53": "sctp", "[::1]:53": "tcp"} {
		if _, err := dial(t, left, network, to); err == nil {
			t.Errorf("%s to %s: no error", network, to)
		}
	}
}

// TestFaults: what fails on a packet of the station's is that packet, and the programs go on.
func TestFaults(t *testing.T) {
	left, right := newSides(t)
	l, err := right.Listen(53, nil)
	if err != nil {
		t.Fatal(err)
	}
	parrot(t, l)
	var told atomic.Int32
	right.tracer.OnFault(func(error) { told.Add(1) })
	right.faults.Store(1) // the answer to the SYN is sent again
	c, err := dial(t, left, "tcp", "192.0.2.2:53")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("hello"))
	got := make([]byte, 5)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	if n := right.tracer.Drops(trace.GatewayFault); n != 1 || told.Load() != 1 {
		t.Errorf("%d faults are counted, %d told of, want 1", n, told.Load())
	}
}

func TestAcceptedConnectionsKnowTheirSender(t *testing.T) {
	left, right := newSides(t)
	l, err := right.Listen(53, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	dialled := make(chan error, 1)
	go func() {
		c, err := left.Dial(ctx, "tcp", netip.MustParseAddrPort("192.0.2.2:53"))
		if err == nil {
			err = c.Close()
		}
		dialled <- err
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if addr, ok := c.RemoteAddr().(*station.Addr); !ok || addr.Source() == 0 {
		t.Errorf("%v: nothing says who sent it", c.RemoteAddr())
	}
	if err := <-dialled; err != nil {
		t.Error(err)
	}
}
