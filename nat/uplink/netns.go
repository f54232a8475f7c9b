package uplink

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Link is a network interface at the other end of a cable: a tap.Device is one, as for a vswitch.Port.
type Link interface {
	Read() (frame.Frame, error)
	Write(frame.Frame) error
	Close() error
}

// Netns is the way out through an interface in a namespace of the user's choosing: a network of its own with nobody but the
// gateway and that interface, where translated packets are real ones. It is a nat.Segment, so the gateway resolves neighbours
// and allocates ports there as on any network.
type Netns struct {
	name   string
	link   Link
	tracer *trace.Tracer

	out atomic.Bool // a fault has taken it out of use, until Run is called again

	cuts    bool      // the link takes only frames with nothing left to do
	cutsU   bool      // it takes no super-frames of datagrams
	scratch sync.Pool // of *[]byte: where a frame is cut
}

var _ nat.Segment = (*Netns)(nil)

// NewNetns makes an uplink of an interface. name is what the trace calls it. If the interface says that it does not take frames with
// some work left to do (TakesOffload, as a tap.Device does), they are finished for it.
func NewNetns(name string, link Link, tracer *trace.Tracer) *Netns {
	n := &Netns{name: name, link: link, tracer: tracer, scratch: sync.Pool{New: func() any { return new([]byte) }}}
	if l, ok := link.(interface{ TakesOffload(frame.GSO) bool }); ok {
		n.cuts, n.cutsU = !l.TakesOffload(frame.GSONone), !l.TakesOffload(frame.GSOUDPL4)
	}
	return n
}

// Output implements nat.Segment.
func (n *Netns) Output(f frame.Frame, j *trace.Journey, _ time.Time) {
	e := trace.Event{Hook: trace.Egress, Verdict: trace.Accept, Note: trace.UplinkSent, Where: n.name, Port: n.name, Frame: f}
	if r := n.send(f); r != trace.NoReason {
		j = n.tracer.Drop(r, j)
		e.Verdict, e.Note, e.Reason = trace.Drop, trace.NoNote, r
	}
	if j.On() {
		j.Emit(e)
	}
}

// send hands a frame to the link and says why if it does not take it. The fault of a link is its own, not that of the port that
// the frame came from.
func (n *Netns) send(f frame.Frame) (r trace.Reason) {
	if n.out.Load() {
		return trace.UplinkFault
	}
	defer func() {
		if fault := recover(); fault != nil {
			n.tracer.Fault("uplink "+n.name, fault)
			r = trace.UplinkFault
		}
	}()
	if n.write(f) != nil {
		return trace.TxError
	}
	return trace.NoReason
}

// errCut is said of a frame that is not what its Offload says.
var errCut = errors.New("uplink: the frame cannot be cut")

// write hands a frame to the link, cut and completed if need be.
func (n *Netns) write(f frame.Frame) error {
	if (!n.cuts || !f.Unfinished()) && (!n.cutsU || f.Offload.GSO != frame.GSOUDPL4) {
		return n.link.Write(f)
	}
	scratch := n.scratch.Get().(*[]byte)
	defer n.scratch.Put(scratch)
	*scratch = slices.Grow((*scratch)[:0], f.Offload.WireLength(len(f.Data)))
	segments, ok := frame.Segment(f, (*scratch)[:cap(*scratch)])
	if !ok {
		return errCut
	}
	for one, more := segments.Next(); more; one, more = segments.Next() {
		if err := n.link.Write(one); err != nil {
			return err
		}
	}
	return nil
}

// ErrFault is what Run returns when the code has panicked on a frame that came in.
var ErrFault = errors.New("uplink: it failed on a packet and is out of use")

// Run carries what comes in to the gateway's interface on this uplink, until the link ends or is closed; it returns the
// link's error. now is the clock. A fault takes the uplink out of use: then the error is ErrFault, and what is to leave is
// dropped until Run is called again.
func (n *Netns) Run(in *nat.Interface, now func() time.Time) (err error) {
	defer n.tracer.Contain(trace.UplinkFault, "uplink "+n.name)
	n.out.Store(false)
	err = ErrFault // unless it returns by itself
	defer func() { n.out.Store(errors.Is(err, ErrFault)) }()
	for {
		f, err := n.link.Read()
		if err != nil {
			return err
		}
		at := now()
		j := n.tracer.Begin(at)
		if !j.Steps() || !n.hold(in, f, j) {
			n.input(in, f, j, at)
		}
		j.End()
	}
}

// input hands a frame to the gateway.
func (n *Netns) input(in *nat.Interface, f frame.Frame, j *trace.Journey, now time.Time) {
	if j.On() {
		j.Emit(trace.Event{Hook: trace.Ingress, Verdict: trace.Accept, Note: trace.UplinkReceived, Where: n.name,
			Port: n.name, Frame: f})
		now = j.Now()
	}
	in.Input(f, j, now)
}

// hold gives a frame to whoever steps through such frames, if anybody wants it.
func (n *Netns) hold(in *nat.Interface, f frame.Frame, j *trace.Journey) bool {
	e := trace.Event{Hook: trace.Ingress, Where: n.name, Port: n.name, Frame: f}
	return j.Hold(e, f, func(f frame.Frame, j *trace.Journey, now time.Time) { n.input(in, f, j, now) })
}

// Close ends Run.
func (n *Netns) Close() error { return n.link.Close() }
