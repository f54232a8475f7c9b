//go:build linux

package uplink_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// cable is a link in memory.
type cable struct {
	in  [][]byte
	out [][]byte
	err error
}

func (c *cable) Read() (frame.Frame, error) {
	if len(c.in) == 0 {
		return frame.Frame{}, frame.ErrLinkGone
	}
	b := c.in[0]
	c.in = c.in[1:]
	return frame.Frame{Data: b}, nil
}

func (c *cable) Write(f frame.Frame) error {
	c.out = append(c.out, bytes.Clone(f.Data))
	return c.err
}

func (c *cable) Close() error { return nil }

// An ARP request that comes in by the interface is answered by it, and both are in the trace.
func TestNetnsRun(t *testing.T) {
	for name, broken := range map[string]error{"up": nil, "full": frame.ErrLinkFull} {
		t.Run(name, func(t *testing.T) {
			var tracer trace.Tracer
			ring := trace.NewRing(100, 1<<16, 100)
			tracer.Attach(ring)
			g := nat.New(nat.Config{Tracer: &tracer, Epoch: at, Rules: rule.NewTables(rule.IPv4), Random: rand.New(rand.NewPCG(1, 1))})
			who := make([]byte, frame.EthernetHeader+frame.ARPLength)
			mac := frame.MAC{2, 0, 0, 0, 0, 9}
			frame.Ethernet(who).SetHeader(frame.Broadcast, mac, frame.TypeARP)
			frame.PutARP(who[frame.EthernetHeader:], frame.ARPRequest, mac, netip.MustParseAddr("192.0.2.9"), frame.MAC{},
				netip.MustParseAddr("192.0.2.2"))
			link := &cable{in: [][]byte{who}, err: broken}
			n := uplink.NewNetns("wan", link, &tracer)
			leg, err := g.Add(nat.InterfaceConfig{Name: "wan", Addr: netip.MustParsePrefix("192.0.2.2/24"),
				MAC: frame.MAC{2, 0, 0, 0, 0, 1}, Segment: n}, at)
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Run(leg, func() time.Time { return at }); !errors.Is(err, frame.ErrLinkGone) {
				t.Errorf("Run ended with %v", err)
			}
			if len(link.out) != 1 || frame.Ethernet(link.out[0]).Dst() != mac {
				t.Fatalf("sent %x", link.out)
			}
			var ingress, egress *trace.Event
			for {
				var e trace.Event
				if _, ok := ring.TryNext(&e); !ok {
					break
				}
				switch {
				case e.Where == "wan" && e.Hook == trace.Ingress:
					ingress = &e
				case e.Where == "wan" && e.Hook == trace.Egress:
					egress = &e
				}
			}
			switch {
			case ingress == nil || ingress.Note != trace.UplinkReceived:
				t.Error("no ingress event")
			case egress == nil:
				t.Error("no egress event")
			case (egress.Verdict == trace.Drop) != (broken != nil), (tracer.Drops(trace.TxError) == 1) != (broken != nil):
				t.Errorf("egress: %v", egress.Verdict)
			}
		})
	}
}
