package traceroute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"uswitch/cmd/internal/control/api"
)

// Socket is where probes leave and answers come in; an *api.Raw is one.
type Socket interface {
	Send(packet []byte) (time.Time, error)
	// Receive returns api.ErrTimeout if nothing comes in time.
	Receive(wait time.Duration) ([]byte, time.Time, error)
	// Now returns the time by which those of Send and Receive are to be compared.
	Now() time.Time
}

// Target is where the way leads.
type Target struct {
	Name   string // as it was given
	Addr   netip.Addr
	Source netip.Addr // of the probes
	Number uint16     // their echoes' identifier, or the port that they come from
}

// tracer is one traceroute.
type tracer struct {
	Options
	to, source netip.Addr
	number     uint16
	socket     Socket
	names      func(netip.Addr) string
	out        io.Writer
	probes     []probe
	end        int // hops that are to be shown: fewer once the target has answered
	shown      int
}

// Run follows the way to a target and prints it, hop by hop, as it becomes known. names tells the name of an address, or
// nothing. ctx ends it early.
func Run(ctx context.Context, o Options, to Target, s Socket, names func(netip.Addr) string, out io.Writer) error {
	t := &tracer{Options: o, to: to.Addr.WithZone(""), source: to.Source, number: to.Number, socket: s, names: names, out: out, end: o.Max - o.First + 1}
	fmt.Fprintf(out, "traceroute to %s (%v), %d hops max, %d byte packets\n", to.Name, to.Addr, o.Max, t.length())
	for ctx.Err() == nil && t.shown < t.end {
		if err := t.send(); err != nil {
			return err
		}
		if err := t.receive(); err != nil {
			return ignoringEnd(ctx, err)
		}
		t.show()
	}
	return nil
}

// ignoringEnd returns nil for an error that comes of the end of ctx.
func ignoringEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// send lets as many probes leave as may be on their way.
func (t *tracer) send() error {
	open := 0
	for _, p := range t.probes {
		if !t.settled(p) {
			open++
		}
	}
	for ; open < t.AtOnce && len(t.probes) < t.end*t.Probes; open++ {
		at, err := t.socket.Send(t.packet(len(t.probes)))
		if err != nil {
			return err
		}
		t.probes = append(t.probes, probe{sent: at})
	}
	return nil
}

// settled reports whether nothing more is to be expected of a probe.
func (t *tracer) settled(p probe) bool { return p.answered || t.socket.Now().Sub(p.sent) >= t.Wait }

// receive waits for an answer, or until the first open probe has been waited for.
func (t *tracer) receive() error {
	wait := t.Wait
	for _, p := range t.probes {
		if !t.settled(p) {
			wait = min(wait, p.sent.Add(t.Wait).Sub(t.socket.Now()))
		}
	}
	b, at, err := t.socket.Receive(max(wait, time.Millisecond))
	if errors.Is(err, api.ErrTimeout) {
		return nil
	}
	if err != nil {
		return err
	}
	n, answer, ok := t.read(b)
	if !ok || n < 0 || n >= len(t.probes) || t.probes[n].answered {
		return nil
	}
	answer.sent, answer.answered = t.probes[n].sent, true
	answer.took = at.Sub(answer.sent)
	t.probes[n] = answer
	if answer.last {
		t.end = min(t.end, n/t.Probes+1)
	}
	return nil
}

// show prints the hops that are settled, in their order.
func (t *tracer) show() {
	for ; t.shown < t.end; t.shown++ {
		first := t.shown * t.Probes
		if len(t.probes) < first+t.Probes {
			return
		}
		hop := t.probes[first : first+t.Probes]
		for _, p := range hop {
			if !t.settled(p) {
				return
			}
		}
		fmt.Fprintf(t.out, "%2d %s\n", t.First+t.shown, t.line(hop))
	}
}

// line is what a hop's line says: who has answered, if that is somebody else than before, and how soon.
func (t *tracer) line(hop []probe) string {
	var b strings.Builder
	var before netip.Addr
	for _, p := range hop {
		if !p.answered {
			b.WriteString(" *")
			continue
		}
		if p.from != before {
			b.WriteString(" " + t.whom(p.from))
			before = p.from
		}
		fmt.Fprintf(&b, "  %.3f ms%s", float64(p.took)/float64(time.Millisecond), p.mark)
	}
	return b.String()
}

// whom names who has answered.
func (t *tracer) whom(a netip.Addr) string {
	if t.Numeric {
		return a.String()
	}
	name := t.names(a)
	if name == "" {
		name = a.String()
	}
	return fmt.Sprintf("%s (%v)", name, a)
}

// Options are what a person can say, with traceroute's defaults.
type Options struct {
	ICMP    bool          // echoes rather than datagrams
	Numeric bool          // no names
	First   int           // time to live of the first probes
	Max     int           // and of the last
	Probes  int           // for each hop
	AtOnce  int           // probes that are on their way together
	Wait    time.Duration // for an answer
	Port    int           // of the first datagram's destination
}

// Flags are the options as traceroute names them.
func Flags(set *pflag.FlagSet) func() (Options, error) {
	o := Options{}
	set.BoolVarP(&o.ICMP, "icmp", "I", false, "send ICMP echoes, not UDP datagrams")
	set.BoolVarP(&o.Numeric, "numeric", "n", false, "print addresses, no names")
	set.IntVarP(&o.First, "first", "f", 1, "begin at `HOP`")
	set.IntVarP(&o.Max, "max-hops", "m", 30, "go no further than `HOP`")
	set.IntVarP(&o.Probes, "queries", "q", 3, "`NUMBER` of probes for each hop")
	set.IntVarP(&o.AtOnce, "sim-queries", "N", 16, "`NUMBER` of probes that are on their way together")
	set.IntVarP(&o.Port, "port", "p", 33434, "destination `PORT` of the first datagram; each further one has the next")
	wait := set.Float64P("wait", "w", 5, "`SECONDS` to wait for an answer")
	return func() (Options, error) {
		o.Wait = time.Duration(*wait * float64(time.Second))
		return o, o.check()
	}
}

func (o *Options) check() error {
	switch {
	case o.Max < 1 || o.Max > 255:
		return fmt.Errorf("max-hops %d: want 1 to 255", o.Max)
	case o.First < 1 || o.First > o.Max:
		return fmt.Errorf("first %d: want 1 to %d", o.First, o.Max)
	case o.Probes < 1 || o.Probes > 10:
		return fmt.Errorf("queries %d: want 1 to 10", o.Probes)
	case o.AtOnce < 1 || o.AtOnce > 255:
		return fmt.Errorf("sim-queries %d: want 1 to 255", o.AtOnce)
	case o.Wait < 10*time.Millisecond || o.Wait > time.Hour:
		return fmt.Errorf("wait %v: want 0.01 to 3600 seconds", o.Wait)
	case o.Port < 1 || o.Port > 65535-255*10:
		return fmt.Errorf("port %d: want 1 to %d", o.Port, 65535-255*10)
	}
	return nil
}
