package vswitch

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Link is what a port is plugged into.
type Link interface {
	// Read waits for the next frame. Its bytes belong to the link and are lent until the next Read. Only one goroutine
	// reads. An error ends the port, frame.ErrLinkGone when the far side has disappeared.
	Read() (frame.Frame, error)
	// Write sends a frame, which it borrows until it returns. Many goroutines may write. The errors of package frame say
	// what became of the frame.
	Write(frame.Frame) error
	// Close wakes Read and may be called more than once.
	Close() error
}

// Finisher is a Link that says, once and for all when it is plugged in, what a sender may leave undone (frame.Offload) in
// frames for it. What it does not take its port does: it cuts super-frames and completes checksums. Any other Link gets
// the frames as they are.
type Finisher interface {
	// TakesOffload answers for super-frames of one kind, and with frame.GSONone for frames that lack only a checksum. Who
	// does not take the latter takes no unfinished frame at all.
	TakesOffload(frame.GSO) bool
}

// Tunnel is a Link that carries its frames through another network, in packets of that, and tells how: its steps stand in the frames'
// journeys, and its drops are its own to count.
type Tunnel interface {
	Link
	// Encap sends a frame as Write does, and reports whether anybody got it. The frame may have anything left to do.
	Encap(f frame.Frame, j *trace.Journey, now time.Time) bool
	// Decap tells on its journey how the frame came that was carried into the switch last.
	Decap(j *trace.Journey)
}

// Carrier is a Link that knows whether it would take a frame at this moment: its far side is up, and has room. It is asked
// only while somebody watches, by many goroutines.
type Carrier interface{ Ready() bool }

// PortFlags say what a port may do. Names and meanings are those of the Linux bridge (bridge link set) where it has them: it
// has no limit on storms and no guards (inspect.go).
type PortFlags struct {
	Learning       bool // believe source addresses that arrive here
	Flood          bool // send frames for unknown stations here
	MulticastFlood bool // send frames for groups here
	BroadcastFlood bool // send broadcasts here
	Isolated       bool // no frames from or to other isolated ports
	RAGuard        bool // no advertisements of routers from here
	NDGuard        bool // no claims from here to an address that is the local station's, or assigned to another port
	DHCPGuard      bool // no answers of DHCP servers from here
	MTU            int  // bytes of payload that fit; 0: no limit
	StormLimit     int  // flooded frames per second from here; 0: no limit
	Down           bool // nothing comes in here, and nothing goes out
}

// Port is where a link is plugged into a switch.
type Port struct {
	id     uint32
	name   string
	sw     *Switch
	link   Link
	cuts   bool        // the link takes only frames with nothing left to do
	cutsU  bool        // it takes no super-frames of datagrams, as TAPs before Linux 6.2
	ready  func() bool // nil: the link does not say
	tunnel Tunnel      // the link, if it is one
	flags  atomic.Pointer[PortFlags]
	gone   atomic.Bool
	next   atomic.Pointer[Port]  // where the link is plugged in now; nil: here, or nowhere
	fault  atomic.Pointer[error] // the panic that the port was unplugged for
	storm  bucket
	loop   atomic.Pointer[loop] // that it is part of; nil or out of date: none

	rx, tx traffic
}

func newPort(s *Switch, id uint32, name string, link Link, k PortFlags) *Port {
	p := &Port{id: id, name: name, sw: s, link: link}
	if l, ok := link.(Finisher); ok {
		p.cuts = !l.TakesOffload(frame.GSONone)
		p.cutsU = !l.TakesOffload(frame.GSOUDPL4)
	}
	if l, ok := link.(Carrier); ok {
		p.ready = l.Ready
	}
	p.tunnel, _ = link.(Tunnel)
	p.flags.Store(&k)
	return p
}

// traffic counts one direction. The goroutine that reads the port counts rx, those of other ports count tx: the two lie
// apart, so that they do not take the processor's cache line from each other, or what is read for each frame from both.
type traffic struct {
	_                    [64]byte
	frames, bytes, drops atomic.Uint64
	_                    [64]byte
}

