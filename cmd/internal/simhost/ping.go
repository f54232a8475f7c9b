package simhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/ping"
	"uswitch/cmd/internal/tools/traceroute"
	"uswitch/sim"
	"uswitch/switch/frame"
)

// runPing is iputils' ping.
func runPing(c *call) int {
	set := pflag.NewFlagSet("ping", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	read := ping.Flags(set)
	deadline := set.Float64P("deadline", "w", 0, "")
	discover := set.StringP("pmtudisc", "M", "", "")
	quiet := set.BoolP("quiet", "q", false, "")
	v4, v6 := set.BoolP("ipv4", "4", false, ""), set.BoolP("ipv6", "6", false, "")
	err := set.Parse(c.Args)
	if err == nil && set.NArg() != 1 {
		err = errors.New("usage error: Destination address required")
	}
	c.choose(*v4, *v6)
	var o ping.Options
	if err == nil {
		o, err = read(set.Args(), c.find)
	}
	if err == nil && (*deadline < 0 || *deadline > 1e6) {
		err = errors.New("invalid argument: out of range")
	}
	if err != nil {
		return c.Fail(2, "%v", err)
	}
	if !set.Changed("timeout") {
		o.Wait = 0
	}
	o.Numeric, o.Quiet = true, *quiet
	defer c.deadline(*deadline)()
	return c.ping(o, o.Addresses[0], *discover == "do")
}

// find is the ping.LookUp of the host.
func (c *call) find(name string) (netip.Addr, error) {
	a, err := c.resolve(name)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return a, err
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
func (c *call) ping(o ping.Options, to netip.Addr, dontFragment bool) int {
	status := ping.One(c.Ctx, o, to, func(ctx context.Context, to netip.Addr, ttl int) (ping.Socket, error) {
		r, err := c.openRaw(ctx, frame.ProtoICMPOf(to), to)
		if err != nil {
			return nil, err
		}
		r.Whole = dontFragment
		return ping.OverRaw(r, r.Source(), to, r.Number(), uint8(ttl), dontFragment), nil
	}, c.Stdout)
	switch {
	case c.Ctx.Err() == nil:
	case !c.Interrupted():
		return sim.StatusOf(c.Ctx)
	case status == ping.Answered:
		return sim.Finished
	}
	return status
}

// raw is a raw socket of the host, with the errors that tools know.
type raw struct{ *sim.Raw }

// Receive implements ping.Raw.
func (r raw) Receive(wait time.Duration) ([]byte, time.Time, error) {
	b, at, err := r.Raw.Receive(wait)
	switch {
	case errors.Is(err, sim.ErrTimeout):
		err = api.ErrTimeout
	case err != nil:
		err = context.Canceled
	}
	return b, at, err
}

// openRaw makes a raw socket; the error is in the words of programs that have none.
func (c *call) openRaw(ctx context.Context, proto uint8, to netip.Addr) (raw, error) {
	r, err := c.Sockets().Raw(ctx, proto, to)
	if err != nil {
		err = fmt.Errorf("connect: %s", why(err))
	}
	return raw{r}, err
}

// uswitchPing is `uswitch ping`: several addresses, one after the other.
func uswitchPing(c *call) int {
	o, err := ping.Parse(c.Args, c.find)
	if err != nil {
		return c.Fail(2, "%v", err)
	}
	worst := ping.Answered
	for i, to := range o.Addresses {
		if i > 0 {
			fmt.Fprintln(c.Stdout)
			c.sleep(ping.Pause)
		}
		status := c.ping(o, to, false)
		if c.Ctx.Err() != nil {
			return status
		}
		worst = max(worst, status)
	}
	return worst
}

// runTraceroute is traceroute, which names nobody.
func runTraceroute(c *call) int {
	set := pflag.NewFlagSet("traceroute", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	read := traceroute.Flags(set)
	v4, v6 := set.BoolP("ipv4", "4", false, ""), set.BoolP("ipv6", "6", false, "")
	if err := set.Parse(c.Args); err != nil || set.NArg() != 1 {
		return c.Fail(2, "usage: traceroute [-46In] [-f HOP] [-m HOP] [-N PROBES] [-p PORT] [-q PROBES] [-w SECONDS] HOST")
	}
	c.choose(*v4, *v6)
	o, err := read()
	target := traceroute.Target{Name: set.Arg(0)}
	if err == nil {
		target.Addr, err = c.find(target.Name)
	}
	if err != nil {
		return c.Fail(2, "%v", err)
	}
	proto := frame.ProtoUDP
	if o.Numeric = true; o.ICMP {
		proto = frame.ProtoICMPOf(target.Addr)
	}
	r, err := c.openRaw(c.Ctx, proto, target.Addr)
	if err != nil {
		return c.Fail(1, "%v", err)
	}
	defer r.Close()
	target.Source, target.Number = r.Source(), r.Number()
	if err := traceroute.Run(c.Ctx, o, target, r, nil, c.Stdout); err != nil {
		return c.Fail(1, "%v", err)
	}
	return 0
}

// runArping is Thomas Habets' and iputils' arping, as far as they agree.
func runArping(c *call) int {
	set := pflag.NewFlagSet("arping", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	count := set.IntP("count", "c", 0, "")
	nic := set.StringP("interface", "I", "", "")
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
		return c.arping(to, *nic, *count, *first, out, done)
	})
}

// asking is an arping under way, on the hosts' goroutine.
type asking struct {
	nic            *sim.NIC
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
	for _, nic := range c.Namespace.Host.NICs() {
		if name == "" && nic.Addr().IsValid() && nic.Addr().Contains(to) || name == nic.Name() {
			a.nic = nic
		}
	}
	if a.nic == nil || !a.nic.Addr().IsValid() {
		fmt.Fprintf(out, "arping: no interface has an address on a network with %v; say which with -I\n", to)
		done(2)
		return func() {}
	}
	fmt.Fprintf(out, "ARPING %v from %v %s\n", to, a.nic.Addr().Addr(), a.nic.Name())
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
	a.nic.Ask(a.to, a.heard)
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
	a.nic.Ask(a.to, nil)
	fmt.Fprintf(a.out, "Sent %d probes (%d broadcast(s))\nReceived %d response(s)\n", a.sent, a.sent, a.received)
	status := 0
	if a.received == 0 {
		status = 1
	}
	a.done(status)
}
