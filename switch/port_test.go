package vswitch_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// running is a lab whose ports Run, inside a synctest bubble, which fails the test if one of them never returns.
type running struct {
	*lab
	ended map[string]chan error
}

func run(t *testing.T, names ...string) *running {
	r := &running{lab: newLab(t, vswitch.Config{Epoch: time.Now()}, names...), ended: map[string]chan error{}}
	for _, name := range names {
		ended := make(chan error, 1)
		r.ended[name] = ended
		go func() { ended <- r.ports[name].Run() }()
	}
	t.Cleanup(func() { r.stop(t) })
	return r
}

// feed lets a frame arrive on a link, and waits until the switch is done with it.
func (r *running) feed(from string, dst, src frame.MAC) {
	r.links[from].feed <- frameOf(dst, src, 60)
	synctest.Wait()
}

// attached lists the ports that are plugged in.
func attached(s *vswitch.Switch) string {
	var names []string
	for _, p := range s.Ports() {
		names = append(names, p.Name())
	}
	return strings.Join(names, " ")
}

// stop detaches what is left; each Run must then return nil.
func (r *running) stop(t *testing.T) {
	for _, p := range r.Ports() {
		if err := r.Detach(p); err != nil {
			t.Errorf("detach %s: %v", p.Name(), err)
		}
		if err := <-r.ended[p.Name()]; err != nil {
			t.Errorf("%s ended with %v although it was detached", p.Name(), err)
		}
	}
}

// TestRun: frames that arrive on links go through, and a detached port's Run returns nil.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, "RED", "BLUE")
		r.feed("RED", frame.Broadcast, host(1))
		r.expect("BLUE gateway")
		r.feed("BLUE", host(1), host(2))
		r.expect("RED")
	})
}

// TestLinkEnds is fault F53: a link that ends takes its port and its addresses along, says why, and the others go on.
func TestLinkEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, "RED", "BLUE", "GREEN")
		r.feed("RED", nearest, host(1))
		r.links["RED"].reason = frame.ErrLinkGone
		r.links["RED"].end()
		if err := <-r.ended["RED"]; !errors.Is(err, frame.ErrLinkGone) {
			t.Errorf("RED ended with %v", err)
		}
		r.outcome()
		r.feed("BLUE", host(1), host(2))
		r.expect("GREEN")
	})
}

// TestPanic is fault F64: a panic is its port's own, whoever brought the frame.
func TestPanic(t *testing.T) {
	tests := []struct {
		name   string
		break_ func(*running)
		dst    frame.MAC
		gone   string // the port that must go
		left   string
		want   string // outcome of the frame from RED
	}{
		{"the gateway fails on a frame from RED", func(r *running) { r.gateway.fault = "boom" }, gateway, "RED", "BLUE GREEN", "!port-fault"},
		{"the gateway fails on a broadcast", func(r *running) { r.gateway.fault = "boom" }, frame.Broadcast, "RED", "BLUE GREEN", "BLUE GREEN !port-fault"},
		{"BLUE's link fails on a flood from RED", func(r *running) { r.links["BLUE"].fault = "boom" }, frame.Broadcast, "BLUE", "RED GREEN", "GREEN gateway !port-fault"},
		{"BLUE's link fails on a frame from RED", func(r *running) { r.links["BLUE"].fault = "boom" }, host(2), "BLUE", "RED GREEN", "!port-fault"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, "RED", "BLUE", "GREEN")
				r.feed("BLUE", nearest, host(2))
				r.outcome()
				test.break_(r)
				r.feed("RED", test.dst, host(1))
				r.expect(test.want)
				if got := attached(r.Switch); got != test.left {
					t.Errorf("%s are left, want %s", got, test.left)
				}
				select {
				case err := <-r.ended[test.gone]:
					if err == nil || !strings.Contains(err.Error(), "port "+test.gone) || !strings.Contains(err.Error(), "boom") || !strings.Contains(err.Error(), "goroutine") {
						t.Errorf("ended with %v, want the port, the fault and the stack", err)
					}
				default:
					t.Errorf("%s goes on", test.gone)
				}
				r.gateway.fault = ""
				r.feed("GREEN", frame.Broadcast, host(3))
				if got, want := r.outcome(), strings.Replace(test.left, " GREEN", " gateway", 1); got != want {
					t.Errorf("afterwards a broadcast from GREEN reaches %q, want %q", got, want)
				}
			})
		})
	}
}

// TestWriteErrors: a copy that a link does not take is that port's loss, counted there, with the reason that fits.
func TestWriteErrors(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{frame.ErrLinkDown, "GREEN gateway !port-down"},
		{frame.ErrLinkGone, "GREEN gateway !port-gone"},
		{frame.ErrLinkFull, "GREEN gateway !tx-error"},
		{errors.New("something else"), "GREEN gateway !tx-error"},
	} {
		l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
		l.links["BLUE"].err = test.err
		l.send("RED", frame.Broadcast, host(1))
		if got := l.outcome(); got != test.want {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
		if c := l.ports["BLUE"].Counters(); c.TxDropped != 1 || c.TxFrames != 0 {
			t.Errorf("%v: BLUE counts %+v", test.err, c)
		}
		if c := l.ports["RED"].Counters(); c.RxFrames != 1 || c.RxBytes != 60 || c.RxDropped != 0 {
			t.Errorf("%v: RED counts %+v", test.err, c)
		}
	}
}

// TestPortName: a port is found by its number as long as it is plugged in, whoever has gone before it or come after.
func TestPortName(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
	red, _ := l.Port("RED")
	blue, _ := l.Port("BLUE")
	green, _ := l.Port("GREEN")
	if err := l.Detach(blue); err != nil {
		t.Fatal(err)
	}
	l.SetFlags(green, vswitch.PortFlags{})
	for id, want := range map[uint32]string{0: "", red.ID(): "RED", blue.ID(): "", green.ID(): "GREEN", green.ID() + 1: ""} {
		if got := l.PortName(id); got != want {
			t.Errorf("port %d is %q, want %q", id, got, want)
		}
	}
}
