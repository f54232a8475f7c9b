package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"time"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// Lab is what an engine needs of the lab it works on. Each of its methods leaves everything as it was if it fails.
type Lab interface {
	Simulated() bool // hosts and their programs are in memory
	// Plan is the lab as it is now. It is not changed afterwards.
	Plan() *plan.Plan
	// AddNetwork makes a switch; RemoveNetwork removes one on which nobody is.
	AddNetwork(n plan.Network) error
	RemoveNetwork(name string) error
	// AddHost makes a host with its interfaces and its published ports; RemoveHost removes it with all that runs in it.
	AddHost(h plan.Host) error
	RemoveHost(name string) error
	// Connect plugs an interface into a host that is there; Disconnect pulls the one on a network.
	Connect(host string, i plan.Interface) error
	Disconnect(host, network string) error
	// Published lists a host's ports that are open, with the numbers that they got.
	Published(host string) []plan.Publish
	// Start starts a command inside a host, with these rights. attended says that somebody waits for its end: in virtual time it
	// passes no faster than real time then, and not at all for one that nobody waits for.
	Start(host string, cmd *exec.Cmd, r tap.Rights, attended bool) (tap.Process, error)
	// Command is what the lab itself runs in a host: its process, 0 if none does, and its status when it has ended.
	Command(host string) (pid, status int, running bool)
	// Log returns what that has written, behind the line of that number, and what is closed when there is more.
	Log(after uint64, hosts ...string) (lines []world.LogLine, more <-chan struct{})
	// StartHost and StopHost start and end that.
	StartHost(host string) error
	StopHost(host string, patience time.Duration) error
	// Sandbox is the path of a host's network namespace.
	Sandbox(host string) string
	// Processes are those of this machine that are in that.
	Processes(host string) ([]int, error)
	// Traffic is what the interfaces of a host have received and sent, by their names.
	Traffic(host string) map[string]Traffic
	// Taken are the networks that the machine has routes to, which no network of the lab may overlap.
	Taken() []netip.Prefix
}

// Traffic is in bytes.
type Traffic = types.Traffic

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

	happened events
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
		if h := &p.Hosts[i]; !ours[h.Name] && !h.Bare {
			all = append(all, e.service(h))
		}
	}
	return append(all, e.containers...)
}

// Error is a refusal in Docker's words, which the docker command prints behind "Error response from daemon: ".
type Error struct {
	Code    int // HTTP's
	Message string
}

func (e *Error) Error() string { return e.Message }

func notFound(format string, args ...any) error {
	return &Error{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &Error{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &Error{http.StatusConflict, fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) error {
	return &Error{http.StatusForbidden, fmt.Sprintf(format, args...)}
}

// failed is what went wrong on the way; an error with words of its own keeps them.
func failed(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	var e *Error
	if errors.As(err, &e) {
		return &Error{e.Code, err.Error()}
	}
	return &Error{http.StatusInternalServerError, err.Error()}
}

// shortID is how much of an id docker ps shows.
const shortID = 12

// newID draws an id: 64 hexadecimal digits, of which the first twelve are not all decimal, so that nobody takes them for a
// number (moby pkg/stringid, GenerateRandomID).
func (e *Engine) newID() string {
	for {
		var b [32]byte
		for i := range b {
			b[i] = byte(e.random.Uint32())
		}
		id := hex.EncodeToString(b[:])
		if strings.ContainsAny(id[:shortID], "abcdef") {
			return id
		}
	}
}

// derivedID returns the id of something that the lab has made and not the engine: the same in every run of the lab.
func derivedID(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:])
}

// Resting returns the engine of a lab that is not up: it shows what there would be - Docker's own networks - and knows no
// containers.
func Resting(p *plan.Plan, now func() time.Time) *Engine {
	return New(resting{p}, Options{Now: now, Random: rand.New(rand.NewPCG(0, 0))})
}

// resting is a lab that is not up.
type resting struct{ plan *plan.Plan }

var errResting = errors.New("no lab is up")

func (r resting) Plan() *plan.Plan                   { return r.plan }
func (resting) Simulated() bool                      { return false }
func (resting) AddNetwork(plan.Network) error        { return errResting }
func (resting) RemoveNetwork(string) error           { return errResting }
func (resting) AddHost(plan.Host) error              { return errResting }
func (resting) RemoveHost(string) error              { return errResting }
func (resting) Connect(string, plan.Interface) error { return errResting }
func (resting) Disconnect(string, string) error      { return errResting }
func (resting) Start(string, *exec.Cmd, tap.Rights, bool) (tap.Process, error) {
	return nil, errResting
}
func (resting) StartHost(string) error                                   { return errResting }
func (resting) StopHost(string, time.Duration) error                     { return errResting }
func (resting) Published(string) []plan.Publish                          { return nil }
func (resting) Command(string) (pid, status int, running bool)           { return 0, 0, false }
func (resting) Sandbox(string) string                                    { return "" }
func (resting) Processes(string) ([]int, error)                          { return nil, nil }
func (resting) Traffic(string) map[string]Traffic                        { return nil }
func (resting) Taken() []netip.Prefix                                    { return nil }
func (resting) Log(uint64, ...string) ([]world.LogLine, <-chan struct{}) { return nil, nil }
