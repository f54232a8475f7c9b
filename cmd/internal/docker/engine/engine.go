package engine

import (
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// Lab is what an engine needs of the lab it works on. Each of its methods leaves everything as it was if it fails.
type Lab interface {
	// Plan is the lab as it is now. It is not changed afterwards.
	Plan() *plan.Plan
	// AddNetwork makes a switch; RemoveNetwork removes one on which nobody is.
	AddNetwork(n plan.Network) error
	RemoveNetwork(name string) error
	// AddHost makes a host with its cards and its published ports; RemoveHost removes it with all that runs in it.
	AddHost(h plan.Host) error
	RemoveHost(name string) error
	// Connect plugs a card into a host that is there; Disconnect pulls the one on a network.
	Connect(host string, i plan.Interface) error
	Disconnect(host, network string) error
	// Published lists a host's ports that are open, with the numbers that they got.
	Published(host string) []plan.Publish
	// Start starts a command inside a host, with these rights.
	Start(host string, cmd *exec.Cmd, r tap.Rights) (tap.Process, error)
	// Command is what the lab itself runs in a host: its process, 0 if none does, and its status when it has ended.
	Command(host string) (pid, status int, running bool)
	// Log returns what that has written, behind the line of that number, and what is closed when there is more.
	Log(after uint64, hosts ...string) (lines []world.LogLine, more <-chan struct{})
	// StartHost and StopHost start and end that.
	StartHost(host string) error
	StopHost(host string, patience time.Duration) error
	// Sandbox is the path of a host's network namespace.
	Sandbox(host string) string
	// Taken are the networks that the machine has routes to, which no network of the lab may overlap.
	Taken() []netip.Prefix
}

// Options are what an engine needs besides its lab.
type Options struct {
	Now    func() time.Time // required
	Random *rand.Rand       // required; draws ids and names
}

// Engine is the daemon of one lab.
type Engine struct {
	lab    Lab
	now    func() time.Time
	random *rand.Rand
	begun  time.Time

	mu         sync.Mutex // guards what follows, and is held while the lab is changed
	containers []*container
	execs      []*execution        // the oldest first
	closed     bool                // nothing is started any more
	networks   map[string]*network // what a plan does not know of networks, by name
}

// New returns the engine of a lab.
func New(l Lab, o Options) *Engine {
	return &Engine{lab: l, now: o.Now, random: o.Random, begun: o.Now(), networks: map[string]*network{}}
}

// find returns the container of a name, with or without a slash before it, an id, or the beginning of one. It needs the
// lock.
func (e *Engine) find(reference string) (*container, error) {
	all := e.all()
	name := strings.TrimPrefix(reference, "/")
	for _, c := range all {
		if c.id == reference || c.name == name {
			return c, nil
		}
	}
	var found *container
	for _, c := range all {
		switch {
		case c.host() == name:
			return c, nil // what the lab calls one of its services
		case name != "" && strings.HasPrefix(c.id, name) && found != nil:
			return nil, invalid("multiple IDs found with provided prefix: %s", name)
		case name != "" && strings.HasPrefix(c.id, name):
			found = c
		}
	}
	if found == nil {
		return nil, notFound("No such container: %s", reference)
	}
	return found, nil
}

// all returns the engine's containers and, before them, the services of the lab. It needs the lock.
func (e *Engine) all() []*container {
	ours := map[string]bool{}
	for _, c := range e.containers {
		ours[c.name] = true
	}
	var all []*container
	p := e.lab.Plan()
	for i := range p.Hosts {
		if h := &p.Hosts[i]; !ours[h.Name] {
			all = append(all, e.service(h))
		}
	}
	return append(all, e.containers...)
}
