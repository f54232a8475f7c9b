package vswitch

import (
	"errors"
	"sync/atomic"

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

// DefaultStormLimit bounds the flooded frames per second that one port may send. A host that resolves a whole /16 stays
// below it; a loop does not.
const DefaultStormLimit = 10000

// Knobs say what a port may do. Their names and meanings are those of the Linux bridge (bridge link set).
type Knobs struct {
	Learning       bool // believe source addresses that arrive here
	Flood          bool // send frames for unknown stations here
	MulticastFlood bool // send frames for groups here
	BroadcastFlood bool // send broadcasts here
	Isolated       bool // no frames from or to other isolated ports
	MTU            int  // bytes of payload that fit; 0: no limit
	StormLimit     int  // flooded frames per second from here; 0: no limit
}

// DefaultKnobs are a Linux bridge port's, with a storm limit.
func DefaultKnobs() Knobs {
	return Knobs{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true, StormLimit: DefaultStormLimit}
}

// Port is where a link is plugged into a switch.
type Port struct {
	id    uint32
	name  string
	sw    *Switch
	link  Link
	knobs atomic.Pointer[Knobs]
	gone  atomic.Bool
	fault atomic.Pointer[error] // the panic that the port was unplugged for
	storm bucket

	rx, tx           traffic
	rxDrops, txDrops atomic.Uint64
}

type traffic struct{ frames, bytes atomic.Uint64 }

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

// Knobs returns what the port may do at the moment.
func (p *Port) Knobs() Knobs { return *p.knobs.Load() }

// Link returns what the port is plugged into.
func (p *Port) Link() Link { return p.link }

// Counters returns what went through the port so far.
func (p *Port) Counters() Counters {
	return Counters{
		RxFrames: p.rx.frames.Load(), RxBytes: p.rx.bytes.Load(), RxDropped: p.rxDrops.Load(),
		TxFrames: p.tx.frames.Load(), TxBytes: p.tx.bytes.Load(), TxDropped: p.txDrops.Load(),
	}
}

// send hands a frame to the link, if it fits.
func (p *Port) send(f frame.Frame, j *trace.Journey) {
	if mtu := p.knobs.Load().MTU; mtu > 0 && payload(f) > mtu {
		p.sw.dropTo(p, trace.PktTooBig, f, j)
		return
	}
	// The event goes out before the frame: the answer may be back in the switch before the system call returns, and a
	// reader should see the question first.
	if j.On() {
		j.Emit(trace.Event{Hook: trace.Egress, Verdict: trace.Accept, Where: p.sw.name, Port: p.name, Frame: f})
	}
	if err := p.write(f); err != nil {
		p.sw.dropTo(p, linkReason(err), f, j)
		return
	}
	p.tx.count(f)
}

// payload returns the bytes that an MTU limits: of one segment where the frame stands for many. A VLAN tag is not counted,
// as in Linux.
func payload(f frame.Frame) int {
	n := len(f.Data)
	if f.Offload.GSO != frame.GSONone {
		n = min(n, int(f.Offload.HeaderLen)+int(f.Offload.GSOSize))
	}
	if e, ok := frame.ParseEthernet(f.Data); ok && e.Type() == frame.TypeVLAN {
		n -= 4
	}
	return n - frame.EthernetHeader
}

func linkReason(err error) trace.Reason {
	switch {
	case errors.Is(err, frame.ErrLinkDown):
		return trace.PortDown
	case errors.Is(err, frame.ErrLinkGone):
		return trace.PortGone
	case errors.Is(err, errFault):
		return trace.PortFault
	}
	return trace.TxError
}
