package world_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
	"uswitch/switch/frame"
)

// TestFaultComesBack: what a fault has unplugged is plugged in again by itself, with its address, its default route and its port flags.
func TestFaultComesBack(t *testing.T) {
	t.Parallel()
	host := &worldtest.Host{}
	w, r := up(t, twoHosts, host)
	before := host.Device("RED eth0")
	route := before.Gateway()
	before.Break("wires crossed")
	broadcast := make([]byte, 60)
	frame.Ethernet(broadcast).SetHeader(frame.Broadcast, w.Host("BLUE").NICs[0].Plan.MAC, frame.TypeIPv4)
	host.Device("BLUE eth0").Send(broadcast)
	eventually(t, "the fault is told", func() bool { return strings.Contains(r.String(), "wires crossed") })
	eventually(t, "RED is plugged in again", func() bool {
		_, in := w.Network("br0").Switch.Port("RED")
		return in && strings.Contains(r.String(), "RED: plugged in again")
	})
	after := host.Device("RED eth0")
	if after == before || !route.IsValid() || after.Gateway() != route {
		t.Errorf("the default route is %v, want %v", after.Gateway(), route)
	}
	if _, out := w.Host("RED").NICs[0].Unplugged(); out {
		t.Error("the interface still says that it is out")
	}
}

// TestPlugInAgain: what is out of the switch for another reason, by `set port` and by applying the same plan once more.
func TestPlugInAgain(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(w *world.World) error{
		"set": func(w *world.World) error {
			err := w.Set(world.Change{Kind: "port", Name: "RED", Values: map[string]string{"flood": "off"}})
			if err == nil || !strings.Contains(err.Error(), "set port RED up=on") {
				return fmt.Errorf("a flag of what is unplugged: %v", err)
			}
			return w.Set(world.Change{Kind: "port", Name: "RED", Values: map[string]string{"up": "on"}})
		},
		"apply": func(w *world.World) error {
			lines, err := w.Apply(context.Background(), parsed(t, twoHosts))
			if err == nil && !strings.Contains(strings.Join(lines, "\n"), "+ interface RED eth0") {
				err = fmt.Errorf("told %q", lines)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			host := &worldtest.Host{}
			w, r := up(t, twoHosts, host)
			route := host.Device("RED eth0").Gateway()
			host.Device("RED eth0").Vanish()
			eventually(t, "the loss is told", func() bool { return strings.Contains(r.String(), "RED: unplugged") })
			if err := again(w); err != nil {
				t.Fatal(err)
			}
			if _, in := w.Network("br0").Switch.Port("RED"); !in {
				t.Error("RED is not plugged in")
			}
			if got := host.Device("RED eth0").Gateway(); got != route || got == (netip.Addr{}) {
				t.Errorf("the default route is %v, want %v", got, route)
			}
			if err := w.Set(world.Change{Kind: "port", Name: "RED", Values: map[string]string{"up": "off"}}); err == nil || !strings.Contains(err.Error(), "want on") {
				t.Errorf("up=off: %v", err)
			}
			if err := w.Set(world.Change{Kind: "port", Name: "RED", Values: map[string]string{"up": "on", "flood": "off"}}); err != nil {
				t.Errorf("what is plugged in: %v", err)
			}
		})
	}
}
