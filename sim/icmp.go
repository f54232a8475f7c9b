package sim

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// inputICMP answers an echo request (RFC 1122 3.2.2.6, RFC 4443 4.2), and hands answers and errors to whom they concern.
func (m *Machine) inputICMP(ip frame.IP, toGroup bool) {
	message, ok := ip.ICMP()
	request, reply := frame.ICMPEchoOf(ip.Src())
	switch question := ok && message.Type() == request; {
	case !ok || !ip.ICMPChecksumOK():
	case question && ip.Is4() && (m.settings.IgnoreEcho || toGroup && !m.settings.AnswerBroadcasts):
		m.delivered(ip, DropEcho, "")
	case question:
		m.delivered(ip, "", "")
		ip.TurnEcho()
		m.answer(ip, ip.Payload())
	case message.Type() == reply:
		if e, ok := m.echoes[message.ID()]; ok {
			e.replied(ip)
		}
	case ip.IsICMPError():
		m.inputError(ip)
	}
}

// fault is a packet with an ICMP error, as a program sees it.
type fault struct{ packet frame.IP }

func (e fault) from() netip.Addr { return e.packet.Src() }

func (e fault) error() frame.ICMPError { return frame.ICMP(e.packet.Payload()).Error() }

// String says what an error means, in ping's words.
func (e fault) String() string {
	if e.packet.Is4() {
		return e.error().Ping()
	}
	return e.error().PingV6()
}

// mtu is how many bytes fit the way, where the error says that a packet was too big; 0: it says something else.
func (e fault) mtu() int {
	switch said := e.error(); {
	case e.packet.Is4() && said.Type == frame.ICMPUnreachable && said.Code == frame.UnreachableTooBig && said.MTU > frame.IPv4Header:
		return int(said.MTU)
	case !e.packet.Is4() && said.Type == frame.ICMPv6TooBig:
		return max(int(said.MTU), frame.IPv6MinMTU) // RFC 8201 4
	}
	return 0
}

// asError is what a program that talks to a machine makes of an ICMP error.
func (e fault) asError(to netip.Addr) error {
	said, refused := e.error(), frame.ICMPError{Type: frame.ICMPUnreachable, Code: frame.UnreachablePort}
	if !e.packet.Is4() {
		refused = inSix(refused)
	}
	if said.Type == refused.Type && said.Code == refused.Code && e.from() == to {
		return ErrRefused
	}
	return errors.New(e.String() + ", says " + e.from().String())
}

// inputError tells the program whose packet the error quotes, and remembers what fits the way (RFC 8201).
func (m *Machine) inputError(ip frame.IP) {
	quote, ok := ip.Quote()
	if !ok || !m.net.owns(quote.Src()) {
		return
	}
	t, ok := quote.Tuple()
	if !ok {
		return
	}
	e := fault{ip}
	if mtu := e.mtu(); mtu > 0 && !ip.Is4() && (len(m.paths) < maxPaths || m.paths[quote.Dst()] > 0) {
		m.paths[quote.Dst()] = mtu
	}
	switch t.Proto {
	case frame.ProtoICMP, frame.ProtoICMPv6:
		if asked, ok := m.echoes[t.SrcPort]; ok {
			asked.failed(e)
		}
	case frame.ProtoUDP:
		if s := m.sockets[t.SrcPort]; s != nil && s.failed != nil {
			s.failed(e)
		}
	case frame.ProtoTCP:
		if c := m.conns[t]; c != nil {
			c.failed(e)
		}
	}
}

// maxPaths bounds the addresses of whose way a machine knows what fits it.
const maxPaths = 1024

// inSix is the error of ICMPv6 that says what one of ICMP says (RFC 4443 3).
func inSix(e frame.ICMPError) frame.ICMPError {
	codes := map[uint8]uint8{frame.UnreachableNet: frame.Unreachable6NoRoute, frame.UnreachableHost: frame.Unreachable6Address,
		frame.UnreachablePort: frame.Unreachable6Port, frame.UnreachableAdmin: frame.Unreachable6Admin}
	switch {
	case e.Type == frame.ICMPTimeExceeded:
		return frame.ICMPError{Type: frame.ICMPv6TimeExceeded, Code: e.Code}
	case e.Code == frame.UnreachableTooBig:
		return frame.ICMPError{Type: frame.ICMPv6TooBig, MTU: e.MTU}
	case e.Code == frame.UnreachableProtocol:
		return frame.ICMPError{Type: frame.ICMPv6ParamProblem, Code: 1} // an unknown header
	}
	return frame.ICMPError{Type: frame.ICMPv6Unreachable, Code: codes[e.Code]}
}

