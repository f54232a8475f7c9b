package world

import (
	"context"
	"math/rand/v2"
	"reflect"
	"time"

	"uswitch/sim"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// Clock is a lab's time, and what runs in it beside the packets: what the lab itself has to wait for. Where hosts are simulated it
// is a sim.Loop, on which one thing happens at a time, and elsewhere this machine's, on which all happens at once.
type Clock interface {
	Now() time.Time
	// Go runs f beside all else.
	Go(f func())
	// Await waits until one of the channels is closed. Only what Go runs may call it.
	Await(channels ...<-chan struct{})
	// Hold keeps what is simulated from running until release is called.
	Hold() (release func())
	// Attend says that somebody waits for the lab until leave is called, and whether that is a person: virtual time passes.
	Attend(person bool) (leave func())
}

// Wall is this machine's clock.
type Wall struct{}

// Now implements Clock.
func (Wall) Now() time.Time { return time.Now() }

// Go implements Clock.
func (Wall) Go(f func()) { go f() }

// Await implements Clock.
func (Wall) Await(channels ...<-chan struct{}) {
	var cases []reflect.SelectCase
	for _, c := range channels {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)})
	}
	reflect.Select(cases)
}

// Hold implements Clock.
func (Wall) Hold() (release func()) { return func() {} }

// Attend implements Clock.
func (Wall) Attend(bool) (leave func()) { return func() {} }

// looped is a tap.Host whose namespaces are simulated, on a Loop; all chance in them comes of one seed.
type looped interface {
	Loop() *sim.Loop
	Random() *rand.Rand
}

// timeOf returns the clock of a host's namespaces, the Loop on which they are if they are simulated, and streams of random numbers.
func timeOf(host tap.Host) (Clock, *sim.Loop, func() *rand.Rand) {
	if h, ok := host.(looped); ok {
		return h.Loop(), h.Loop(), h.Random
	}
	return Wall{}, nil, func() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }
}

// Now returns the lab's time.
func (w *World) Now() time.Time { return w.clock.Now() }

// Clock returns the lab's clock.
func (w *World) Clock() Clock { return w.clock }

// Loop returns what a simulated lab runs on; nil for any other.
func (w *World) Loop() *sim.Loop { return w.loop }

// Random returns a new stream of random numbers. In virtual time it is the same in every run.
func (w *World) Random() *rand.Rand { return w.random() }

// virtual reports whether the lab's time is virtual.
func (w *World) virtual() bool { return w.loop != nil && w.loop.Virtual() }

// released lets what is simulated run while f waits for some of it. It needs a change that has begun.
func (w *World) released(f func()) {
	w.release()
	f()
	w.release = w.clock.Hold()
}

// stop ends a host's command. It needs a change that has begun.
func (w *World) stop(h *Host, patience time.Duration) {
	w.released(func() { h.service.stop(patience) })
}

// settle is how long a lab of virtual time goes on after what somebody has waited for: what is under way arrives.
const commit = time.Second

// Settle lets what is under way arrive, on the Loop of a lab of virtual time. Only what the clock's Go runs may call it.
func (w *World) Settle(ctx context.Context) {
	if w.virtual() {
		_ = w.loop.Sleep(ctx, commit)
	}
}

// startGateway begins the gateway's work that time makes due.
func (w *World) startGateway(context.Context) error {
	if w.virtual() {
		w.cleanup.add(w.nothing(w.loop.Due(w.gateway.Deadline, w.tick)))
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.gateway.Run(ctx)
	}()
	w.cleanup.add(func() error {
		stop()
		<-ended
		return nil
	})
	return nil
}

// nothing is a step of a cleanup stack that cannot fail.
func (*World) nothing(end func()) func() error { return func() error { end(); return nil } }

// tick does what is due at the gateway of a lab of virtual time. A panic costs what was to be done after it, until the next time.
func (w *World) tick(now time.Time) {
	due := now.Add(faultPause)
	defer func() {
		if due.After(now) {
			w.loop.After(faultPause, func() { w.tick(w.loop.Now()) })
		}
	}()
	defer w.tracer.Contain(trace.GatewayFault, "the gateway's timer")
	w.gateway.Tick(now)
	due = now
}

// uplinkClock is the Scheduler of an uplink in memory: the fault of one of its events is the uplink's.
type uplinkClock struct {
	*sim.Loop
	tracer *trace.Tracer
}

// After implements sim.Scheduler.
func (c uplinkClock) After(d time.Duration, f func()) *sim.Timer {
	return c.Loop.After(d, func() {
		defer c.tracer.Contain(trace.UplinkFault, "uplink sim")
		f()
	})
}

// inMemory is a tap.Host whose namespaces are simulated. What is in them it says itself, where a kernel would be looked into.
type inMemory interface {
	State(tap.Namespace) (sim.HostState, error)
	Ask(context.Context, tap.Namespace, sim.Question, time.Duration) error
}

// Simulated reports whether the world's hosts are simulated: no process of this machine can get into them.
func (w *World) Simulated() bool {
	_, ok := w.host.(inMemory)
	return ok
}

// SimulatedState describes a host of a simulated world: its interfaces, without the cables, its routes, and who listens.
func (w *World) SimulatedState(h *Host) (sim.HostState, error) {
	return w.host.(inMemory).State(h.Namespace)
}

// GatewayAsk has a program on the gateway put a question, and returns what came of it; nil is an answer.
func (w *World) GatewayAsk(ctx context.Context, q sim.Question, wait time.Duration) error {
	loop := w.loop
	if loop == nil {
		loop = sim.NewWallLoop()
		defer loop.Close()
	}
	asker := sim.NewProgram(loop, w.Random(), w.gateway)
	defer func() { _ = loop.Do(asker.Leave) }()
	return loop.Ask(ctx, asker, q, wait)
}

// SimulatedAsk has a host of a simulated world put a question by its own stack, and returns what came of it; nil is an answer.
func (w *World) SimulatedAsk(ctx context.Context, h *Host, q sim.Question, wait time.Duration) error {
	return w.host.(inMemory).Ask(ctx, h.Namespace, q, wait)
}
