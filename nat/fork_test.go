package nat_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// nowhere takes whatever a fork sends.
type nowhere struct{}

func (nowhere) Output(frame.Frame, *trace.Journey, time.Time) {}

// out is nowhere for packets.
type out struct{}

func (out) Output(frame.Frame, time.Time) trace.Reason { return trace.NoReason }

// TestForkKeepsItsOwnAccount forks while a connection waits for its answer. The answer then comes to both, one after the
// other: whoever waits in the one is not taken off a list of the other's.
func TestForkKeepsItsOwnAccount(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(echo("11.11.11.2", "8.8.8.8", 7, "hello"))
	l.pink.send(echo("11.11.11.3", "8.8.8.8", 8, "hello"))
	f := l.Fork(nat.ForkConfig{Tracer: new(trace.Tracer), Now: l.now, Random: rand.New(rand.NewPCG(1, 2)),
		Segment: func(*nat.Interface) nat.Segment { return nowhere{} }, Uplink: func(*nat.Interface) nat.Uplink { return out{} }})
	up, _ := f.Interface("uplink")
	answer := func() frame.Frame {
		return frame.Frame{Data: append(make([]byte, frame.EthernetHeader), echoReply("8.8.8.8", "192.0.2.2", 7, "hello")...)}
	}
	f.InputUplink(up, answer(), l.now)
	for _, c := range f.Conns(l.now) {
		if want := c.Original.Src().String() == "11.11.11.2"; c.Replied != want {
			t.Errorf("in the fork, the connection of %v is answered: %v, want %v", c.Original.Src(), c.Replied, want)
		}
	}
	for _, c := range l.Conns(l.now) {
		if c.Replied {
			t.Errorf("the answer that came to the fork has reached the original: %+v", c)
		}
	}
	l.InputUplink(l.wan.leg, answer(), l.now)
	l.red.send(echo("11.11.11.2", "8.8.4.4", 9, "hello"))
	if got := len(l.Conns(l.now)); got != 3 {
		t.Errorf("%d connections, want 3", got)
	}
}
