//go:build !js

package uplink

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// A TCP connection that leaves:
//
//	Bind         a socket is bound: the connection has its outside port                       dial, with a socket
//	outputTCP    the SYN is noted, netstack gets it, and a goroutine comes to accept
//	accept       connect, and wait
//	             answered:      netstack completes the inside handshake                       splice
//	             refused:       RST
//	             unreachable:   an ICMP error that quotes the SYN
//	             no answer:     nothing
//	splice       copies both ways until both sides have closed, or one reset
//	Release      the gateway has forgotten it

// outputTCP gives a segment to netstack.
func (h *Host) outputTCP(p *outgoing) trace.Reason {
	t, ok := frame.ParseTCP(p.ip.Payload())
	switch {
	case !ok:
		return trace.BadL4
	case p.damaged():
		return trace.BadL4Checksum
	case t.Flags()&(frame.SYN|frame.ACK|frame.RST|frame.FIN) == frame.SYN:
		if r := h.refusesAlways(p.ip.Dst()); r != trace.NoReason {
			return r
		}
		if r := h.noteSYN(t, p); r != trace.NoReason {
			return r
		}
		if r := h.refuses(p.ip.Dst()); r != trace.NoReason { // asks the machine, which costs more than the rest of a SYN
			return r
		}
	}
	left, ep, r := h.cutThrough(p, t)
	if r != trace.NoReason {
		return r
	}
	if ep == nil || !h.net.inputNow(ep, p.ip, t, left) {
		h.net.input(p.ip, p.ip.HeaderLen()+t.HeaderLen(), left)
	}
	return trace.NoReason
}

// noteSYN keeps what an ICMP error about the dial will quote. A dial that has no socket any more begins again, and is counted.
// A port that was never bound is NATNoPort.
func (h *Host) noteSYN(t frame.TCP, p *outgoing) trace.Reason {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.dialOf(outsideOf(frame.ProtoTCP, p.ip.Dst(), t.SrcPort()), netip.AddrPortFrom(p.ip.Dst(), t.DstPort()))
	if d == nil {
		return trace.NATNoPort
	}
	if d.sock == nil && !d.paid {
		if r := h.startDial(h.source(d.m.from), p.now); r != trace.NoReason {
			return r
		}
		d.paid = true
	}
	n := p.ip.HeaderLen() + quotedTCP
	if again := p.ip[n-quotedTCP : n]; len(d.syn) < quotedTCP || string(d.syn[len(d.syn)-quotedTCP:]) != string(again) {
		d.syn = append([]byte(nil), p.ip[:n]...)
	}
	return trace.NoReason
}

// quotedTCP is how much of a segment an ICMP error quotes, in bytes: its ports and its sequence number (RFC 792). IP headers
// in front of it differ in length, also from one SYN of a connection to the next.
const quotedTCP = 8

func (h *Host) dialOf(port outside, to netip.AddrPort) *dial {
	if m := h.outside[port]; m != nil {
		return m.dials[to]
	}
	return nil
}

// accept is netstack's question what to do with a SYN, in a goroutine of its own, which ends at once.
func (h *Host) accept(r *tcp.ForwarderRequest) {
	asked := &question{ForwarderRequest: r}
	if !h.work(func() {
		if !h.contained(func() { h.dial(asked) }) {
			asked.answer(true)
		}
	}) {
		asked.answer(false)
	}
}

// question is a SYN that netstack has asked about. It must be answered, and once only.
type question struct {
	*tcp.ForwarderRequest
	answered bool
}

// answer answers it, unless that was done: with a RST, or not at all.
func (q *question) answer(reset bool) {
	if !q.answered {
		q.answered = true
		q.Complete(reset)
	}
}

// dial connects to where a SYN wants to go, and runs the connection if that comes about.
func (h *Host) dial(r *question) {
	id := r.ID()
	dst, _ := netip.AddrFromSlice(id.LocalAddress.AsSlice()) // netstack's are of 4 or 16 bytes
	to := netip.AddrPortFrom(dst, id.LocalPort)
	d, sock, why := h.beginDial(outsideOf(frame.ProtoTCP, dst, id.RemotePort), to)
	if sock == nil {
		r.answer(false)
		h.tell(d, why)
		return
	}
	defer h.endDial(d, sock) // if it does not become a connection
	sock.probe(h.ttlOf(d))
	if err := sock.connect(to); err != nil {
		f, told := sock.failure()
		h.endDial(d, sock)
		if told && !errors.Is(err, unix.ECONNREFUSED) {
			r.answer(false)
			h.tellFailure(d, f)
			return
		}
		r.answer(errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ECONNRESET))
		h.tell(d, unreached(err))
		return
	}
	sock.endProbe()
	if !h.connected(d, sock) {
		r.answer(false) // given up meanwhile
		return
	}
	s := h.newSplice(d.m.from, sock, to, netip.AddrPortFrom(h.self(dst.Is6()), id.RemotePort))
	defer s.forget()
	if syn, ok := h.synOf(d); ok {
		s.out.begin(syn)
	}
	ep, err := r.CreateEndpoint(&s.queue)
	r.answer(false)
	if err == nil {
		s.ep = ep
		s.run(d)
	}
}

// synOf returns the sequence number of the SYN that a dial came from. It is not known if the gateway has forgotten the
// connection meanwhile and begun another in its place, whose SYN has not come; then everything goes by way of netstack.
func (h *Host) synOf(d *dial) (seq uint32, ok bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if d.syn == nil {
		return 0, false
	}
	return binary.BigEndian.Uint32(d.syn[len(d.syn)-4:]), true // behind the IP header and the ports
}

// ttlOf returns the TTL that the SYN of a dial has left with, 0 if it is not known.
func (h *Host) ttlOf(d *dial) uint8 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if d.syn == nil {
		return 0
	}
	return frame.IP(d.syn).TTL()
}

// unreached says what is told to the inside about a dial that failed, NoReason being silence.
func unreached(err error) trace.Reason {
	switch r := why(err); r {
	case trace.NoRoute, trace.Unreachable, trace.UplinkForbid, trace.NATNoPort, trace.NoMem:
		return r
	}
	return trace.NoReason
}

// tell sends the ICMP message that goes with a reason to whoever sent the dial's SYN.
func (h *Host) tell(d *dial, r trace.Reason) {
	codes := map[trace.Reason][2]uint8{
		trace.NoRoute:      {frame.UnreachableNet, frame.Unreachable6NoRoute},
		trace.Unreachable:  {frame.UnreachableHost, frame.Unreachable6Address},
		trace.UplinkForbid: {frame.UnreachableHost, frame.Unreachable6Address},
		trace.NATNoPort:    {frame.UnreachableAdmin, frame.Unreachable6Admin},
		trace.NoMem:        {frame.UnreachableAdmin, frame.Unreachable6Admin},
		trace.SourceLimit:  {frame.UnreachableAdmin, frame.Unreachable6Admin}}
	code, ok := codes[r]
	switch {
	case !ok || d == nil:
	case d.m.outside().v6:
		h.tellFailure(d, failure{icmpType: frame.ICMPv6Unreachable, code: code[1]})
	default:
		h.tellFailure(d, failure{icmpType: frame.ICMPUnreachable, code: code[0]})
	}
}

// tellFailure hands in an ICMP error about a dial's SYN, from whoever has sent it.
func (h *Host) tellFailure(d *dial, f failure) {
	h.mu.RLock()
	syn := d.syn
	h.mu.RUnlock()
	if syn != nil {
		h.injectError(f, syn)
	}
}
