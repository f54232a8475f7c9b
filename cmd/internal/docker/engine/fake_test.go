package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
	"uswitch/tap"
)

// fakeLab is a lab in which everything succeeds at once that is not told to fail; programs run where the test does.
type fakeLab struct {
	mu        sync.Mutex
	plan      plan.Plan
	taken     []netip.Prefix
	published map[string][]plan.Publish
	fail      map[string]error // by method
	rights    tap.Rights       // of the last program
	slow      time.Duration    // how long a program has run when Start returns
}

// newFake parses a lab's file; without one it is the lab called docker.
func newFake(t *testing.T, file string) *fakeLab {
	t.Helper()
	if file == "" {
		file = "name: docker\nservices: {}\nx-uswitch: {docker0: true, uplink: sim}"
	}
	p, err := plan.Parse("docker.yaml", []byte(file), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &fakeLab{plan: *p, published: map[string][]plan.Publish{}, fail: map[string]error{}}
}

func (f *fakeLab) engine(t *testing.T) *engine.Engine {
	t.Helper()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	e := engine.New(f, engine.Options{Now: func() time.Time { return now }, Random: rand.New(rand.NewPCG(1, 2))})
	t.Cleanup(e.Close)
	return e
}

func (f *fakeLab) change(method string, do func(*plan.Plan) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail[method]; err != nil {
		return err
	}
	p := f.plan
	p.Hosts, p.Networks = slices.Clone(p.Hosts), slices.Clone(p.Networks)
	if err := do(&p); err != nil {
		return err
	}
	f.plan = p
	return nil
}

func (f *fakeLab) Plan() *plan.Plan {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.plan
	return &p
}

// Simulated is true: what is started here is no program.
func (f *fakeLab) Simulated() bool { return true }

func (f *fakeLab) Taken() []netip.Prefix { return f.taken }

func (f *fakeLab) Processes(string) ([]int, error)         { return nil, nil }
func (f *fakeLab) Traffic(string) map[string]types.Traffic { return nil }

func (f *fakeLab) AddNetwork(n plan.Network) error {
	return f.change("AddNetwork", func(p *plan.Plan) error { p.Networks = append(p.Networks, n); return nil })
}

func (f *fakeLab) RemoveNetwork(name string) error {
	return f.change("RemoveNetwork", func(p *plan.Plan) error {
		p.Networks = slices.DeleteFunc(p.Networks, func(n plan.Network) bool { return n.Name == name })
		return nil
	})
}

func (f *fakeLab) AddHost(h plan.Host) error {
	return f.change("AddHost", func(p *plan.Plan) error {
		if err := p.FillHost(&h); err != nil {
			return err
		}
		if err := p.VerifyHost(&h); err != nil {
			return err
		}
		p.Hosts = append(p.Hosts, h)
		for _, port := range h.Ports {
			if port.HostPort == 0 {
				port.HostPort = 32768 + uint16(len(f.published[h.Name]))
			}
			f.published[h.Name] = append(f.published[h.Name], port)
		}
		return nil
	})
}

func (f *fakeLab) RemoveHost(name string) error {
	return f.change("RemoveHost", func(p *plan.Plan) error {
		before := len(p.Hosts)
		p.Hosts = slices.DeleteFunc(p.Hosts, func(h plan.Host) bool { return h.Name == name })
		delete(f.published, name)
		if len(p.Hosts) == before {
			return fmt.Errorf("there is no host %s", name)
		}
		return nil
	})
}

func (f *fakeLab) Connect(host string, i plan.Interface) error {
	return f.change("Connect", func(p *plan.Plan) error {
		h := p.Host(host)
		if err := p.FillInterface(h, &i); err != nil {
			return err
		}
		h.Interfaces = append(slices.Clone(h.Interfaces), i)
		return nil
	})
}

func (f *fakeLab) Disconnect(host, network string) error {
	return f.change("Disconnect", func(p *plan.Plan) error {
		h := p.Host(host)
		h.Interfaces = slices.DeleteFunc(slices.Clone(h.Interfaces), func(i plan.Interface) bool { return i.Network == network })
		return nil
	})
}

func (f *fakeLab) Published(host string) []plan.Publish {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.published[host])
}

func (f *fakeLab) Start(_ string, cmd *exec.Cmd, r tap.Rights, _ bool) (tap.Process, error) {
	f.mu.Lock()
	f.rights = r
	f.mu.Unlock()
	if err := f.fail["Start"]; err != nil {
		return nil, err
	}
	process, err := worldtest.StartHere(cmd)
	if err != nil {
		return nil, err
	}
	time.Sleep(f.slow)
	return process, nil
}

func (f *fakeLab) Command(host string) (pid, status int, running bool) {
	return 42, 0, len(f.plan.Host(host).Command) > 0
}

func (f *fakeLab) Log(after uint64, _ ...string) ([]world.LogLine, <-chan struct{}) {
	if after > 0 {
		return nil, nil
	}
	return []world.LogLine{{Number: 1, Ordinal: 1, Host: "A", Text: "said by A"}}, nil
}

func (f *fakeLab) StartHost(string) error               { return errors.New("StartHost") }
func (f *fakeLab) StopHost(string, time.Duration) error { return errors.New("StopHost") }
func (f *fakeLab) Sandbox(host string) string           { return "/run/netns/" + host }
