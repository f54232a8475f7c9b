package vswitch_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// burstLink is a link that says of each frame whether Read had to wait for it.
type burstLink struct {
	*link
	waited bool
}

func (l *burstLink) Waited() bool { return l.waited }

// TestTimeOfABurst: frames that come one behind the other share a time, eight at the most, and none does once somebody
// listens or a frame had to be waited for.
func TestTimeOfABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, vswitch.Config{Epoch: time.Now()})
		var times []time.Time
		l.SetLocal(gateway, stationFunc(func(now time.Time) { times = append(times, now) }))
		in := &burstLink{link: newLink()}
		p, err := l.Attach("RED", in, vswitch.DefaultFlags())
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- p.Run() }()
		feed := func(n int) (different int) {
			times = nil
			for range n {
				time.Sleep(time.Microsecond)
				in.feed <- frameOf(gateway, host(1), 60)
				synctest.Wait()
			}
			for i, at := range times {
				if i == 0 || !at.Equal(times[i-1]) {
					different++
				}
			}
			return different
		}
		if got := feed(24); got != 3 {
			t.Errorf("24 frames in bursts have %d times, want 3", got)
		}
		in.waited = true
		if got := feed(24); got != 24 {
			t.Errorf("24 frames that were waited for have %d times", got)
		}
		in.waited = false
		l.tracer.Attach(trace.NewRing(10, 1<<12, 0))
		if got := feed(24); got != 24 {
			t.Errorf("24 frames that somebody looks at have %d times", got)
		}
		l.Detach(p)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// stationFunc is a gateway that only notes when it got a frame.
type stationFunc func(now time.Time)

func (f stationFunc) Input(_ frame.Frame, _ *trace.Journey, now time.Time) { f(now) }
func (stationFunc) Has(netip.Addr) bool                                    { return false }
