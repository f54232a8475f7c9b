//go:build !js

package uplink

import (
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Cut-through: the payload of a segment that comes in its turn is written to the outside's socket from the very buffer that
// it was read into, before netstack gets the segment. That saves the copies into netstack's memory and out of it, and the
// two changes of goroutine that lie between.
//
// It can be done because TCP does not mind: what netstack drops after all is sent again, and known by its offset. And it is
// done only for a connection that netstack has established and connection tracking lets through (nat/tcp.go), so that
// nobody can slip bytes in who could not do so otherwise.

// flows finds the transmitRelay of a connection by the tuple of its packets that leave. Methods may be called concurrently.
type flows struct {
	mu sync.RWMutex
	of map[frame.Tuple]*transmitRelay
}

func (f *flows) find(t frame.Tuple) *transmitRelay {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.of[t]
}

func (f *flows) add(t frame.Tuple, o *transmitRelay) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[frame.Tuple]*transmitRelay{}
	}
	f.of[t] = o
}

// remove forgets o, unless the tuple is another one's by now.
func (f *flows) remove(t frame.Tuple, o *transmitRelay) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[t] == o {
		delete(f.of, t)
	}
}

// cutThrough offers a segment's payload to the outside, and reports whether it has left, so that netstack only needs to know
// its length. It returns netstack's end of the connection as well, if there is one, and the reason if TCP must discard the
// segment.
func (h *Host) cutThrough(p *outgoing, t frame.TCP) (left bool, ep *tcp.Endpoint, r trace.Reason) {
	if len(t.Payload()) == 0 && t.Flags()&(frame.SYN|frame.FIN) == 0 {
		return false, nil, trace.NoReason
	}
	tuple, _ := p.ip.Tuple()
	o := h.flows.find(tuple)
	if o == nil {
		return false, nil, trace.NoReason
	}
	if r := o.judge(t); r != trace.NoReason {
		return false, nil, r
	}
	return o.trySend(t), o.endpoint(), trace.NoReason
}

// judge returns why a connection, once the inside's SYN is answered, must discard a segment whatever its offset: every segment
// acknowledges, and no more than was sent (RFC 9293 3.10.7.4, fifth; Linux: tcp_ack). Netstack sees to the former itself, of
// the latter it ignores the acknowledgement and takes the bytes.
func (o *transmitRelay) judge(t frame.TCP) trace.Reason {
	switch next := o.insideNext.Load(); {
	case next == 0 || t.Flags()&(frame.SYN|frame.RST) != 0:
		return trace.NoReason // of which trySend takes nothing
	case t.Flags()&frame.ACK == 0:
		return trace.TCPFlags
	case int32(t.Ack()-uint32(next)) > 0:
		return trace.AckUnsent
	}
	return trace.NoReason
}

// note remembers up to where netstack has sent to the inside. ip is a packet of its own.
func (f *flows) note(ip frame.IP) {
	tuple, ok := ip.Tuple()
	t, whole := frame.ParseTCP(ip.Payload())
	if !ok || !whole {
		return
	}
	if o := f.find(tuple.Reply()); o != nil {
		o.noteSent(t)
	}
}

// noteSent moves insideNext forward behind a segment, unless it is one that is sent again.
func (o *transmitRelay) noteSent(t frame.TCP) {
	next := t.Seq() + uint32(len(t.Payload()))
	if t.Flags()&(frame.SYN|frame.FIN) != 0 {
		next++
	}
	for {
		last := o.insideNext.Load()
		if last != 0 && int32(next-uint32(last)) <= 0 || o.insideNext.CompareAndSwap(last, nextKnown|uint64(next)) {
			return
		}
	}
}

// nextKnown marks a sequence number in transmitRelay.insideNext, of which 0 is one.
const nextKnown = 1 << 32

// begin tells where the stream begins. Only the first time counts: a SYN may be sent again.
func (o *transmitRelay) begin(syn uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.begun {
		o.begun, o.first = true, syn+1
		o.bufferedOffset.Store(0)
	}
}

// allow lets bytes be cut through: the connection is established.
func (o *transmitRelay) allow() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open.Store(true)
}

// endpoint is netstack's end of the connection, nil before it is established.
func (o *transmitRelay) endpoint() *tcp.Endpoint {
	if !o.open.Load() {
		return nil
	}
	ep, _ := o.ep.(*tcp.Endpoint)
	return ep
}

// trySend sends the payload of a segment to the socket if it is what comes next. It returns true if all of it has left, now or
// before.
func (o *transmitRelay) trySend(t frame.TCP) bool {
	if t.Flags()&frame.SYN != 0 {
		o.begin(t.Seq())
		return false
	}
	if t.Flags()&frame.RST != 0 {
		return false // what it carries is no data (RFC 9293 3.5.3)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.begun {
		return false
	}
	sent := o.sentOffset.Load()
	at, payload := o.offset(t.Seq(), sent), t.Payload()
	// What was read and has not been written waits in held: then this is not its turn. Nor is it that of bytes behind a FIN.
	if o.open.Load() && at == sent && o.readOffset.Load() <= sent && at+uint64(len(payload)) <= o.last {
		sent = o.sendNow(payload)
	}
	end := at + uint64(len(payload))
	left := end <= sent
	if t.Flags()&frame.FIN != 0 {
		o.last = min(o.last, end)
		end++
	}
	if end > sent {
		o.bufferedOffset.Store(max(o.bufferedOffset.Load(), end))
	}
	return left && len(payload) > 0
}

// offset returns the offset of a sequence number near another offset.
func (o *transmitRelay) offset(seq uint32, near uint64) uint64 {
	return near + uint64(int64(int32(seq-o.first-uint32(near))))
}

// sendNow writes what the socket takes and returns up to where everything is sent.
func (o *transmitRelay) sendNow(b []byte) (sent uint64) {
	if len(b) > 0 {
		o.next = b
		_ = o.raw.Control(o.writeFunc) // of a closed socket, it takes nothing
		o.next = nil
	}
	return o.sentOffset.Load()
}

// writeNext is what sendNow does with the descriptor.
func (o *transmitRelay) writeNext(fd uintptr) {
	n, _ := writeAll(int(fd), o.next) // an error is found out about by copyOut, which meets it again
	o.sentOffset.Add(uint64(n))
}
