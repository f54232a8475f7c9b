//go:build !js

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

// header writes the IP header of a packet of n bytes in all, to the uplink's own address, in front of what stands behind it.
func (h *Host) header(b []byte, n int, proto uint8, ttl, tos uint8, src netip.Addr) frame.IP {
	return h.headerOf(1, b, n, proto, ttl, tos, src)
}

// headerOf is header for a super-frame that stands for that many packets: each has an identification of its own.
func (h *Host) headerOf(packets int, b []byte, n int, proto uint8, ttl, tos uint8, src netip.Addr) frame.IP {
	id := h.ids.Add(uint32(packets)) - uint32(packets) + 1
	ip := frame.PutIP(b[frame.EthernetHeader:][:n], proto, ttl, uint16(id), src, h.self(src.Is6()))
	ip.SetTOS(tos)
	ip.SetChecksum()
	return ip
}

// injectUDP makes a packet of a datagram whose payload stands at payloadAt, or a super-frame of several.
func (h *Host) injectUDP(b []byte, r received, dstPort uint16) {
	if !r.from.IsValid() {
		return
	}
	n := payloadAt(r.from.Addr().Is6()) - frame.EthernetHeader + r.n
	f := frame.Frame{Data: b[:frame.EthernetHeader+n], Offload: r.offload()}
	ip := h.headerOf(f.Offload.Segments(len(f.Data)), b, n, frame.ProtoUDP, r.ttl, r.tos, r.from.Addr())
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
	at := uint16(payloadAt(r.from.Addr().Is6()))
	return frame.Offload{NeedsChecksum: true, ChecksumStart: at - frame.UDPHeader, ChecksumOffset: frame.UDPChecksum,
		GSO: frame.GSOUDPL4, GSOSize: uint16(r.pieces), HeaderLen: at}
}

// injectEchoReply makes a packet of what a ping socket received: a reply whose identifier is the socket's.
func (h *Host) injectEchoReply(b []byte, r received) {
	if r.n < frame.ICMPHeader || !r.from.IsValid() {
		return
	}
	src := r.from.Addr()
	n := frame.FixedHeader(src) + r.n
	h.header(b, n, frame.ProtoICMPOf(src), r.ttl, r.tos, src).SetICMPChecksum() // the kernel has verified it
	h.inject(frame.Frame{Data: b[:frame.EthernetHeader+n]})
}

// errorTTL is the TTL of an ICMP error that came without one, net.ipv4.ip_default_ttl.
const errorTTL = 64

// injectError tells the inside what became of a packet that left. quote is that packet as it left, as far as known, from
// its IP header on. What this machine itself says is for the gateway to say.
func (h *Host) injectError(f failure, quote []byte) {
	about := frame.IP(quote)
	if h.says(f.from, about) {
		h.report(nat.Failure{Type: f.icmpType, Code: f.code, MTU: f.mtu, Packet: about})
		return
	}
	said := frame.ICMPError{Type: f.icmpType, Code: f.code}
	if f.tooBig(about.Is4()) {
		said.MTU = f.mtu
	}
	b := buffers.Get().(packetBuffer)
	defer buffers.Put(b)
	whole := b[:frame.EthernetHeader+frame.FixedHeader(f.from)]
	if about.Is4() {
		whole = said.Append(whole, quote)
	} else {
		whole = said.AppendV6(whole, about)
	}
	h.header(whole, len(whole)-frame.EthernetHeader, frame.ProtoICMPOf(f.from), cmp.Or(f.ttl, errorTTL), 0, f.from).SetICMPChecksum()
	h.inject(frame.Frame{Data: whole})
}

// tooBig reports whether it tells how large a packet may be.
func (f failure) tooBig(is4 bool) bool {
	if !is4 {
		return f.icmpType == frame.ICMPv6TooBig
	}
	return f.icmpType == frame.ICMPUnreachable && f.code == frame.UnreachableTooBig
}

// says reports whether it is this machine that speaks of a packet on its way, and not whoever the packet was sent to, which
// may be another address of this machine's. from is whose message it is; it is invalid if there was none.
func (h *Host) says(from netip.Addr, about frame.IP) bool {
	if !from.IsValid() || from == h.addr || from == h.addr6 || from.IsLoopback() {
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
func (q *quotes) note(p frame.IP) {
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
		about := frame.IP(b[:])
		if about.Dst() == to.Addr() && (to.Port() == 0 || to.Port() == frame.UDP(about.Payload()).DstPort()) {
			return b[:about.HeaderLen()+8], true // of IPv4 the array is longer than the quotation
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
	if !frame.IsICMP(m.inside.proto) {
		return nil, false
	}
	icmp := f.quote
	if len(icmp) < frame.ICMPHeader {
		return m.sent.find(netip.AddrPortFrom(f.to.Addr(), 0))
	}
	dst := f.to.Addr()
	header := frame.FixedHeader(dst)
	b := make([]byte, header+min(len(icmp), 548)) // what fits an error of 576 bytes (RFC 1812 4.3.2.3), which will do in IPv6
	copy(b[header:], icmp)
	frame.PutIP(b, frame.ProtoICMPOf(dst), 1, 0, h.self(dst.Is6()), dst)
	return b, true
}