// appendError appends to b the message about a packet, in the packet's family.
func appendError(b []byte, e frame.ICMPError, about frame.IP) []byte {
	if about.Is4() {
		return e.Append(b, about)
	}
	if e = inSix(e); e.Type == frame.ICMPv6ParamProblem {
		e.Pointer = uint16(frame.IPv6(about).NextHeaderAt())
	}
	return e.AppendV6(b, about)
}

// isSilent reports whether nothing is said about a packet: an ICMP message that is no query (RFC 1122 3.2.2, RFC 4443 2.4).
func isSilent(ip frame.IP) bool { return ip.IsICMP() && !ip.IsICMPQuery() }

// sendError tells the sender of a packet what became of it, quoting all of the packet that fits 576 bytes, in IPv6 1280 (RFC 1812
// 4.3.2.3, RFC 4443 2.4). What it says is written as for IPv4. Nothing is said about errors and broadcasts.
func (m *Machine) sendError(ip frame.IP, toGroup bool, icmpType, code uint8, mtu uint16) {
	if toGroup || isSilent(ip) || ip.Src().IsUnspecified() {
		return
	}
	t := frame.Tuple{Proto: frame.ProtoICMPOf(ip.Src()), DstIP: frame.AddrOf(ip.Src())}
	if m.net.owns(ip.Dst()) {
		t.SrcIP = frame.AddrOf(ip.Dst())
	}
	w, err := m.net.source(t)
	if err != nil {
		return
	}
	src := w.src
	if m.net.owns(ip.Dst()) {
		src = ip.Dst()
	}
	m.send(outgoing{proto: t.Proto, src: src, dst: ip.Src(), ttl: w.ttl,
		payload: appendError(nil, frame.ICMPError{Type: icmpType, Code: code, MTU: mtu}, ip)}, w.mtu)
}

// witness is a network that tells what becomes of the packets that a machine takes.
type witness interface {
	took(ip frame.IP, drop, unknown string)
}

// delivered tells whoever wants to know what has become of a packet: it was taken, or why not.
func (m *Machine) delivered(ip frame.IP, drop, unknown string) {
	if w, ok := m.net.(witness); ok {
		w.took(ip, drop, unknown)
	}
}

// took implements witness.
func (h *Host) took(ip frame.IP, drop, unknown string) {
	h.tell(Step{Kind: StepDeliver, Packet: ip, Addr: ip.Dst(), Drop: drop, Unknown: unknown})
}

// listening is a network that knows at which addresses its machine's sockets listen.
type listening interface {
	listens(ip frame.IP, port uint16) (ok bool, unknown string)
}

// open reports whether a packet for a port may find its socket.
func (m *Machine) open(ip frame.IP, port uint16) (ok bool, unknown string) {
	if l, yes := m.net.(listening); yes {
		return l.listens(ip, port)
	}
	return true, ""
}

// echoes is who hears the answers to echo requests of one identifier, and the errors about them.
type echoes struct {
	replied func(frame.IP)
	failed  func(fault)
}

// listenEcho returns an identifier whose answers and errors are e's from now on.
func (m *Machine) listenEcho(e echoes) (id uint16) {
	m.lastEcho++
	m.echoes[m.lastEcho] = e
	return m.lastEcho
}

// askEcho sends one echo request with size bytes of data, and hands what comes of it to done, once: nil is an answer, ErrTimeout
// silence as long as wait.
func (m *Machine) askEcho(dst netip.Addr, size int, dontFragment bool, wait time.Duration, done func(error)) {
	w, bare, err := m.toward(frame.ProtoICMPOf(dst), netip.AddrPortFrom(dst, 0))
	if dst = bare.Addr(); err == nil && dontFragment && frame.FixedHeader(dst)+frame.ICMPHeader+size > w.mtu {
		err = fmt.Errorf("%w: at most %d bytes fit the way, as far as it is known", ErrTooLong, w.mtu)
	}
	if err != nil {
		done(err)
		return
	}
	var id uint16
	var timer *Timer
	end := func(err error) {
		timer.Stop()
		delete(m.echoes, id)
		done(err)
	}
	id = m.listenEcho(echoes{
		replied: func(ip frame.IP) {
			if ip.Src() == dst {
				end(nil)
			}
		},
		failed: func(e fault) { end(e.asError(dst)) },
	})
	timer = m.time.After(wait, func() { end(ErrTimeout) })
	request := make([]byte, frame.ICMPHeader+size)
	for i := range size {
		request[frame.ICMPHeader+i] = byte(i)
	}
	icmpType, _ := frame.ICMPEchoOf(dst)
	m.send(outgoing{proto: frame.ProtoICMPOf(dst), src: w.src, dst: dst, ttl: w.ttl, dontFragment: dontFragment,
		payload: frame.PutEcho(request, icmpType, id, 1)}, w.mtu)
}
