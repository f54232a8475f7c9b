package vxlan

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Config describes a Link. Its zero values mean the defaults.
type Config struct {
	Where, Name string // the network and the port, as the trace names them
	VNI         uint32
	Peers       []netip.Addr  // who gets what is for everyone, and is believed
	Learning    bool          // what peers send tells where stations live
	Ageing      time.Duration // how long that is believed without traffic; 0: DefaultAgeing
	MaxLearned  int           // 0: DefaultMaxLearned
	Epoch       time.Time     // required: the moment from which ages are counted
}

// Defaults of a Config, which are those of a switch.
const (
	DefaultAgeing     = 300 * time.Second
	DefaultMaxLearned = 65536
)

// Link is what the port of a network is plugged into whose hosts live on several machines. It is a vswitch.Tunnel.
type Link struct {
	*Endpoint
	where, name string
	vni         uint32
	learning    atomic.Bool
	epoch       time.Time
	table       *table
	peers       atomic.Pointer[peers]
	deliver     func(frame.Frame, time.Time) // into the switch
	dropped     atomic.Uint64                // of what arrived

	mu sync.Mutex // serialises changes of peers and entries

	came arrived // what Decap tells of, between the hand-over to the switch and its first step

	close  sync.Once
	closed chan struct{}
}

// peers is an immutable list of other machines.
type peers struct {
	all      []netip.Addr
	believed map[netip.Addr]bool // they, and those of configured entries
}

// arrived is how a frame came.
type arrived struct {
	outer  trace.Outer
	note   trace.Note
	before netip.Addr
	mac    frame.MAC
	frame  frame.Frame
}

// NewLink makes the link of a VNI, which an Endpoint has once at the most. Packets are dropped until Push.
func (e *Endpoint) NewLink(c Config) (*Link, error) {
	switch {
	case c.VNI > MaxVNI:
		return nil, fmt.Errorf("VNI %d: want one from 0 to %d", c.VNI, MaxVNI)
	case c.Ageing == 0:
		c.Ageing = DefaultAgeing
	}
	if c.MaxLearned == 0 {
		c.MaxLearned = DefaultMaxLearned
	}
	l := &Link{Endpoint: e, where: c.Where, name: c.Name, vni: c.VNI, epoch: c.Epoch, table: newTable(c.Ageing, c.MaxLearned),
		deliver: func(frame.Frame, time.Time) {}, closed: make(chan struct{})}
	l.learning.Store(c.Learning)
	l.SetPeers(c.Peers)
	return l, nil
}

// Push says what takes the frames that arrive; from now on there are some. vswitch.Port's Carry does.
func (l *Link) Push(deliver func(frame.Frame, time.Time)) error {
	l.deliver = deliver
	return l.join(l)
}

// VNI returns the network's number.
func (l *Link) VNI() uint32 { return l.vni }

// Dropped returns how many packets from other machines were dropped.
func (l *Link) Dropped() uint64 { return l.dropped.Load() }

// Learning reports whether what peers send tells where stations live.
func (l *Link) Learning() bool { return l.learning.Load() }

// SetLearning changes it.
func (l *Link) SetLearning(on bool) { l.learning.Store(on) }

// Peers returns who gets what is for everyone.
func (l *Link) Peers() []netip.Addr { return slices.Clone(l.peers.Load().all) }

// SetPeers replaces the peers, and forgets what was learned from those that are none any more.
func (l *Link) SetPeers(all []netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setPeers(all)
}

// AddPeer adds one; it reports whether it was none yet.
func (l *Link) AddPeer(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.peers.Load().all
	if slices.Contains(before, a) {
		return false
	}
	l.setPeers(append(slices.Clone(before), a))
	return true
}

// RemovePeer is the opposite of AddPeer.
func (l *Link) RemovePeer(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.peers.Load().all
	if !slices.Contains(before, a) {
		return false
	}
	l.setPeers(slices.DeleteFunc(slices.Clone(before), func(b netip.Addr) bool { return a == b }))
	return true
}

// setPeers needs the lock.
func (l *Link) setPeers(all []netip.Addr) {
	p := &peers{all: slices.Clone(all), believed: map[netip.Addr]bool{}}
	for _, a := range all {
		p.believed[a] = true
	}
	for _, e := range l.table.list(0) {
		if e.Static {
			p.believed[e.Remote] = true
		}
	}
	l.peers.Store(p)
	l.table.flush(func(a netip.Addr) bool { return p.believed[a] })
}

// believes reports whether packets of a machine are taken.
func (l *Link) believes(a netip.Addr) bool { return l.peers.Load().believed[a] }

// Set makes a station live behind a machine whatever packets say.
func (l *Link) Set(mac frame.MAC, remote netip.Addr, now time.Time) error {
	if !mac.IsStation() {
		return fmt.Errorf("%v cannot be the address of one station", mac)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.table.set(mac, remote, l.age(now))
	l.setPeers(l.peers.Load().all)
	return nil
}

// Remove forgets a station, learned or configured, behind that machine; behind any if remote is invalid.
func (l *Link) Remove(mac frame.MAC, remote netip.Addr) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.table.remove(mac, remote)
	l.setPeers(l.peers.Load().all)
	return err
}

// Entries returns the table as it is at now, sorted by address: first the peers, as entries of the address 00:00:00:00:00:00.
func (l *Link) Entries(now time.Time) (rows []Entry) {
	for _, a := range l.peers.Load().all {
		rows = append(rows, Entry{Remote: a, Static: true})
	}
	return append(rows, l.table.list(l.age(now))...)
}

func (l *Link) age(now time.Time) time.Duration { return now.Sub(l.epoch) }

// Read implements vswitch.Link, for the sake of the interface: packets are brought to the port by Push, so Read only waits until Close
// and returns frame.ErrLinkGone.
func (l *Link) Read() (frame.Frame, error) {
	<-l.closed
	return frame.Frame{}, frame.ErrLinkGone
}

// Write implements vswitch.Link, for whoever has no journey.
func (l *Link) Write(f frame.Frame) error {
	if !l.Encap(f, nil, l.epoch) {
		return frame.ErrLinkDown
	}
	return nil
}

// Close implements vswitch.Link.
func (l *Link) Close() error {
	l.close.Do(func() {
		l.leave(l)
		close(l.closed)
	})
	return nil
}

// Fork returns a link that knows what l knows at this moment and shares nothing with it, for questions: it is of another Endpoint.
func (l *Link) Fork(e *Endpoint) *Link {
	f := &Link{Endpoint: e, where: l.where, name: l.name, vni: l.vni, epoch: l.epoch, table: l.table.fork(),
		deliver: func(frame.Frame, time.Time) {}, closed: make(chan struct{})}
	f.learning.Store(l.learning.Load())
	f.peers.Store(l.peers.Load())
	return f
}