func (t *traffic) count(f frame.Frame) {
	t.frames.Add(1)
	t.bytes.Add(uint64(len(f.Data)))
}

// Counters of a port since it was plugged in, as `ip -s link` has them. A super-frame counts once.
type Counters struct {
	RxFrames, RxBytes, RxDropped uint64 // from the link into the switch
	TxFrames, TxBytes, TxDropped uint64 // from the switch into the link
}

// ID returns the port's number on its switch, from 1. Numbers are not used twice.
func (p *Port) ID() uint32 { return p.id }

// Name returns the port's name.
func (p *Port) Name() string { return p.name }

// Flags returns what the port may do at the moment.
func (p *Port) Flags() PortFlags { return *p.flags.Load() }

// Switch returns the switch that the port is of.
func (p *Port) Switch() *Switch { return p.sw }

// Link returns what the port is plugged into.
func (p *Port) Link() Link { return p.link }

// Counters returns what went through the port so far.
func (p *Port) Counters() Counters {
	return Counters{
		RxFrames: p.rx.frames.Load(), RxBytes: p.rx.bytes.Load(), RxDropped: p.rx.drops.Load(),
		TxFrames: p.tx.frames.Load(), TxBytes: p.tx.bytes.Load(), TxDropped: p.tx.drops.Load(),
	}
}

func linkReason(err error) trace.Reason {
	switch {
	case errors.Is(err, frame.ErrLinkDown):
		return trace.PortDown
	case errors.Is(err, frame.ErrLinkGone):
		return trace.PortGone
	case errors.Is(err, ErrFault):
		return trace.PortFault
	}
	return trace.TxError
}

// bucket limits a rate without a lock. It is the generic cell rate algorithm (ITU-T I.371): one number, the moment at
// which the bucket would be empty again, moves forward by one interval for each frame; a frame that would move it more
// than a second ahead of now is too many. The zero value is an empty bucket.
type bucket struct{ full atomic.Int64 }

// take reports whether one more frame is within perSecond (with a burst of as many) at that age.
func (b *bucket) take(perSecond int, now time.Duration) bool {
	interval := int64(time.Second) / int64(perSecond)
	for {
		before := b.full.Load()
		start := max(before, int64(now))
		if before > int64(now+2*time.Second) {
			start = int64(now) // no frame has moved it that far: the clock went back
		}
		after := start + interval
		if after > int64(now+time.Second) {
			return false
		}
		if b.full.CompareAndSwap(before, after) {
			return true
		}
	}
}

// Replug moves the link of a port to a new port, of that name and with those flags, on the same or another switch, without closing
// it: whoever runs Run for the old port carries the link's frames into the new one from the next frame on. The old port's stations are
// forgotten. The error is ErrNotHere for a port of another switch.
func (s *Switch) Replug(p *Port, to *Switch, name string, k PortFlags) (*Port, error) {
	if p.sw != s {
		return nil, ErrNotHere
	}
	s.mu.Lock()
	here, ok := s.Port(p.name)
	if ok = ok && here == p; ok {
		s.ports.Store(s.ports.Load().without(p))
	}
	s.mu.Unlock()
	if !ok {
		return nil, ErrNotHere
	}
	s.fdb.dropPort(p)
	s.claims.dropPort(p)
	to.mu.Lock()
	defer to.mu.Unlock()
	if _, taken := to.Port(name); taken {
		return nil, fmt.Errorf("network %s: port %s is taken", to.name, name)
	}
	q := newPort(to, to.nextID.Add(1), name, p.link, k)
	q.plug()
	to.ports.Store(to.ports.Load().with(q))
	p.next.Store(q)
	return q, nil
}

// plug tells the end of a patch which port it is the link of.
func (p *Port) plug() {
	if e, ok := p.link.(*patch); ok {
		e.plugged.Store(p)
	}
}

// last returns the port that a link is at now which was plugged into p once.
func (p *Port) last() *Port {
	for {
		next := p.next.Load()
		if next == nil {
			return p
		}
		p = next
	}
}
