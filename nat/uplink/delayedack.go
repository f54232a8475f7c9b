package uplink

import (
	"sync"
	"time"

	"uswitch/switch/frame"
)

// delayedACK keeps back an acknowledgement that says nothing else, for the answer of the outside to take it along (RFC 9293
// 3.8.6.3). Netstack acknowledges everything at once; of a question and its answer that is a packet more, and of the end of
// a connection another.
//
// It waits for less than two full segments, as every receiver's may, and not for long. What repeats an earlier number is
// news of another kind, a lost segment or a window that has opened, and does not wait; nor does a window that is closed.
type delayedACK struct {
	host *Host

	mu    sync.Mutex // guards what follows
	known bool
	sent  uint32        // the number that the inside was sent last
	kept  [ackSize]byte // the frame that waits: kept[:size]
	size  int           // 0: none waits
	todo  frame.Offload // of kept
	timer *time.Timer   // nil until the first one
}

const (
	// ackSize is a frame with an acknowledgement and no more than timestamps behind it.
	ackSize = frame.EthernetHeader + frame.IPv4Header + frame.TCPHeader + 12
	// ackDelay is far below the half second that is allowed (RFC 9293 3.8.6.3): a sender that waits for it, because it
	// has more to send but less than a segment (Nagle's algorithm), hardly notices.
	ackDelay = time.Millisecond
	// ackBytes is two full segments of Ethernet.
	ackBytes = 2 * 1448
)

// keeps decides about a frame that netstack sends, and reports whether it waits. If not, what has waited need not be sent
// any more.
func (a *delayedACK) keeps(f frame.Frame) bool {
	ip := frame.IPv4(f.Data[frame.EthernetHeader:])
	t := frame.TCP(ip.Payload())
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known && len(f.Data) <= ackSize && t.HeaderLen() == len(t) && t.Flags() == frame.ACK && t.Window() > 0 {
		if news := t.Ack() - a.sent; news > 0 && news < ackBytes {
			a.keep(f)
			return true
		}
	}
	a.size = 0
	if t.Flags()&frame.ACK != 0 {
		a.known, a.sent = true, t.Ack()
	}
	return false
}

// keep keeps a frame, instead of the one that has waited since.
func (a *delayedACK) keep(f frame.Frame) {
	waits := a.size > 0
	a.size, a.todo = copy(a.kept[:], f.Data), f.Offload
	switch {
	case waits:
	case a.timer == nil:
		a.timer = time.AfterFunc(ackDelay, a.send)
	default:
		a.timer.Reset(ackDelay)
	}
}

// send sends what has waited long enough.
func (a *delayedACK) send() {
	b := buffers.Get().(packetBuffer)
	defer buffers.Put(b)
	a.mu.Lock()
	n, todo := copy(b[:], a.kept[:a.size]), a.todo
	a.size = 0
	if n > 0 {
		a.sent = frame.TCP(frame.IPv4(b[frame.EthernetHeader:n]).Payload()).Ack()
	}
	a.mu.Unlock()
	if n > 0 {
		a.host.inject(frame.Frame{Data: b[:n], Offload: todo})
	}
}

// stop forgets what waits: the connection is over.
func (a *delayedACK) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.size = 0
	if a.timer != nil {
		a.timer.Stop()
	}
}

// keepsBack asks the connection that a frame of netstack's belongs to whether it waits.
func (h *Host) keepsBack(f frame.Frame) bool {
	tuple, _ := frame.TupleOf(frame.IPv4(f.Data[frame.EthernetHeader:]))
	s := h.flows.find(tuple.Reply())
	return s != nil && s.ack.keeps(f)
}
