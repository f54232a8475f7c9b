package vswitch_test

import (
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// closed is a filter that lets nothing on, and counts what it was asked about.
type closed struct{ asked int }

func (c *closed) Bridged(frame.Frame, *trace.Journey, time.Time) bool {
	c.asked++
	return false
}

// TestFilter: a filter decides what goes from port to port, and nothing else.
func TestFilter(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
	red, blue := host(1), host(2)
	l.send("BLUE", frame.Broadcast, blue)
	l.expect("RED GREEN gateway")
	filter := new(closed)
	l.SetFilter(filter)
	for _, step := range []struct {
		name, from string
		dst, src   frame.MAC
		want       string
		asked      int
	}{
		{"to one port", "RED", blue, red, "", 1},
		{"to all, of whom the gateway is none of the filter's business", "RED", frame.Broadcast, red, "gateway", 1},
		{"to nobody that is known", "RED", host(9), red, "", 1},
		{"to the gateway", "RED", gateway, red, "gateway", 0},
		{"from the gateway", "gateway", red, gateway, "RED", 0},
		{"from the gateway to all", "gateway", frame.Broadcast, gateway, "RED BLUE GREEN", 0},
	} {
		filter.asked = 0
		l.send(step.from, step.dst, step.src)
		if got := l.outcome(); got != step.want || filter.asked != step.asked {
			t.Errorf("%s: %q, want %q; the filter was asked %d times, want %d", step.name, got, step.want, filter.asked, step.asked)
		}
	}
	if drops := l.ports["RED"].Counters().RxDropped; drops != 3 {
		t.Errorf("%d drops are counted, want 3", drops)
	}
	l.SetFilter(nil)
	l.send("RED", blue, red)
	l.expect("BLUE")
	if l.Filtered() {
		t.Error("the filter is still there")
	}
}
