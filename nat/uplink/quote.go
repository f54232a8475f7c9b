package uplink

import (
	"net/netip"
	"sync"

	"uswitch/switch/frame"
)

// An ICMP error quotes the packet that it is about, but a socket is only told where that packet went. So the headers of
// the last few packets of each mapping are remembered, and the error quotes them as they left. traceroute keeps sixteen
// probes on the way at a time.

const quotesKept = 16

type quotes struct {
	mu   sync.Mutex
	ring []([frame.QuoteLength]byte) // grows to quotesKept
	next int
}

// note remembers a packet. Options of its IP header are not: a socket does not send them either.
func (q *quotes) note(p frame.IPv4) {
	var b [frame.QuoteLength]byte
	frame.PutQuote(b[:], p)
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.ring) < quotesKept {
		q.ring = append(q.ring, b)
		return
	}
	q.ring[q.next] = b
	q.next = (q.next + 1) % quotesKept
}

// find returns the newest packet that went to an address and, unless that is 0, port.
func (q *quotes) find(to netip.AddrPort) ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.ring {
		b := q.ring[(q.next-1-i+2*len(q.ring))%len(q.ring)]
		about := frame.IPv4(b[:])
		if about.Dst() == to.Addr() && (to.Port() == 0 || to.Port() == frame.UDP(about.Payload()).DstPort()) {
			return b[:], true
		}
	}
	return nil, false
}

// injectFailure makes an ICMP packet of an error that the kernel reported about a mapping's datagram.
func (h *Host) injectFailure(m *mapping, f failure) {
	if f.icmpType == 0 && f.code == 0 || !f.to.IsValid() {
		return // the kernel's own trouble, which whoever sent was told
	}
	quote, ok := h.quoteEcho(m, f)
	if m.inside.proto == frame.ProtoUDP {
		quote, ok = m.sent.find(f.to)
	}
	if ok {
		h.injectError(f, quote)
	}
}

// quoteEcho writes the packet that a ping socket's error is about: the kernel hands out all of it but the IP header.
func (h *Host) quoteEcho(m *mapping, f failure) ([]byte, bool) {
	if m.inside.proto != frame.ProtoICMP {
		return nil, false
	}
	icmp := f.quote
	if len(icmp) < frame.ICMPHeader {
		return m.sent.find(netip.AddrPortFrom(f.to.Addr(), 0))
	}
	b := make([]byte, frame.IPv4Header+min(len(icmp), 548)) // what fits an error of 576 bytes (RFC 1812 4.3.2.3)
	copy(b[frame.IPv4Header:], icmp)
	frame.PutIPv4(b, frame.ProtoICMP, 1, 0, h.addr, f.to.Addr())
	return b, true
}
