package simhost

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"uswitch/sim"
	"uswitch/tap"
)

// Host makes namespaces in memory. It implements tap.Host.
type Host struct {
	loop *sim.Loop
	seed uint64

	mu      sync.Mutex // guards what follows
	spaces  map[string]*space
	made    uint64 // namespaces so far
	streams uint64 // of random numbers that were given out
}

// space is a namespace: a simulated host and what runs in it.
type space struct {
	tap.Namespace
	owner   *Host
	machine *sim.Host // belongs to the Loop

	mu        sync.Mutex        // guards what follows
	etc       map[string][]byte // see Files
	devices   []*Device
	processes []*process
	gone      bool
}

// New makes a machine without namespaces in this machine's time. It must be closed.
func New() *Host { return newHost(sim.NewWallLoop(), rand.Uint64()) }

// NewVirtual makes a machine without namespaces in virtual time, in which everything is the same in every run. It must be closed.
func NewVirtual() *Host { return newHost(sim.NewLoop(), 0) }

func newHost(loop *sim.Loop, seed uint64) *Host {
	return &Host{loop: loop, seed: seed, spaces: map[string]*space{}}
}

// Loop is what everything in the namespaces runs on.
func (h *Host) Loop() *sim.Loop { return h.loop }

// Random returns a new stream of random numbers. Everything that throws dice has its own, all of one seed.
func (h *Host) Random() *rand.Rand {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.randomLocked()
}

func (h *Host) randomLocked() *rand.Rand {
	h.streams++
	return rand.New(rand.NewPCG(h.seed, h.streams))
}

// Check implements tap.Host: nothing is needed.
func (*Host) Check() error { return nil }

// InTurn implements world.InTurn: namespaces have numbers, which are to be the same in every run.
func (*Host) InTurn() {}

// Create implements tap.Host. Names are this Host's own: two labs may have a RED each.
func (h *Host) Create(lab, name string) (tap.Namespace, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.spaces[name] != nil {
		return tap.Namespace{}, fmt.Errorf("simulated host %s: %w", name, fs.ErrExist)
	}
	h.made++
	s := &space{owner: h, Namespace: tap.Namespace{Name: name, Path: pathOf(name), Lab: lab, ID: tap.ID{Inode: h.made, Cookie: h.made}}}
	s.machine = sim.NewHost(h.loop, h.randomLocked(), name)
	h.spaces[name] = s
	return s.Namespace, nil
}

// pathOf returns where a namespace is said to be.
func pathOf(name string) string { return "memory:" + name }

// Adopt implements tap.Host. It finds simulated hosts only: what this machine has cannot be entered without privileges.
func (h *Host) Adopt(nameOrPath string) (tap.Namespace, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.spaces {
		if nameOrPath == s.Name || nameOrPath == s.Path {
			return s.Namespace, nil
		}
	}
	return tap.Namespace{}, elsewhereError(nameOrPath)
}

// elsewhereError is the name of a namespace that is not simulated. It is fs.ErrNotExist to errors.Is.
type elsewhereError string

func (e elsewhereError) Error() string {
	return fmt.Sprintf("namespace %s: a simulated lab has no way into the namespaces of this machine", string(e))
}
func (elsewhereError) Is(target error) bool { return target == fs.ErrNotExist }

// find returns the namespace that is meant, as long as it is there.
func (h *Host) find(ns tap.Namespace) (*space, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.spaces[ns.Name]; s != nil && s.ID == ns.ID {
		return s, nil
	}
	return nil, fmt.Errorf("simulated host %s: %w", ns.Name, tap.ErrReplaced)
}

// Release implements tap.Host. Programs that run inside are ended, and cards go.
func (h *Host) Release(ns tap.Namespace) error {
	s, err := h.find(ns)
	if err != nil {
		return nil
	}
	h.mu.Lock()
	delete(h.spaces, ns.Name)
	h.mu.Unlock()
	s.end()
	return nil
}

// end takes everything out of the namespace.
func (s *space) end() {
	s.mu.Lock()
	s.gone = true
	devices, processes := slices.Clone(s.devices), slices.Clone(s.processes)
	s.mu.Unlock()
	for _, p := range processes {
		p.kill()
	}
	for _, d := range devices {
		_ = d.Close()
	}
}

// Reclaim implements tap.Host: nothing in memory outlives its process.
func (*Host) Reclaim(...string) ([]tap.Reclaimed, error) { return nil, nil }

// Close implements tap.Host. Every namespace goes, and time stops.
func (h *Host) Close() error {
	h.mu.Lock()
	var all []*space
	for _, name := range slices.Sorted(maps.Keys(h.spaces)) {
		all = append(all, h.spaces[name])
	}
	clear(h.spaces)
	h.mu.Unlock()
	for _, s := range all {
		s.end()
	}
	h.loop.Close()
	return nil
}

// Files implements tap.Host. Everything that runs sees the new ones at once.
func (h *Host) Files(_ string, ns tap.Namespace, files map[string][]byte) error {
	s, err := h.find(ns)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.etc = maps.Clone(files)
	return nil
}

// State describes a namespace, for questions about the lab.
func (h *Host) State(ns tap.Namespace) (state sim.HostState, err error) {
	s, err := h.find(ns)
	if err == nil {
		err = h.loop.Do(func() { state = s.machine.State(h.loop.Now()) })
	}
	return state, err
}

// Ask has a namespace's own stack put a question, and returns what came of it as sim.Machine.Ask says it: nil is an answer.
// It waits as long as wait at most, by the clock of the hosts.
func (h *Host) Ask(ctx context.Context, ns tap.Namespace, q sim.Question, wait time.Duration) error {
	s, err := h.find(ns)
	if err != nil {
		return err
	}
	release := h.loop.Hold()
	defer release()
	leave := h.loop.Attend(false)
	defer leave()
	answered := make(chan error, 2) // the answer, and the end of the time for it
	tell := func(err error) {
		leave() // at the very moment: no time passes after it
		select {
		case answered <- err:
		default:
		}
	}
	err = h.loop.Do(func() {
		s.machine.Ask(q, wait, tell)
		h.loop.After(wait, func() { tell(sim.ErrTimeout) })
	})
	if err != nil {
		return err
	}
	release()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-h.loop.Ended():
		return sim.ErrOver
	}
}
