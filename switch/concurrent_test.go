package vswitch_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestAttachStorm is fault F63, for the race detector: 200 ports come and go while others send, look and change flags. In
// the end exactly the ports are there that were asked for, and no address of one that went.
func TestAttachStorm(t *testing.T) {
	l := newLab(t, vswitch.Config{Epoch: time.Now()}, "RED", "BLUE")
	ring := trace.NewRing(256, 1<<16, 0)
	l.tracer.Attach(ring)
	var sending, changing sync.WaitGroup
	var stop atomic.Bool
	for i, name := range l.names {
		l.set(name, func(k *vswitch.PortFlags) { k.StormLimit = 0 })
		p, link := l.ports[name], l.links[name]
		sending.Go(func() {
			for n := 0; !stop.Load(); n++ {
				for _, dst := range []frame.MAC{frame.Broadcast, host(n % 200), host(2 - i), gateway} {
					l.Input(p, frameOf(dst, host(1000+n%50), 60), time.Now())
				}
				link.take()
				l.gateway.take()
			}
		})
	}
	sending.Go(func() {
		for n := 0; !stop.Load(); n++ {
			l.Entries(time.Now())
			l.SetFlags(l.ports["RED"], vswitch.PortFlags{Learning: n%2 == 0, Flood: true, MulticastFlood: true, BroadcastFlood: true, Isolated: n%3 == 0})
			l.SetLocal(gateway, l.gateway)
			l.FDB().Flush(nil)
			l.tracer.Detach(ring)
			l.tracer.Attach(ring)
		}
	})
	for i := range 200 {
		changing.Go(func() {
			name := fmt.Sprintf("h%d", i)
			for range 3 {
				p, err := l.Attach(name, newLink(), vswitch.DefaultFlags())
				if err != nil {
					t.Error(err)
					return
				}
				ended := make(chan error)
				go func() { ended <- p.Run() }()
				p.Link().(*link).feed <- frameOf(frame.Broadcast, host(i+1), 60)
				if err := l.SetStatic(host(i+5000), p, false); err != nil {
					t.Error(err)
				}
				if err := l.Detach(p); err != nil {
					t.Error(err)
				}
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
			if i%2 == 0 {
				if _, err := l.Attach(name, newLink(), vswitch.DefaultFlags()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	changing.Wait()
	stop.Store(true)
	sending.Wait()
	if got := len(l.Ports()); got != 102 {
		t.Errorf("%d ports, want 102", got)
	}
	for i := range 200 {
		if _, ok := l.Port(fmt.Sprintf("h%d", i)); ok != (i%2 == 0) {
			t.Errorf("h%d is there: %v", i, ok)
		}
	}
	for _, e := range l.Entries(time.Now()) {
		if e.Port != "" && e.Port != "RED" && e.Port != "BLUE" {
			t.Errorf("entry %+v of a port that went", e)
		}
	}
}

// TestDetachedDuringFlood: the link of a port may detach any port, its own included, while a frame is on its way.
func TestDetachedDuringFlood(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	hook := &hooked{link: newLink()}
	p, err := l.Attach("HOOK", hook, vswitch.DefaultFlags())
	if err != nil {
		t.Fatal(err)
	}
	l.plug("GREEN", vswitch.DefaultFlags())
	hook.do = func() {
		for _, q := range []*vswitch.Port{p, l.ports["RED"]} {
			if err := l.Detach(q); err != nil {
				t.Error(err)
			}
		}
	}
	l.send("RED", frame.Broadcast, host(1))
	l.expect("BLUE GREEN gateway")
	if got := attached(l.Switch); got != "BLUE GREEN" {
		t.Errorf("ports %s", got)
	}
	if got := l.table(); got != "" {
		t.Errorf("table %q", got)
	}
}

type hooked struct {
	*link
	do func()
}

func (h *hooked) Write(frame.Frame) error { h.do(); return nil }
