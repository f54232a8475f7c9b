package sim

import (
	"io"
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// Question is one packet that wants an answer: an echo request, a TCP SYN, or a datagram.
type Question struct {
	Proto        uint8          // frame.ProtoICMP, ProtoTCP or ProtoUDP
	To           netip.AddrPort // the port is that of TCP or UDP
	Size         int            // bytes of data in an echo request; 0: 56
	DontFragment bool           // of an echo request
}

// Datagram is what a question by UDP carries: something that a DNS server answers, be it with an error (RFC 1035 4.1.1).
func (q Question) Datagram() []byte {
	if q.To.Port() == 53 {
		return make([]byte, 12)
	}
	return []byte("hello?")
}

// Ask puts a question. done hears once what came of it: nil is an answer, ErrTimeout is silence as long as wait, or as
// long as TCP tries, and any other error is what the machine was told, or says itself.
func (m *Machine) Ask(q Question, wait time.Duration, done func(error)) {
	switch q.Proto {
	case frame.ProtoTCP:
		m.Connect(q.To, done)
	case frame.ProtoUDP:
		m.AskUDP(q.To, q.Datagram(), wait, func(_ []byte, err error) { done(err) })
	default:
		o := PingOptions{Count: 1, Size: q.Size, DontFragment: q.DontFragment, Wait: wait}
		m.Ping(q.To.Addr(), o, io.Discard, func(r PingResult) {
			if r.Failure == nil && r.Received == 0 {
				r.Failure = ErrTimeout
			}
			done(r.Failure)
		})
	}
}
