// Package worldtest is a tap.Host without a kernel behind it, for tests of what stands above: it remembers what was made
// and not yet unmade, and fails where it is told to.
package worldtest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"slices"
	"sync"

	"uswitch/tap"
)

// Host is a tap.Host. The zero value is ready; its fields are set before it is used.
type Host struct {
	Existing []string // namespaces that are there already
	Owned    []string // namespaces that belong to a lab that is up
	FailAt   int      // the number of the call, from 1, that fails; 0: none
	// Making and Unmaking are called before a thing is made, and before a namespace goes, as Made calls it: from many
	// goroutines. They may wait, and their error is the call's. Nil: nothing happens.
	Making, Unmaking func(thing string) error

	mu      sync.Mutex // guards what follows
	calls   int
	made    []string                     // what is there, in the order in which it was made
	files   map[string]map[string][]byte // by namespace
	devices []*Device
	rights  map[string]tap.Rights // of the last program, by namespace
}

// ErrTold is why a call fails that was told to.
var ErrTold = errors.New("told to fail")

// step counts a call, and fails if it is the one.
func (h *Host) step() error {
	h.calls++
	if h.calls == h.FailAt {
		return ErrTold
	}
	return nil
}

// Fail lets the nth call from now on fail.
func (h *Host) Fail(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.FailAt = h.calls + n
}

// Made lists what was made and not unmade.
func (h *Host) Made() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.made)
}

// Calls returns how many calls there were that make or change something.
func (h *Host) Calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

// Device returns the interface of that name, as in "RED eth0", the last one that was made, or nil.
func (h *Host) Device(name string) *Device {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range slices.Backward(h.devices) {
		if d.name == name {
			return d
		}
	}
	return nil
}

func (h *Host) make(thing string) { h.made = append(h.made, thing) }

func (h *Host) unmake(thing string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.made, thing); i >= 0 {
		h.made = slices.Delete(h.made, i, i+1)
	}
}

// Check implements tap.Host.
func (h *Host) Check() error { return nil }

// ask lets the test have its say.
func ask(test func(string) error, thing string) error {
	if test == nil {
		return nil
	}
	return test(thing)
}

// Create implements tap.Host.
func (h *Host) Create(lab, name string) (tap.Namespace, error) {
	if err := ask(h.Making, "namespace "+name); err != nil {
		return tap.Namespace{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.step(); err != nil {
		return tap.Namespace{}, err
	}
	if slices.Contains(h.Owned, name) {
		return tap.Namespace{}, fmt.Errorf("namespace %s: %w: lab other, process 1", name, tap.ErrOwned)
	}
	if slices.Contains(h.Existing, name) {
		return tap.Namespace{}, fmt.Errorf("namespace %s: %w", name, fs.ErrExist)
	}
	h.make("namespace " + name)
	return tap.Namespace{Name: name, Path: "/nowhere/" + name, Lab: lab}, nil
}

// Adopt implements tap.Host.
func (h *Host) Adopt(name string) (tap.Namespace, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.Existing, name) {
		return tap.Namespace{}, fmt.Errorf("namespace %s: %w", name, fs.ErrNotExist)
	}
	return tap.Namespace{Name: name, Path: "/nowhere/" + name}, nil
}

// Release implements tap.Host.
func (h *Host) Release(ns tap.Namespace) error {
	if ns.Lab == "" {
		return nil
	}
	err := ask(h.Unmaking, "namespace "+ns.Name)
	h.unmake("namespace " + ns.Name)
	return err
}

// Files implements tap.Host. Only the first time is a call that makes something.
func (h *Host) Files(_ string, ns tap.Namespace, files map[string][]byte) error {
	if len(files) == 0 {
		h.unmake("files of " + ns.Name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(files) > 0 && !slices.Contains(h.made, "files of "+ns.Name) {
		if err := h.step(); err != nil {
			return err
		}
		h.make("files of " + ns.Name)
	}
	if h.files == nil {
		h.files = map[string]map[string][]byte{}
	}
	h.files[ns.Name] = maps.Clone(files)
	return nil
}

// File returns a file of a namespace as it is now, or nothing.
func (h *Host) File(namespace, name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.files[namespace][name])
}

// Open implements tap.Host.
func (h *Host) Open(ns tap.Namespace, i tap.Interface) (tap.Device, error) {
	if err := ask(h.Making, "interface "+ns.Name+" "+i.Name); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.step(); err != nil {
		return nil, err
	}
	d := newDevice(h, ns.Name+" "+i.Name, i)
	h.make("interface " + d.name)
	h.devices = append(h.devices, d)
	return d, nil
}

// Start implements tap.Host; the program runs where the test does.
func (h *Host) Start(ns tap.Namespace, cmd *exec.Cmd) (tap.Process, error) {
	return h.StartAs(ns, cmd, tap.Rights{})
}

// StartAs implements tap.Host. The program has all rights; which it was to have, Rights tells.
func (h *Host) StartAs(ns tap.Namespace, cmd *exec.Cmd, r tap.Rights) (tap.Process, error) {
	h.mu.Lock()
	if h.rights == nil {
		h.rights = map[string]tap.Rights{}
	}
	h.rights[ns.Name] = r
	h.mu.Unlock()
	h.mu.Lock()
	err := h.step()
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return StartHere(cmd)
}

// Rights returns what the last program of a namespace was to be allowed.
func (h *Host) Rights(namespace string) tap.Rights {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rights[namespace]
}

// Reclaim implements tap.Host.
func (h *Host) Reclaim(...string) ([]tap.Reclaimed, error) { return nil, nil }

// Close implements tap.Host.
func (h *Host) Close() error { return nil }
