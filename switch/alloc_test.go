package vswitch_test

import (
	"fmt"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// sink is a link that takes everything and keeps nothing.
type sink struct{}

func (sink) Read() (frame.Frame, error) { return frame.Frame{}, errClosed }
func (sink) Write(frame.Frame) error    { return nil }
func (sink) Close() error               { return nil }

// bare makes a switch of sinks, host(i+1) known behind port i and unlimited, and says how it is traced.
func bare(t testing.TB, traced string, ports int) (*vswitch.Switch, []*vswitch.Port) {
	tracer := new(trace.Tracer)
	s := vswitch.New(vswitch.Config{Name: "br0", Tracer: tracer, Epoch: epoch})
	k := vswitch.DefaultFlags()
	k.StormLimit = 0
	for i := range ports {
		p, err := s.Attach(fmt.Sprintf("p%d", i), sink{}, k)
		if err != nil {
			t.Fatal(err)
		}
		s.Input(p, frameOf(nearest, host(i+1), 60), epoch)
	}
	if traced == "ring" {
		tracer.Attach(trace.NewRing(1024, 1<<20, 0))
	}
	return s, s.Ports()
}

// TestAllocs: a bridged frame costs no memory, whoever listens.
func TestAllocs(t *testing.T) {
	now := epoch
	for _, traced := range []string{"off", "ring"} {
		s, ports := bare(t, traced, 5)
		unicast, flood, drop := frameOf(host(2), host(1), 1514), frameOf(frame.Broadcast, host(1), 60), frameOf(nearest, host(1), 60)
		mine, stolen := claim(host(2), host(1), host(1), redIP), claim(host(2), host(3), host(3), redIP)
		six, hidden := tagged(datagram6(5000), frame.TypeIPv6), tagged(behind(routerAdvert(), [8]byte{frame.ProtoDestOptions, 0, 1, 4}), frame.TypeIPv6)
		owned := tagged(advert(blue6, host(3)), frame.TypeIPv6)
		s.Assign(ports[3], host(4), blue6)
		for name, f := range map[string]func(){
			"IPv6":    func() { s.Input(ports[2], six, now) },
			"guarded": func() { s.Input(ports[2], hidden, now) },
			"claim6":  func() { s.Input(ports[2], owned, now) },
			"claim":   func() { s.Input(ports[0], mine, now) },
			"stolen":  func() { s.Input(ports[2], stolen, now); s.Input(ports[0], mine, now) },
			"unicast": func() { s.Input(ports[0], unicast, now) },
			"flood":   func() { s.Input(ports[0], flood, now) },
			"drop":    func() { s.Input(ports[0], drop, now) },
			"output":  func() { s.Output(unicast, nil, now) },
			"refresh": func() { now = now.Add(time.Second); s.Input(ports[0], drop, now) },
		} {
			if n := testing.AllocsPerRun(200, f); n != 0 {
				t.Errorf("%s, trace %s: %v allocations", name, traced, n)
			}
		}
	}
}
