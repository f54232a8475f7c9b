//go:build linux

package uplink_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"

	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// fails makes the gateway fail on the next packets of a protocol that come in by the uplink, and returns how often it has.
func (l *lab) fails(proto uint8, times int32) (failed *atomic.Int32) {
	var left atomic.Int32
	left.Store(times)
	failed = new(atomic.Int32)
	l.up.Attach(func(f frame.Frame, now time.Time) {
		if f.Data[frame.EthernetHeader+9] == proto && left.Add(-1) >= 0 {
			failed.Add(1)
			panic("a fault")
		}
		l.gateway.InputUplink(l.out, f, now)
	}, l.gateway.Undelivered)
	return failed
}

// TestHostFaults: a fault on what comes in, in whichever goroutine, costs that and no more; it is counted and told of.
func TestHostFaults(t *testing.T) {
	var tracer trace.Tracer
	l := newLab(t, uplink.HostConfig{Tracer: &tracer})
	var told atomic.Int32
	tracer.OnFault(func(err error) {
		if strings.Contains(err.Error(), "a fault") {
			told.Add(1)
		}
	})
	serve(t, wanPID, server+":60", echo)
	wan := datagrams(t, wanPID, server+":61")
	go func() {
		b := make([]byte, 100)
		for {
			n, from, err := wan.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = wan.WriteTo(b[:n], from)
		}
	}()
	var all uint64
	expect := func(what string, failed *atomic.Int32, n int32) {
		t.Helper()
		all += uint64(n)
		if failed.Load() != n || tracer.Drops(trace.UplinkFault) != all || told.Load() != int32(all) {
			t.Errorf("%s: %d faults, %d counted, %d told of; want %d more", what, failed.Load(), tracer.Drops(trace.UplinkFault), told.Load(), n)
		}
	}

	failed := l.fails(frame.ProtoTCP, 1) // the answer to the SYN, from a goroutine of netstack's
	exchange(t, l.mustDial(t, red, server+":60"), randomBytes(1<<20))
	expect("TCP", failed, 1)

	failed = l.fails(frame.ProtoICMP, 1)
	l.hears(t, func() { l.ping("11.11.11.2", server, 7, 1, 64, "hello") })
	expect("ping", failed, 1)

	failed = l.fails(frame.ProtoUDP, 2)
	to := full(netip.MustParseAddr(server), 61)
	c, err := gonet.DialUDP(l.inside, nil, &to, ipv4.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	eventually(t, "no datagram came back", func() bool {
		_, _ = c.Write([]byte("hello"))
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, err := c.Read(make([]byte, 100))
		return err == nil
	})
	expect("UDP", failed, 2)
}

// TestHostFaultOnTheWayOut: it is the uplink's, not that of the port that the packet came from.
func TestHostFaultOnTheWayOut(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	uplink.Break(l.up, frame.Tuple{Proto: frame.ProtoTCP, SrcIP: frame.AddrOf(l.up.Addr().Addr()), SrcPort: 99,
		DstIP: frame.AddrOf(netip.MustParseAddr(server)), DstPort: 80})
	segment := append(syn(99, 80), "x"...)
	segment[7], segment[13] = 1, byte(frame.ACK)
	if r := l.up.Output(packet(frame.ProtoTCP, l.up.Addr().Addr().String(), server, segment), time.Now()); r != trace.UplinkFault {
		t.Errorf("the reason is %v", r)
	}
	serve(t, wanPID, server+":62", echo)
	exchange(t, l.mustDial(t, red, server+":62"), randomBytes(1000))
}

// brittle is an interface that fails once on a frame that it is given, and the gateway on the frame that it reads first.
type brittle struct {
	cable
	failed bool
}

func (b *brittle) Write(f frame.Frame) error {
	if !b.failed {
		b.failed = true
		panic("a fault")
	}
	return b.cable.Write(f)
}

// TestNetnsFaults: a fault on what comes in takes the uplink out of use until it is run again; one of the interface on what leaves
// costs that alone. Both are drops with their reason.
func TestNetnsFaults(t *testing.T) {
	var tracer trace.Tracer
	told := 0
	tracer.OnFault(func(error) { told++ })
	g := nat.New(nat.Config{Tracer: &tracer, Epoch: at, Rules: rule.NewTables(rule.IPv4), Random: rand.New(rand.NewPCG(1, 1))})
	link := &brittle{}
	n := uplink.NewNetns("wan", link, &tracer)
	leg, err := g.Add(nat.InterfaceConfig{Name: "wan", Addr: netip.MustParsePrefix("192.0.2.2/24"), MAC: frame.MAC{2, 0, 0, 0, 0, 1}, Segment: n}, at)
	if err != nil {
		t.Fatal(err)
	}
	some := frame.Frame{Data: make([]byte, 60)}
	n.Output(some, nil, at)
	if n.Output(some, nil, at); len(link.out) != 1 || tracer.Drops(trace.UplinkFault) != 1 || told != 1 {
		t.Errorf("a fault on what leaves: %d left, %d dropped, %d told of", len(link.out), tracer.Drops(trace.UplinkFault), told)
	}
	clock := func() time.Time { panic("a fault") }
	link.in = [][]byte{make([]byte, 60), make([]byte, 60)}
	if err := n.Run(leg, clock); !errors.Is(err, uplink.ErrFault) || tracer.Drops(trace.UplinkFault) != 2 || told != 2 {
		t.Errorf("Run ended with %v, %d counted, %d told of", err, tracer.Drops(trace.UplinkFault), told)
	}
	if n.Output(some, nil, at); len(link.out) != 1 || tracer.Drops(trace.UplinkFault) != 3 {
		t.Errorf("out of use, it let %d frames out", len(link.out)-1)
	}
	if err := n.Run(leg, func() time.Time { return at }); !errors.Is(err, frame.ErrLinkGone) {
		t.Errorf("Run ended with %v", err)
	}
	if n.Output(some, nil, at); len(link.out) != 2 {
		t.Error("in use again, it lets nothing out")
	}
}
