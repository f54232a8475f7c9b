package explain

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
	"uswitch/switch/trace"
)

// trial is a lab and what is asked of it. What fork returns may be changed at will: nobody else knows it.
type trial struct {
	lab    Lab
	target target
	ring   *trace.Ring // empty between two runs
}

func (t *trial) in(key string, args ...any) string { return t.lab.in(key, args...) }

func newTrial(l *Lab, t target) *trial {
	return &trial{lab: *l, target: t, ring: trace.NewRing(maxSteps, maxSteps*stepSnap, stepSnap)}
}

// origin is where the world of a question begins.
func (l *Lab) origin() sim.Origin {
	return sim.Origin{Now: l.Now, Switches: l.Switches, Gateway: l.Gateway, Hosts: l.Hosts, Outside: l.outside}
}

// flow is what became of one question.
type flow struct {
	*trial
	world  *sim.World
	failed error // what the asker hears in place of an answer; nil: the answer
	silent bool  // nothing at all was heard, as long as anybody would wait
	raw    []any // sim.Step and trace.Event, in the order in which they happened
	steps  []step
	inner  []inner // what hosts did
	lost   uint64  // steps that there was no room for
}

// patience is how long the asker waits: longer than it takes to find out that a neighbour does not answer.
const patience = 6 * time.Second

// Room for the steps of one question. A flood to thousands of ports is the most that one packet can cause.
const (
	maxSteps = 1 << 12
	stepSnap = 160 // bytes of each packet: all headers, and those of the packet that an ICMP error quotes
)

// run puts the question in a fork of the lab, and lets time pass there until all is quiet.
func (t *trial) run() (*flow, error) {
	w, err := sim.Fork(t.lab.origin())
	if err != nil {
		return nil, err
	}
	f := &flow{trial: t, world: w, silent: true}
	w.Tracer().Attach(t.ring)
	w.Witness(func(s sim.Step) {
		f.drain()
		f.raw = append(f.raw, s)
	})
	end := t.lab.Now.Add(patience)
	f.put(func(err error) { f.failed, f.silent = err, false })
	for f.silent {
		if next, ok := w.Clock().Next(); !ok || next.After(end) {
			break
		}
		w.Step()
	}
	if errors.Is(f.failed, sim.ErrTimeout) {
		f.failed, f.silent = nil, true
	}
	f.collect()
	return f, nil
}

// put lets the asker ask. done is called when something is heard, or is not to be expected any more.
func (f *flow) put(done func(error)) {
	asker := f.world.Client()
	if h, ok := f.world.Host(f.target.From); ok {
		asker = h.Machine
	} else if f.target.From == api.Machine {
		asker = sim.NewProgram(f.world.Clock(), rand.New(rand.NewPCG(0, 0)), f.world.Gateway())
	}
	asker.Ask(f.target.packet(), patience, done)
}

// step is a step of the question, of its answer, or of the ARP that they need.
type step struct {
	trace.Event
	way api.Way
	arp netip.Addr // of ARP: whose MAC address is asked for; else invalid
}

// drain takes what the tracer has told so far.
func (f *flow) drain() {
	for {
		var e trace.Event
		lost, ok := f.ring.TryNext(&e)
		f.lost += lost
		if !ok {
			return
		}
		f.raw = append(f.raw, e)
	}
}

// collect takes the steps that have to do with the question.
func (f *flow) collect() {
	f.drain()
	s := sorter{question: f.target, journeys: map[uint64]*kind{}}
	for _, r := range f.raw {
		switch r := r.(type) {
		case trace.Event:
			if k := s.kindOf(&r); k != nil {
				f.steps = append(f.steps, step{r, k.way, k.arp})
			}
		case sim.Step:
			if w := s.wayOf(&r); w != "" {
				f.inner = append(f.inner, inner{r, w, len(f.steps)})
			}
		}
	}
	f.raw = nil
}

// ok reports whether the question was answered as it should be.
func (f *flow) ok() bool { return f.failed == nil && !f.silent }

// has reports whether any step is one of a way's packets.
func (f *flow) has(w api.Way) bool {
	return slices.ContainsFunc(f.steps, func(s step) bool { return s.way == w && !s.arp.IsValid() })
}
