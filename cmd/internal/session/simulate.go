package session

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/tools/ping"
	"uswitch/cmd/internal/tools/view"
	"uswitch/sim"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// Simulate runs a lab in memory, without privileges and without network cards. A lab that pings and ends has no need of
// clocks: it takes no time, and its output is the same every time. Any other one - it stays up, or runs other programs, or
// is there for a command - lives in real time, and can be talked to. The status is that of Run.
func Simulate(o Options) (status int, err error) {
	pings, timeless := simulatedPings(o.Plan)
	if !timeless || o.Live || o.Plan.KeepUp || len(o.Command) > 0 || o.Beside != nil {
		o.Simulated = true
		return Run(o)
	}
	w, err := InMemory(o.Plan)
	if err != nil {
		return 1, err
	}
	s := &simulation{world: w, screen: newScreen(o), plan: o.Plan, pings: pings, status: map[string]int{}}
	for _, line := range differences(o.Plan) {
		s.screen.report(line)
	}
	stop, err := s.watch(o)
	if err != nil {
		return 1, err
	}
	s.run()
	return s.first, stop()
}

// InMemory builds a lab in memory, without its commands.
func InMemory(p *plan.Plan) (*sim.World, error) {
	t, err := topology(p)
	if err != nil {
		return nil, err
	}
	w, err := sim.New(t)
	if err != nil {
		return nil, err
	}
	return w, addStatic(w, p)
}

// Simulable reports whether Simulate would take the lab: whether it keeps to itself, and needs no namespace of this
// machine's.
func Simulable(p *plan.Plan) bool {
	return p.Uplink.Kind != plan.UplinkNetns && !slices.ContainsFunc(p.Hosts, func(h plan.Host) bool { return h.Netns != "" || h.Mode == plan.ModeHost })
}

// simulatedPings reads the commands of the hosts; ok says whether each is uswitch's own ping, and ends by itself.
func simulatedPings(p *plan.Plan) (pings map[string]ping.Options, ok bool) {
	pings = map[string]ping.Options{}
	for _, h := range p.Hosts {
		if len(h.Command) == 0 {
			continue
		}
		if len(h.Command) < 2 || h.Command[0] != "uswitch" || h.Command[1] != "ping" {
			return nil, false
		}
		o, err := ping.Parse(h.Command[2:], nil) // names need a name server, and that takes time
		if err != nil || o.Count == 0 {
			return nil, false
		}
		pings[h.Name] = o
	}
	return pings, true
}

// simulation is one Simulate.
type simulation struct {
	world  *sim.World
	screen *screen
	plan   *plan.Plan
	pings  map[string]ping.Options
	status map[string]int // of the hosts whose command has ended
	first  int            // status that was not 0
}

// run starts every command when what it depends on has ended, and lets time pass until all have.
func (s *simulation) run() {
	s.tick()
	begun := map[string]bool{}
	for len(s.status) < len(s.pings) {
		for _, h := range s.plan.Hosts {
			if _, has := s.pings[h.Name]; has && !begun[h.Name] && s.ready(&h) {
				begun[h.Name] = true
				s.start(h.Name)
			}
		}
		before := len(s.status)
		s.world.RunUntil(func() bool { return len(s.status) > before || len(s.status) == len(s.pings) })
	}
	s.world.RunFor(time.Second) // what is still on its way
}

// tick lets time pass in small steps, so that a printer, which waits for a journey to come to rest, writes it before the
// next thing happens and not when time has jumped there.
func (s *simulation) tick() {
	if len(s.status) < len(s.pings) {
		s.world.Clock().After(10*time.Millisecond, s.tick)
	}
}

// ready reports whether a host's command may start; what waits for one that failed ends as if it had failed too.
func (s *simulation) ready(h *plan.Host) bool {
	for _, d := range h.DependsOn {
		if _, has := s.pings[d.Host]; !d.Completed || !has {
			continue
		}
		status, ended := s.status[d.Host]
		if !ended {
			return false
		}
		if status != 0 {
			s.screen.report(fmt.Sprintf("%s: not started: %s, which it waits for, ended with status %d", h.Name, d.Host, status))
			s.end(h.Name, 1)
			return false
		}
	}
	return true
}

func (s *simulation) start(name string) {
	out := s.screen.host(name)
	o := s.pings[name]
	s.next(name, o, o.Addresses, ping.Answered, out)
}

// next pings the first of the addresses, and then the others, as ping.Run does.
func (s *simulation) next(name string, o ping.Options, rest []netip.Addr, worst int, out io.WriteCloser) {
	host, _ := s.world.Host(s.plan.Home(s.plan.Host(name)).Name)
	host.Ping(rest[0], sim.PingOptions{Count: o.Count, Interval: o.Interval, Size: o.Size, TTL: uint8(o.TTL), Wait: o.Wait}, out,
		func(result sim.PingResult) {
			worst = max(worst, result.Status)
			if rest = rest[1:]; len(rest) == 0 {
				out.Close()
				s.screen.report(fmt.Sprintf("%s: ended with status %d", name, worst))
				s.end(name, worst)
				return
			}
			fmt.Fprintln(out)
			s.world.Clock().After(ping.Pause, func() { s.next(name, o, rest, worst, out) })
		})
}

func (s *simulation) end(name string, status int) {
	s.status[name] = status
	if s.first == 0 {
		s.first = status
	}
}

// watch writes the trace and the capture that were asked for; stop completes them.
func (s *simulation) watch(o Options) (stop func() error, err error) {
	var sinks []trace.Sink
	width, colour := view.Terminal(o.Stdout)
	switch o.Trace {
	case "text":
		sinks = append(sinks, trace.NewPrinter(s.screen, trace.TextOptions{Width: width, Colour: colour, Names: s.world.Names()}))
	case "json":
		sinks = append(sinks, trace.NewJSON(s.screen))
	}
	var file *pcap.File
	if o.Pcap != "" {
		if file, err = pcap.Create(o.Pcap, o.Force); err != nil {
			return nil, err
		}
		sink, err := pcap.New(file, pcap.Options{Comment: "lab " + s.plan.Name + ", simulated"})
		if err != nil {
			file.Close()
			return nil, err
		}
		sinks = append(sinks, sink)
	}
	var stops []func() error
	for _, sink := range sinks {
		stops = append(stops, s.world.Watch(nil, sink))
	}
	return func() error {
		var failed []error
		for _, stop := range stops {
			failed = append(failed, stop())
		}
		if file != nil {
			failed = append(failed, file.Close())
		}
		return errors.Join(failed...)
	}, nil
}
