package uplink

import (
	"cmp"
	"net/netip"
	"sync"

	"uswitch/nat"
	"uswitch/switch/frame"
)

// inject hands a frame to the gateway.
func (h *Host) inject(f frame.Frame) {
	if deliver := h.deliver.Load(); deliver != nil {
		(*deliver)(f, h.now())
	}
}

// header writes the IP header of a packet of n bytes in all in front of what stands behind it.
func (h *Host) header(b []byte, n int, proto uint8, ttl, tos uint8, src, dst netip.Addr) frame.IPv4 {
	return h.headerOf(1, b, n, proto, ttl, tos, src, dst)
}

// headerOf is header for a super-frame that stands for that many packets: each has an identification of its own.
func (h *Host) headerOf(packets int, b []byte, n int, proto uint8, ttl, tos uint8, src, dst netip.Addr) frame.IPv4 {
	id := h.ids.Add(uint32(packets)) - uint32(packets) + 1
	ip := frame.PutIPv4(b[frame.EthernetHeader:][:n], proto, ttl, uint16(id), src, dst)
	ip.SetTOS(tos)
	ip.SetChecksum()
	return ip
}

// injectUDP makes a packet of a datagram whose payload stands at payloadAt, or a super-frame of several.
func (h *Host) injectUDP(b []byte, r received, dstPort uint16) {
	if !r.from.IsValid() {
		return
	}
	n := frame.IPv4Header + frame.UDPHeader + r.n
	f := frame.Frame{Data: b[:frame.EthernetHeader+n], Offload: r.offload()}
	ip := h.headerOf(f.Offload.Segments(len(f.Data)), b, n, frame.ProtoUDP, r.ttl, r.tos, r.from.Addr(), h.addr)
	if u := frame.PutUDP(ip.Payload(), r.from.Port(), dstPort); f.Offload.NeedsChecksum {
		u.SetPartialChecksum(ip.Src(), ip.Dst())
	} else {
		u.SetChecksum(ip.Src(), ip.Dst())
	}
	h.inject(f)
}

// offload is what remains to be done to the super-frame that several datagrams make; nothing to a single one.
func (r received) offload() frame.Offload {
	if r.pieces == 0 || r.n <= r.pieces {
		return frame.Offload{}
	}
	return frame.Offload{NeedsChecksum: true, ChecksumStart: payloadAt - frame.UDPHeader, ChecksumOffset: frame.UDPChecksum,
		GSO: frame.GSOUDPL4, GSOSize: uint16(r.pieces), HeaderLen: payloadAt}
}

// injectEchoReply makes a packet of what a ping socket received: a reply whose identifier is the socket's.
func (h *Host) injectEchoReply(b []byte, r received) {
	n := frame.IPv4Header + r.n
	m, ok := frame.ParseICMP(b[frame.EthernetHeader+frame.IPv4Header:][:r.n])
	if !ok || !r.from.IsValid() {
		return
	}
	m.SetChecksum() // the kernel has verified it
	h.header(b, n, frame.ProtoICMP, r.ttl, r.tos, r.from.Addr(), h.addr)
	h.inject(frame.Frame{Data: b[:frame.EthernetHeader+n]})
}

// errorTTL is the TTL of an ICMP error that came without one, net.ipv4.ip_default_ttl.
const errorTTL = 64

// injectError tells the inside what became of a packet that left. quote is that packet as it left, as far as known, from
// its IP header on. What this machine itself says is for the gateway to say.
func (h *Host) injectError(f failure, quote []byte) {
	if h.says(f.from, frame.IPv4(quote)) {
		h.report(nat.Failure{Type: f.icmpType, Code: f.code, MTU: f.mtu, Packet: quote})
		return
	}
	said := frame.ICMPError{Type: f.icmpType, Code: f.code}
	if f.icmpType == frame.ICMPUnreachable && f.code == frame.UnreachableTooBig {
		said.MTU = f.mtu
	}
	b := buffers.Get().(packetBuffer)
	defer buffers.Put(b)
	whole := said.Append(b[:frame.EthernetHeader+frame.IPv4Header], quote)
	h.header(whole, len(whole)-frame.EthernetHeader, frame.ProtoICMP, cmp.Or(f.ttl, errorTTL), 0, f.from, h.addr)
	h.inject(frame.Frame{Data: whole})
}

// says reports whether it is this machine that speaks of a packet on its way, and not whoever the packet was sent to, which
// may be another address of this machine's. from is whose message it is; it is invalid if there was none.
func (h *Host) says(from netip.Addr, about frame.IPv4) bool {
	if !from.IsValid() || from == h.addr || from.IsLoopback() {
		return true // nor may an address of the gateway's come from outside
	}
	own, err := h.own.Owns(from)
	return err == nil && own && from != about.Dst()
}

// report has the gateway tell a sender what this machine says.
func (h *Host) report(f nat.Failure) {
	if undelivered := h.undelivered.Load(); undelivered != nil {
		(*undelivered)(f, h.now())
	}
}

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
