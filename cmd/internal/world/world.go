package world

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/cmd/internal/world/names"
	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/sim"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// Options are what a world needs besides its plan.
type Options struct {
	Host tap.Host // required: makes namespaces and interfaces
	// Report takes a line for the person who runs the lab: what changed without having been asked for. It is called from
	// any goroutine. Nil keeps the lines to itself.
	Report func(line string)
	// Output returns where the output of a host's command goes besides the log (see Log); it is closed when the command has
	// ended. Nil: nowhere.
	Output func(host string) io.WriteCloser
	// Taken returns the networks of this machine, among which no subnet is chosen for a network that comes later. Nil:
	// there are none.
	Taken func() []netip.Prefix
	// Plain makes every frame as it would be on a wire: no interface leaves checksums and the cutting of its stream to others.
	Plain bool
	// Adopt has a host use a namespace of its name that is there already and is no lab's; it is left behind at the end. Without
	// it, the host is refused: somebody else may have processes and interfaces there.
	Adopt bool
	// Streams counts the streams that come in through this machine's sockets. Nil: nobody wants to know.
	Streams *uplink.Streams
	// Stays has the lab stay up when its commands have ended, whatever its plan says, now and after each change.
	Stays bool
	// Files is how many file descriptors there are for interfaces, published ports and flows; 0: as many as the process's limit
	// leaves (uplink.FreeFiles).
	Files int
	// Memory bounds every table. The zero value has them as large as they are anywhere.
	Memory Memory
}

// World is one lab, up or on its way there or back. See the package comment for its rules of concurrency.
type World struct {
	host    tap.Host
	report  func(string)
	output  func(host string) io.WriteCloser
	taken   func() []netip.Prefix
	plain   bool
	adopt   bool
	stays   bool
	memory  Memory
	streams *uplink.Streams
	clock   Clock
	loop    *sim.Loop         // on which simulated hosts are; nil: they are real
	random  func() *rand.Rand // a new stream of random numbers
	epoch   time.Time
	tracer  *trace.Tracer
	gateway *nat.Gateway
	cleanup cleanup    // how to unmake all that is there
	hosts   *cleanup   // in it: how to unmake the hosts
	leaving sync.Mutex // held while one of them takes back what the gateway has for it
	reaper  reaper
	ports   sync.WaitGroup // goroutines that run the uplink's port

	descriptors *descriptors

	now     atomic.Pointer[snapshot]
	log     logbook
	status  atomic.Int32 // the first that was not 0 of the commands that ended by themselves
	stirred *notifier    // notifies when something has changed that may be the end of the lab

	changing sync.Mutex                        // held during a change, from its first look to its last step; guards what follows
	up       bool                              // changes are possible
	release  func()                            // lets what is simulated run again
	way      *wayOut                           // nil: no way out
	names    *names.Server                     // nil before Up
	tunnels  tunnelEnds                        // where packets of tunnels arrive
	underlay *sim.Underlay                     // between the machines of a lab in memory; nil before the first tunnel
	docker   [len(families)]*firewall.Firewall // who knows Docker's rules of each family; nil: they are not Docker's
}

// What is remembered of journeys that somebody has listened to: some hundreds of them, with the beginnings of their frames.
const (
	historyEvents = 8192
	historyBytes  = 1 << 20
	historySnap   = 256
)

// New makes the part of a world that needs nothing from the machine: switches, the gateway on each, the rules. The plan
// must be one that package plan has made.
func New(p *plan.Plan, o Options) (*World, error) {
	w := &World{host: o.Host, report: o.Report, output: o.Output, taken: o.Taken, plain: o.Plain, adopt: o.Adopt, stays: o.Stays, memory: o.Memory,
		streams: o.Streams, tracer: new(trace.Tracer)}
	w.clock, w.loop, w.random = timeOf(o.Host)
	w.epoch, w.log.now, w.stirred = w.Now(), w.Now, newNotifier()
	w.descriptors = w.newDescriptors(o.Files)
	if w.report == nil {
		w.report = func(string) {}
	}
	if w.output == nil {
		w.output = func(string) io.WriteCloser { return nowhere{io.Discard} }
	}
	if w.taken == nil {
		w.taken = func() []netip.Prefix { return nil }
	}
	w.tracer.KeepExamples(w.Now)
	contained := &faults{say: w.report, now: w.Now}
	w.tracer.OnFault(contained.tell)
	if w.loop != nil {
		w.loop.OnFault(func(err error) { contained.tell(fmt.Errorf("a simulated host failed: %w", err)) })
	}
	w.tracer.Remember(trace.NewRing(historyEvents, historyBytes, historySnap))
	begin, err := tablesOf(p)
	if err != nil {
		return nil, err
	}
	w.docker = begin.docker
	w.hosts = w.cleanup.openParallel(parallelism(o.Host))
	w.gateway = nat.New(nat.Config{
		Tracer: w.tracer, Epoch: w.epoch, Rules: begin.tables[0], Rules6: begin.tables[1], NoForwarding: !p.IPForward, NoForwarding6: !p.IPForward,
		MaxConns: o.Memory.Conns, FragmentMemory: o.Memory.Fragments,
		Random: w.random(),
	})
	first := &snapshot{plan: p, filed: p, timeouts: nat.DefaultTimeouts()}
	for i := range p.Networks {
		first.networks = append(first.networks, w.newNetwork(&p.Networks[i]))
	}
	w.now.Store(first)
	return w, nil
}

// nowhere takes output that nobody wants.
type nowhere struct{ io.Writer }

// Close implements io.Closer.
func (nowhere) Close() error { return nil }

// Up brings the world up. When it fails, or when ctx ends before it is done, it has unmade what it had made. Down ends
// what Up began.
func (w *World) Up(ctx context.Context) error {
	w.changing.Lock()
	defer w.changing.Unlock()
	defer w.clock.Hold()()
	if err := w.descriptors.check(w.Plan()); err != nil {
		return err
	}
	steps := []func(context.Context) error{w.addHosts(w.Plan()), w.startGateway, w.connectGateways, w.openWayOut, w.startNames, w.addStatic, w.publishAll}
	for _, step := range steps {
		err := step(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			if undone := w.unmake(); undone != nil {
				return fmt.Errorf("%w; and then: %w", err, undone)
			}
			return err
		}
	}
	w.up = true
	return nil
}

// Down ends every command and unmakes everything that was made, the last thing first, and goes on where a step fails; the
// error joins what failed. It waits for a change that is under way; from then on there are no more. A second Down does
// nothing.
func (w *World) Down() error {
	w.changing.Lock()
	defer w.changing.Unlock()
	w.up = false
	w.stopAll()
	return w.unmake()
}

func (w *World) unmake() error {
	err := w.cleanup.unmake()
	w.ports.Wait()
	return err
}

// Tracer returns what every step of every packet is told to.
func (w *World) Tracer() *trace.Tracer { return w.tracer }

// Gateway returns the lab's gateway.
func (w *World) Gateway() *nat.Gateway { return w.gateway }

// Epoch returns when the world was made.
func (w *World) Epoch() time.Time { return w.epoch }
