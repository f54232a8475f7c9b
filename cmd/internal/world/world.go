package world

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"uswitch/cmd/internal/docker/rules"
	"uswitch/cmd/internal/lab"
	"uswitch/cmd/internal/names"
	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// Options are what a world needs besides its plan.
type Options struct {
	Host tap.Host // required: makes namespaces and cards
	// Report takes a line for the person who runs the lab: what changed without having been asked for. It is called from
	// any goroutine. Nil keeps the lines to itself.
	Report func(line string)
	// Plain makes every frame as it would be on a wire: no card leaves checksums and the cutting of its stream to others.
	Plain bool
}

// World is one lab, up or on its way there or back.
type World struct {
	plan    *lab.Plan
	host    tap.Host
	report  func(string)
	plain   bool
	epoch   time.Time
	tracer  *trace.Tracer
	gateway *nat.Gateway

	networks []*Network
	hosts    []*Host
	way      *wayOut       // nil: no way out
	names    *names.Server // nil before Up
	undo     undo
	ports    sync.WaitGroup // goroutines that run ports

	mu        sync.Mutex // guards what follows
	timeouts  nat.Timeouts
	published []*Published
	docker    *rules.Firewall // who knows Docker's rules; nil: they are not Docker's
}

// New makes the part of a world that needs nothing from the machine: switches, the gateway on each, the rules. The plan
// must be one that package lab has made.
func New(plan *lab.Plan, o Options) (*World, error) {
	if o.Report == nil {
		o.Report = func(string) {}
	}
	w := &World{plan: plan, host: o.Host, report: o.Report, plain: o.Plain, epoch: time.Now(), tracer: new(trace.Tracer),
		timeouts: nat.DefaultTimeouts()}
	docker, lines, err := firstRules(plan)
	tables := rule.NewTables(rule.IPv4)
	if err == nil {
		err = tables.Apply(lines)
	}
	if err != nil {
		return nil, rulesError(plan, err)
	}
	w.docker = docker
	w.gateway = nat.New(nat.Config{
		Tracer: w.tracer, Epoch: w.epoch, Rules: tables, NoForwarding: !plan.IPForward,
		Random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	for i := range plan.Networks {
		w.networks = append(w.networks, newNetwork(&plan.Networks[i], w.tracer, w.epoch))
	}
	return w, nil
}

// Up brings the world up. When it fails, or when ctx ends before it is done, it has unmade what it had made. Down ends
// what Up began.
func (w *World) Up(ctx context.Context) error {
	steps := []func(context.Context) error{w.addHosts, w.startGateway, w.addLegs, w.openWayOut, w.startNames, w.addStatic, w.publishAll}
	for _, step := range steps {
		err := step(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			if undone := w.Down(); undone != nil {
				return fmt.Errorf("%w; and then: %w", err, undone)
			}
			return err
		}
	}
	return nil
}

// Down unmakes everything that Up has made, the last thing first, and goes on where a step fails; the error joins what
// failed. A second Down does nothing.
func (w *World) Down() error {
	err := w.undo.run()
	w.ports.Wait()
	return err
}

// Plan returns what the world was made from. It is not to be changed.
func (w *World) Plan() *lab.Plan { return w.plan }

// Tracer returns what every step of every packet is told to.
func (w *World) Tracer() *trace.Tracer { return w.tracer }

// Gateway returns the lab's gateway.
func (w *World) Gateway() *nat.Gateway { return w.gateway }

// Epoch returns when the world was made.
func (w *World) Epoch() time.Time { return w.epoch }

// startGateway begins the gateway's work that time makes due.
func (w *World) startGateway(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.gateway.Run(ctx)
	}()
	w.undo.add(func() error {
		stop()
		<-ended
		return nil
	})
	return nil
}
