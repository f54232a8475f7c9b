package vswitch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestWhoTakesWhat plugs ports in and out and turns their flags, in an order that chance chooses. After each step, a broadcast,
// a multicast and a frame to nobody go to whom the flags of those who are there say, in the order in which they came.
func TestWhoTakesWhat(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	flags := func() vswitch.PortFlags {
		k := vswitch.DefaultFlags()
		for _, one := range []*bool{&k.Flood, &k.MulticastFlood, &k.BroadcastFlood} {
			*one = random.IntN(4) > 0
		}
		k.Isolated, k.Learning, k.StormLimit = random.IntN(4) == 0, false, 0
		return k
	}
	s := vswitch.New(vswitch.Config{Name: "br0", Tracer: new(trace.Tracer), Epoch: epoch})
	var here []*takerPort
	var heard []string
	for step := range 400 {
		switch n := random.IntN(4); {
		case n < 2 || len(here) < 2:
			p := &takerPort{name: fmt.Sprint("p", step), heard: &heard}
			var err error
			if p.Port, err = s.Attach(p.name, p, flags()); err != nil {
				t.Fatal(err)
			}
			here = append(here, p)
		case n == 2:
			i := random.IntN(len(here))
			_ = s.Detach(here[i].Port)
			here = slices.Delete(here, i, i+1)
		default:
			s.SetFlags(here[random.IntN(len(here))].Port, flags())
		}
		from := here[random.IntN(len(here))]
		for _, class := range []struct {
			to    frame.MAC
			takes func(vswitch.PortFlags) bool
		}{
			{frame.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, func(k vswitch.PortFlags) bool { return k.BroadcastFlood }},
			{frame.MAC{1, 0, 0x5e, 1, 2, 3}, func(k vswitch.PortFlags) bool { return k.MulticastFlood }},
			{frame.MAC{2, 0, 0, 0, 0, 9}, func(k vswitch.PortFlags) bool { return k.Flood }},
		} {
			var want []string
			for _, p := range here {
				if p != from && class.takes(p.Flags()) && !(from.Flags().Isolated && p.Flags().Isolated) {
					want = append(want, p.name)
				}
			}
			heard = nil
			data := append(append(append([]byte{}, class.to[:]...), 2, 0, 0, 0, 0, 1, 0x88, 0xb5), make([]byte, 46)...)
			s.Input(from.Port, frame.Frame{Data: data}, epoch)
			if !slices.Equal(heard, want) {
				t.Fatalf("step %d: to %v from %s: heard by %v, want %v", step, class.to, from.name, heard, want)
			}
		}
	}
}

// takerPort notes that it was sent a frame.
type takerPort struct {
	*vswitch.Port
	name  string
	heard *[]string
}

func (p *takerPort) Read() (frame.Frame, error) { select {} }
func (p *takerPort) Close() error               { return nil }
func (p *takerPort) Write(frame.Frame) error {
	*p.heard = append(*p.heard, p.name)
	return nil
}
