package nat_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// countUplink counts what leaves, from many goroutines.
type countUplink struct {
	sent    atomic.Int64
	sources sync.Map // of the transport source port
}

func (u *countUplink) Output(f frame.Frame, _ time.Time) trace.Reason {
	u.sent.Add(1)
	if t, ok := frame.TupleOf(frame.IPv4(f.Data[frame.EthernetHeader:])); ok {
		u.sources.Store(t.Source(), true)
	}
	return trace.NoReason
}

type countSegment struct{ sent atomic.Int64 }

func (s *countSegment) Output(frame.Frame, *trace.Journey, time.Time) { s.sent.Add(1) }

// newCounting makes a gateway whose network and uplink may be used from many goroutines.
func newCounting(t testing.TB, c nat.Config) (*nat.Gateway, *nat.Interface, *nat.Interface, *countUplink) {
	tables := rule.NewTables(rule.IPv4)
	if err := tables.Apply([]string{masquerade}); err != nil {
		t.Fatal(err)
	}
	c.Tracer, c.Epoch, c.Rules, c.Random = new(trace.Tracer), epoch, tables, rand.New(rand.NewPCG(1, 2))
	g, up := nat.New(c), new(countUplink)
	br0, err := g.Add(nat.InterfaceConfig{Name: "br0", Addr: prefix("11.11.11.1/24"), MAC: gatewayMAC, Segment: new(countSegment)}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	uplink, err := g.Add(nat.InterfaceConfig{Name: "uplink", Addr: prefix("192.0.2.2/24"), Uplink: up}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.AddRoute(defaultRoute, ip4("192.0.2.1"), uplink); err != nil {
		t.Fatal(err)
	}
	return g, br0, uplink, up
}

func TestFirstPacketsOfOneFlowAtOnce(t *testing.T) {
	// Two packets may both be the first of their connection. Neither is lost, and both get the same translation.
	for range 100 {
		g, br0, _, up := newCounting(t, nat.Config{})
		var begin, done sync.WaitGroup
		begin.Add(1)
		for range 4 {
			done.Go(func() {
				f := host{mac: frame.MAC{2, 0, 0, 0, 1, 2}}.frame(udp(redPort, "8.8.8.8:53", "q"))
				begin.Wait()
				br0.Input(f, nil, epoch)
			})
		}
		begin.Done()
		done.Wait()
		n := 0
		up.sources.Range(func(any, any) bool { n++; return true })
		if conns := g.Conns(epoch); up.sent.Load() != 4 || n != 1 || len(conns) != 1 || conns[0].Packets[0] != 4 {
			t.Fatalf("%d of 4 packets left, with %d sources; connections: %+v", up.sent.Load(), n, conns)
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	g, br0, uplink, _ := newCounting(t, nat.Config{MaxConns: 64})
	feed := g.Follow()
	stop := make(chan struct{})
	var others, senders sync.WaitGroup
	others.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-feed.C:
			default:
				now := epoch.Add(time.Duration(i) * time.Millisecond)
				g.Tick(now)
				g.Conns(now)
				g.DropConns(func(c nat.Conn) bool { return c.ID%7 == 0 }, now)
				g.SetForwarding(true)
				_ = br0.Counters()
			}
		}
	})
	for n := range 4 {
		senders.Go(func() {
			h := host{mac: frame.MAC{2, 0, 0, 0, 1, byte(n + 2)}}
			for i := range 500 {
				src := fmt.Sprintf("11.11.11.%d:%d", n+2, 1000+i%50)
				now := epoch.Add(time.Duration(i) * time.Millisecond)
				br0.Input(h.frame(udp(src, "8.8.8.8:53", "q")), nil, now)
				br0.Input(h.frame(tcp(src, server, seg{flags: "S"})), nil, now)
				br0.Input(h.frame(cut(udp(src, "8.8.8.8:53", "twenty-four bytes of it."), 16)[i%2]), nil, now)
				br0.Input(h.frame(udp(src, "11.11.11.1:9", "refused")), nil, now)
				for _, p := range [][]byte{udp("8.8.8.8:53", fmt.Sprintf("192.0.2.2:%d", 1000+i%50), "a"),
					icmp("8.8.8.8", "192.0.2.2", 3, 3, 0, udp(fmt.Sprintf("192.0.2.2:%d", 1000+i%50), "8.8.8.8:53", "q"))} {
					g.InputUplink(uplink, frame.Frame{Data: append(make([]byte, frame.EthernetHeader), p...)}, now)
				}
			}
		})
	}
	senders.Wait()
	close(stop)
	others.Wait()
	g.Unfollow(feed)
	if n := len(g.Conns(epoch)); n > 64 {
		t.Errorf("%d connections in a table for 64", n)
	}
}
