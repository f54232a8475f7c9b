package sim

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"uswitch/tap"
)

// Namespaces makes namespaces in memory, each a Host with programs that run there. It implements tap.Host.
type Namespaces struct {
	loop     *Loop
	seed     uint64
	programs map[string]Program

	mu      sync.Mutex // guards what follows
	all     map[string]*Namespace
	made    uint64 // namespaces so far
	streams uint64 // of random numbers that were given out
}

// Namespace is a simulated host and what runs in it.
type Namespace struct {
	tap.Namespace
	Host  *Host // belongs to the Loop
	owner *Namespaces

	mu        sync.Mutex        // guards what follows
	etc       map[string][]byte // see Files
	devices   []*Device
	processes []*process
	gone      bool
}

// NewNamespaces returns a Namespaces without any, which must be closed, and the Loop with it. All of its chance comes from the seed. What
// can run inside are the programs, by their names.
func NewNamespaces(l *Loop, seed uint64, programs map[string]Program) *Namespaces {
	return &Namespaces{loop: l, seed: seed, programs: programs, all: map[string]*Namespace{}}
}

// Loop is what everything in the namespaces runs on.
func (h *Namespaces) Loop() *Loop { return h.loop }

// Random returns a new stream of random numbers. Everything that throws dice has its own, all of one seed.
func (h *Namespaces) Random() *rand.Rand {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.randomLocked()
}

func (h *Namespaces) randomLocked() *rand.Rand {
	h.streams++
	return rand.New(rand.NewPCG(h.seed, h.streams))
}

// Check implements tap.Host: nothing is needed.
func (*Namespaces) Check() error { return nil }

// InTurn implements world.InTurn: namespaces have numbers, which are to be the same in every run.
func (*Namespaces) InTurn() {}

// Create implements tap.Host. Names are this Host's own: two labs may have a RED each.
func (h *Namespaces) Create(lab, name string) (tap.Namespace, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all[name] != nil {
		return tap.Namespace{}, fmt.Errorf("simulated host %s: %w", name, fs.ErrExist)
	}
	h.made++
	s := &Namespace{owner: h, Namespace: tap.Namespace{Name: name, Path: pathOf(name), Lab: lab, ID: tap.ID{Inode: h.made, Cookie: h.made}}}
	s.Host = NewHost(h.loop, h.randomLocked(), name)
	h.all[name] = s
	return s.Namespace, nil
}

// pathOf returns where a namespace is said to be.
func pathOf(name string) string { return "memory:" + name }

// Adopt implements tap.Host. It finds simulated hosts only: what this machine has cannot be entered without privileges.
func (h *Namespaces) Adopt(nameOrPath string) (tap.Namespace, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.all {
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
func (h *Namespaces) find(ns tap.Namespace) (*Namespace, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.all[ns.Name]; s != nil && s.ID == ns.ID {
		return s, nil
	}
	return nil, fmt.Errorf("simulated host %s: %w", ns.Name, tap.ErrReplaced)
}

// Release implements tap.Host. Programs that run inside are ended, and interfaces go.
func (h *Namespaces) Release(ns tap.Namespace) error {
	s, err := h.find(ns)
	if err != nil {
		return nil
	}
	h.mu.Lock()
	delete(h.all, ns.Name)
	h.mu.Unlock()
	s.end()
	return nil
}

// end takes everything out of the namespace.
func (s *Namespace) end() {
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

// Devices lists the devices in the order of their numbers.
func (s *Namespace) Devices() []*Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(s.devices), func(d *Device) bool { return d.nic == nil })
	slices.SortFunc(all, func(a, b *Device) int { return a.index - b.index })
	return all
}

// Loop is what everything in the namespace runs on.
func (s *Namespace) Loop() *Loop { return s.owner.loop }

// Reclaim implements tap.Host: nothing in memory outlives its process.
func (*Namespaces) Reclaim(...string) ([]tap.Reclaimed, error) { return nil, nil }

// Close implements tap.Host. Every namespace goes, and time stops.
func (h *Namespaces) Close() error {
	h.mu.Lock()
	var all []*Namespace
	for _, name := range slices.Sorted(maps.Keys(h.all)) {
		all = append(all, h.all[name])
	}
	clear(h.all)
	h.mu.Unlock()
	for _, s := range all {
		s.end()
	}
	h.loop.Close()
	return nil
}

// Files implements tap.Host. Everything that runs sees the new ones at once.
func (h *Namespaces) Files(_ string, ns tap.Namespace, files map[string][]byte) error {
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
func (h *Namespaces) State(ns tap.Namespace) (state HostState, err error) {
	s, err := h.find(ns)
	if err == nil {
		err = h.loop.Do(func() { state = s.Host.State(h.loop.Now()) })
	}
	return state, err
}

// Ask has a namespace's own stack put a question, and returns what came of it as Machine.Ask says it: nil is an answer.
// It waits as long as wait at most, by the clock of the hosts.
func (h *Namespaces) Ask(ctx context.Context, ns tap.Namespace, q Question, wait time.Duration) error {
	s, err := h.find(ns)
	if err != nil {
		return err
	}
	return h.loop.Ask(ctx, s.Host.Machine, q, wait)
}

// Ask has a machine on the Loop ask, and returns what came of it (see Machine.Ask), or why ctx has ended. Virtual time passes meanwhile.
func (l *Loop) Ask(ctx context.Context, m *Machine, q Question, wait time.Duration) (err error) {
	release := l.Hold()
	defer release()
	leave := l.Attend(false)
	defer leave()
	answered := make(chan error, 2) // the answer, and the end of the time for it
	tell := func(err error) {
		leave() // at the very moment: no time passes after it
		select {
		case answered <- err:
		default:
		}
	}
	err = l.Do(func() {
		m.Ask(q, wait, tell)
		l.After(wait, func() { tell(ErrTimeout) })
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
	case <-l.Ended():
		return ErrOver
	}
}
