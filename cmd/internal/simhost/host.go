package simhost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"uswitch/sim"
	"uswitch/tap"
)

// Host makes namespaces in memory. It implements tap.Host.
type Host struct {
	time  *sim.RealTime
	stop  context.CancelFunc
	ended chan struct{} // closed when nothing runs on time any more

	mu     sync.Mutex // guards what follows
	spaces map[string]*space
	made   uint64 // namespaces so far
	failed error  // why time has come to its end by itself
}

// space is a namespace: a simulated host and what runs in it.
type space struct {
	tap.Namespace
	owner   *Host
	machine *sim.Host // belongs to the goroutine of the owner's time

	mu        sync.Mutex        // guards what follows
	etc       map[string][]byte // see Files
	devices   []*Device
	processes []*process
	gone      bool
}

// New makes a machine without namespaces, whose time begins to run. It must be closed.
func New() *Host {
	ctx, stop := context.WithCancel(context.Background())
	h := &Host{time: sim.NewRealTime(), stop: stop, ended: make(chan struct{}), spaces: map[string]*space{}}
	go func() {
		defer close(h.ended)
		err := h.time.Run(ctx)
		h.mu.Lock()
		h.failed = err
		h.mu.Unlock()
	}()
	return h
}

// errOver is what everything answers once the Host is closed.
var errOver = errors.New("the simulated hosts are gone")

// do runs f on the goroutine of the simulated hosts and waits for it. It is not to be called there.
func (h *Host) do(f func()) error {
	done := make(chan struct{})
	h.time.After(0, func() { f(); close(done) })
	select {
	case <-done:
		return nil
	case <-h.ended:
		return h.over()
	}
}

// over says why nothing happens any more.
func (h *Host) over() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return cmp.Or(h.failed, errOver)
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
	s.machine = sim.NewHost(h.time, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), name)
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
	for _, s := range h.spaces {
		all = append(all, s)
	}
	clear(h.spaces)
	h.mu.Unlock()
	for _, s := range all {
		s.end()
	}
	h.stop()
	<-h.ended
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
		err = h.do(func() { state = s.machine.State(h.time.Now()) })
	}
	return state, err
}
