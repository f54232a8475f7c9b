package uplink

import (
	_ "unsafe" // for go:linkname

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"uswitch/switch/frame"
)

// Netstack has goroutines of its own that process segments. For much data that is right, for they work while the next
// frame is being read. For a question of a few bytes it is most of the cost: Go wakes a thread for the goroutine, and the
// thread takes a processor from whoever is to answer. So a small segment of an established connection is processed where
// it arrives, as the kernel does it. It is worth a fifth of a small answer's time and a third of its processor time.

// handleSegments processes the segments that wait for an endpoint, which must be locked. It is what netstack's goroutines
// call. Nothing that netstack exports does it; the version is pinned, and without this name the program does not link.
//
//go:linkname handleSegments gvisor.dev/gvisor/pkg/tcpip/transport/tcp.(*Endpoint).handleSegmentsLocked
func handleSegments(*tcp.Endpoint) tcpip.Error

// smallSegment is up to how many bytes of payload a segment is processed where it arrives.
const smallSegment = 512

// inputNow is input for a segment of an endpoint, and processes it before it returns. It returns false, and has done
// nothing, if that is not worth it or not safe.
//
// An endpoint that is locked would make this goroutine wait; if it is the one that has locked it, for ever: netstack sends
// with the lock held, and what it sends may be answered in the same call. So nothing is processed here while netstack sends.
func (n *tcpStack) inputNow(ep *tcp.Endpoint, p frame.IPv4, t frame.TCP, left bool) bool {
	size := len(t.Payload())
	if size == 0 || size > smallSegment || t.Flags()&(frame.SYN|frame.RST) != 0 ||
		n.Sending() || !carries(ep) {
		return false
	}
	ep.LockUser() // from here on the segment is only queued
	n.input(p, p.HeaderLen()+t.HeaderLen(), left)
	var err tcpip.Error
	if carries(ep) {
		err = handleSegments(ep)
	}
	ep.UnlockUser() // netstack's goroutines see to what was not processed
	if err != nil {
		ep.Abort()
	}
	return true
}

// carries says that an endpoint has nothing to do but to carry data: what else there may be, netstack's goroutines do.
func carries(ep *tcp.Endpoint) bool {
	return tcp.EndpointState(ep.State()) == tcp.StateEstablished
}
