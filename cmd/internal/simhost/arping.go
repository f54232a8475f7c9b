package simhost

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"uswitch/sim"
	"uswitch/switch/frame"
)

// asking is an arping under way, on the hosts' goroutine.
type asking struct {
	card           *sim.Card
	to             netip.Addr
	count          int // 0: until it is stopped
	first          bool
	out            io.Writer
	done           func(int)
	sent, received int
	asked          time.Time
	space          *space
	timer          *sim.Timer
	over           bool
}

// arping begins to ask for an address and returns what stops it.
func (s *space) arping(to netip.Addr, name string, count int, first bool, out io.Writer, done func(int)) (stop func()) {
	a := &asking{space: s, to: to, count: count, first: first, out: out, done: done}
	for _, c := range s.machine.Cards() {
		if name == "" && c.Addr().IsValid() && c.Addr().Contains(to) || name == c.Name() {
			a.card = c
		}
	}
	if a.card == nil || !a.card.Addr().IsValid() {
		fmt.Fprintf(out, "arping: no card has an address on a network with %v; say which with -I\n", to)
		done(2)
		return func() {}
	}
	fmt.Fprintf(out, "ARPING %v from %v %s\n", to, a.card.Addr().Addr(), a.card.Name())
	a.ask()
	return a.end
}

func (a *asking) ask() {
	if a.count > 0 && a.sent == a.count {
		a.end()
		return
	}
	a.sent++
	a.asked = a.space.owner.loop.Now()
	a.card.Ask(a.to, a.heard)
	a.timer = a.space.owner.loop.After(time.Second, a.ask)
}

func (a *asking) heard(mac frame.MAC) {
	a.received++
	took := a.space.owner.loop.Now().Sub(a.asked)
	fmt.Fprintf(a.out, "Unicast reply from %v [%v]  %.3fms\n", a.to, mac, float64(took.Microseconds())/1e3)
	if a.first || a.count > 0 && a.sent == a.count {
		a.end()
	}
}

func (a *asking) end() {
	if a.over {
		return
	}
	a.over = true
	a.timer.Stop()
	a.card.Ask(a.to, nil)
	fmt.Fprintf(a.out, "Sent %d probes (%d broadcast(s))\nReceived %d response(s)\n", a.sent, a.sent, a.received)
	status := 0
	if a.received == 0 {
		status = 1
	}
	a.done(status)
}
