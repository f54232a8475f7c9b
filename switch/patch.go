package vswitch

import (
	"sync"
	"sync/atomic"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// A patch is a cable between two switches: each of its ends is the link of a port, and what is sent there comes in at the port that
// has the other end, on the same journey, as over a veth pair whose ends are on two bridges. What goes round in a circle of such
// cables is dropped when it has crossed maxCrossed of them, for BridgeLoop.
type patch struct {
	plugged atomic.Pointer[Port] // that this end is the link of; nil: none yet, or no more
	other   *patch
	closed  chan struct{}
	once    sync.Once
}

// maxCrossed is how many cables a frame may cross: 802.1D-2004 recommends no more than seven bridges on the way (table 17-1).
const maxCrossed = 7

// NewPatch returns the two ends of a cable, for Attach. An end that is closed sends nothing any more, and gets nothing.
func NewPatch() (a, b Link) {
	one, two := &patch{closed: make(chan struct{})}, &patch{closed: make(chan struct{})}
	one.other, two.other = two, one
	return one, two
}

// PatchedTo returns the port at the other end of the cable that a port is an end of; ok is false if its link is something else, and
// other is nil if the other end is plugged in nowhere.
func PatchedTo(p *Port) (other *Port, ok bool) {
	e, ok := p.link.(*patch)
	if !ok {
		return nil, false
	}
	return e.other.plugged.Load(), true
}

// Read implements Link. Frames come in as they are sent at the other end; here is nothing to read but the end.
func (e *patch) Read() (frame.Frame, error) {
	<-e.closed
	return frame.Frame{}, frame.ErrLinkGone
}

// Write implements Link, for whoever has a frame without a journey.
func (e *patch) Write(frame.Frame) error { return frame.ErrLinkDown }

// Close implements Link.
func (e *patch) Close() error {
	e.once.Do(func() {
		e.plugged.Store(nil)
		close(e.closed)
	})
	return nil
}

// Decap implements Tunnel: Encap has told all that there is.
func (e *patch) Decap(*trace.Journey) {}

// Encap implements Tunnel. The frame is copied: the stations behind the other switch may write over theirs.
func (e *patch) Encap(f frame.Frame, j *trace.Journey, now time.Time) bool {
	from, to := e.plugged.Load(), e.other.plugged.Load()
	switch {
	case from == nil:
		return false
	case to == nil:
		from.sw.drop(from, trace.Egress, trace.PortGone, 0, f, j)
		return false
	case to.flags.Load().Down:
		from.sw.drop(from, trace.Egress, trace.PortDown, 0, f, j)
		return false
	case f.Crossed >= maxCrossed:
		from.sw.drop(from, trace.Egress, trace.BridgeLoop, 0, f, j)
		return false
	}
	if j.On() {
		now = j.Now()
	}
	buffer := scratch.Get().(*[]byte)
	defer scratch.Put(buffer)
	*buffer = append((*buffer)[:0], f.Data...)
	f.Data, f.Crossed = *buffer, f.Crossed+1
	defer to.contain()
	to.sw.input(to, f, j, now)
	return true
}
