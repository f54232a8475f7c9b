package vswitch

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Defaults of a Config.
const (
	DefaultAgeing     = 300 * time.Second // IEEE 802.1D-2004 table 7-5, and the Linux bridge
	DefaultMaxLearned = 65536             // entries; Linux has no default limit, a MAC flood then eats the memory
)

// Config describes a switch. Its zero values mean the defaults.
type Config struct {
	Name       string        // the network's name, as the trace shows it: br0
	Ageing     time.Duration // how long a learned address is believed without traffic; negative: not at all (a hub)
	MaxLearned int           // learned addresses at the most
	Tracer     *trace.Tracer // required: counts drops and carries events
	Epoch      time.Time     // required: the moment from which ages are counted, on the same clock as Input's now
}

// Station is what sits on the switch's local port: the gateway. It borrows f and j until it returns. It gets a frame after
// everyone else and may therefore write its answer over it.
type Station interface {
	Input(f frame.Frame, j *trace.Journey, now time.Time)
	// Has reports whether an IPv6 address is one of the station's own there. It is asked by many goroutines.
	Has(netip.Addr) bool
}

// Switch is one network. See the package comment for the rules of concurrency.
type Switch struct {
	name   string
	tracer *trace.Tracer
	epoch  time.Time
	fdb    *FDB
	ports  atomic.Pointer[portSet]
	local  atomic.Pointer[localPort]
	filter atomic.Pointer[Filter]
	nextID atomic.Uint32
	groups atomic.Uint32 // group_fwd_mask
	claims claims

	mu sync.Mutex // serialises changes to ports, flags and the station; never held while a frame moves
}

type localPort struct {
	mac     frame.MAC
	station Station
}

// New makes a switch without ports.
func New(c Config) *Switch {
	if c.Ageing == 0 {
		c.Ageing = DefaultAgeing
	}
	if c.MaxLearned == 0 {
		c.MaxLearned = DefaultMaxLearned
	}
	s := &Switch{name: c.Name, tracer: c.Tracer, epoch: c.Epoch, fdb: newFDB(c.Ageing, c.MaxLearned)}
	s.ports.Store(newPortSet(nil))
	return s
}

// Name returns the network's name.
func (s *Switch) Name() string { return s.name }

// FDB returns the forwarding table.
func (s *Switch) FDB() *FDB { return s.fdb }

// Ports returns the ports that are plugged in, in the order in which they came.
func (s *Switch) Ports() []*Port { return slices.Clone(s.ports.Load().everyone.ports) }

// Port finds a port by its name.
func (s *Switch) Port(name string) (*Port, bool) {
	for _, p := range s.ports.Load().everyone.ports {
		if p.name == name {
			return p, true
		}
	}
	return nil, false
}

// PortName returns the name of the port with that number; empty if none is plugged in. It takes no lock.
func (s *Switch) PortName(id uint32) string {
	ports := s.ports.Load().everyone.ports // in the order in which they came, which is that of their numbers
	i, ok := slices.BinarySearchFunc(ports, id, func(p *Port, id uint32) int { return cmp.Compare(p.id, id) })
	if !ok {
		return ""
	}
	return ports[i].name
}

// SetLocal puts a station with that address on the local port, in place of the one before.
func (s *Switch) SetLocal(mac frame.MAC, station Station) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.local.Store(&localPort{mac, station})
	s.fdb.setLocal(mac)
}

// Attach plugs a link into a new port. The caller then runs Port.Run, or calls Input for every frame itself.
func (s *Switch) Attach(name string, link Link, k PortFlags) (*Port, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.Port(name); taken {
		return nil, fmt.Errorf("network %s: port %s is taken", s.name, name)
	}
	p := newPort(s, s.nextID.Add(1), name, link, k)
	p.plug()
	s.ports.Store(s.ports.Load().with(p))
	return p, nil
}

// Detach unplugs a port: its stations and what they said of their addresses are forgotten, no frame reaches it or comes from it any more (one that is being
// carried meanwhile goes on to its end), and its link is closed, which ends Run. Detaching twice is harmless. The error
// is ErrNotHere for another switch's port, else the link's.
func (s *Switch) Detach(p *Port) error {
	if p.sw != s {
		return ErrNotHere
	}
	s.mu.Lock()
	s.ports.Store(s.ports.Load().without(p))
	s.mu.Unlock()
	s.fdb.dropPort(p)
	s.claims.dropPort(p)
	return p.link.Close()
}

// SetFlags changes what a port may do, from the next frame on.
func (s *Switch) SetFlags(p *Port, k PortFlags) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.Down {
		s.fdb.Flush(p) // who was there is not there any more, as on a bridge's port that is disabled (br_stp_disable_port)
	}
	p.flags.Store(&k)
	s.ports.Store(newPortSet(s.Ports()))
}

// ErrNotHere is returned for a port that belongs to another switch or has been unplugged.
var ErrNotHere = errors.New("the port is not plugged into this switch")

// SetStatic makes an address live behind p whatever frames say: it does not age, does not move, and frames that carry it
// as their source from elsewhere are dropped. With sticky such frames pass and only the entry stays where it is.
func (s *Switch) SetStatic(mac frame.MAC, p *Port, sticky bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if here, ok := s.Port(p.name); !ok || here != p {
		return ErrNotHere
	}
	if !mac.IsStation() {
		return fmt.Errorf("%v cannot be the address of one station", mac)
	}
	return s.fdb.setStatic(mac, p, sticky)
}

// age turns a moment into the time since the epoch. Both carry a monotonic reading when they come from time.Now, so that
// a jump of the wall clock moves no timer.
func (s *Switch) age(now time.Time) time.Duration { return now.Sub(s.epoch) }

// Burster is a Link that knows whether its last Read had to wait, or found the frame there already. Run then asks for the
// time less often.
type Burster interface {
	Waited() bool
}

// burst is how many frames that came one behind the other share a time: so few that what is measured in seconds is still
// right, and so many that asking for the time no longer shows in a profile.
const burst = 8

// clock tells the time of each frame of a port. For a small frame time.Now would be a noticeable part of its cost: it asks
// the wall clock and the monotonic one. This one asks the wall clock once a second, which is often enough to follow its
// adjustments, and in a burst neither.
type clock struct {
	link  Burster // nil: nothing is known of bursts
	asked time.Time
	last  time.Time
	left  int // frames that may still share last
}

func newClock(l Link) clock {
	c := clock{asked: time.Now()}
	c.link, _ = l.(Burster)
	return c
}

// waited reports whether the frame that was just read had to be waited for; false where that is not known.
func (c *clock) waited() bool { return c.link != nil && c.link.Waited() }

// now returns the time for the frame that was just read. With exact it is the frame's own: a person will look at it.
func (c *clock) now(exact bool) time.Time {
	if c.left > 0 && !exact && !c.link.Waited() {
		c.left--
		return c.last
	}
	if c.link != nil {
		c.left = burst - 1
	}
	if since := time.Since(c.asked); since < time.Second {
		c.last = c.asked.Add(since)
	} else {
		c.asked = time.Now()
		c.last = c.asked
	}
	return c.last
}
