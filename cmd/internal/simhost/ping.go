package simhost

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"uswitch/cmd/internal/tools/ping"
	"uswitch/sim"
	"uswitch/switch/frame"
)

// runPing is iputils' ping.
func runPing(c *call) int {
	set := pflag.NewFlagSet("ping", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	count := set.IntP("count", "c", 0, "")
	interval := set.Float64P("interval", "i", 1, "")
	size := set.IntP("size", "s", 56, "")
	ttl := set.IntP("ttl", "t", 64, "")
	wait := set.Float64P("timeout", "W", 10, "")
	deadline := set.Float64P("deadline", "w", 0, "")
	discover := set.StringP("pmtudisc", "M", "", "")
	quiet := set.BoolP("quiet", "q", false, "")
	set.BoolP("numeric", "n", false, "")
	set.BoolP("ipv4", "4", false, "")
	err := set.Parse(c.Args)
	switch {
	case err != nil:
	case set.NArg() != 1:
		err = errors.New("usage error: Destination address required")
	case *count < 0 || *interval < 0.002 || *interval > 3600 || *wait <= 0 || *wait > 3600 || *deadline < 0 || *deadline > 1e6:
		err = errors.New("invalid argument: out of range")
	case *size < 1 || *size > 65507 || *ttl < 1 || *ttl > 255:
		err = errors.New("invalid argument: out of range")
	}
	if err != nil {
		return c.Fail(2, "%v", err)
	}
	to, err := c.resolve(set.Arg(0))
	if err != nil {
		return c.Fail(2, "%s: %v", set.Arg(0), err)
	}
	o := sim.PingOptions{Count: *count, Interval: seconds(*interval), Size: *size, TTL: uint8(*ttl), DontFragment: *discover == "do", Name: set.Arg(0)}
	if set.Changed("timeout") {
		o.Wait = seconds(*wait)
	}
	if *quiet {
		c.Stdout = &calm{c.Stdout}
	}
	defer c.deadline(*deadline)()
	return c.ping(to, o)
}

// deadline ends the program as a Ctrl-C would, so many seconds from now; 0: never. What it returns is to be called in the
// end.
func (c *call) deadline(after float64) (release func()) {
	if after <= 0 {
		return func() {}
	}
	ctx, cancel := c.Loop().WithTimeout(c.Ctx, seconds(after), sim.Ended{By: syscall.SIGINT})
	c.Ctx = ctx
	return cancel
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// ping pings one address. A Ctrl-C ends it with its statistics and, if somebody has answered, with success.
func (c *call) ping(to netip.Addr, o sim.PingOptions) int {
	status := c.There(func(out io.Writer, done func(int)) func() {
		return c.Namespace.Host.Ping(to, o, out, func(r sim.PingResult) { done(r.Status) })
	})
	if status == ping.Answered && c.Interrupted() {
		return sim.Finished
	}
	return status
}

// uswitchPing is `uswitch ping`: several addresses, one after the other.
func uswitchPing(c *call) int {
	o, err := ping.Parse(c.Args, func(name string) (netip.Addr, error) {
		a, err := c.resolve(name)
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return a, err
	})
	if err != nil {
		return c.Fail(2, "%v", err)
	}
	worst := ping.Answered
	for i, to := range o.Addresses {
		if i > 0 {
			fmt.Fprintln(c.Stdout)
			c.sleep(ping.Pause)
		}
		status := c.ping(to, sim.PingOptions{Count: o.Count, Interval: o.Interval, Size: o.Size, TTL: uint8(o.TTL), Wait: o.Wait, Name: o.Names[to]})
		if c.Ctx.Err() != nil {
			return status
		}
		worst = max(worst, status)
	}
	return worst
}

// calm leaves the lines about single answers out (-q).
type calm struct{ out io.Writer }

func (q *calm) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, " bytes from ") {
			continue
		}
		if _, err := io.WriteString(q.out, line); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// runArping is Thomas Habets' and iputils' arping, as far as they agree.
func runArping(c *call) int {
	set := pflag.NewFlagSet("arping", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	count := set.IntP("count", "c", 0, "")
	card := set.StringP("interface", "I", "", "")
	first := set.BoolP("first", "f", false, "")
	deadline := set.Float64P("deadline", "w", 0, "")
	if err := set.Parse(c.Args); err != nil || set.NArg() != 1 {
		return c.Fail(2, "usage: arping [-f] [-c COUNT] [-w SECONDS] [-I CARD] ADDRESS")
	}
	to, err := netip.ParseAddr(set.Arg(0))
	if err != nil || !to.Is4() {
		return c.Fail(2, "%s: want an IPv4 address", set.Arg(0))
	}
	defer c.deadline(*deadline)()
	return c.There(func(out io.Writer, done func(int)) func() {
		return c.arping(to, *card, *count, *first, out, done)
	})
}

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
	loop           *sim.Loop
	timer          *sim.Timer
	over           bool
}

// arping begins to ask for an address and returns what stops it.
func (c *call) arping(to netip.Addr, name string, count int, first bool, out io.Writer, done func(int)) (stop func()) {
	a := &asking{loop: c.Loop(), to: to, count: count, first: first, out: out, done: done}
	for _, card := range c.Namespace.Host.Cards() {
		if name == "" && card.Addr().IsValid() && card.Addr().Contains(to) || name == card.Name() {
			a.card = card
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
	a.asked = a.loop.Now()
	a.card.Ask(a.to, a.heard)
	a.timer = a.loop.After(time.Second, a.ask)
}

func (a *asking) heard(mac frame.MAC) {
	a.received++
	took := a.loop.Now().Sub(a.asked)
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
