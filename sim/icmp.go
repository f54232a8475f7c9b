package sim

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// inputICMP answers an echo request (RFC 1122 3.2.2.6), and hands answers and errors to whom they concern.
func (m *Machine) inputICMP(ip frame.IPv4, toGroup bool) {
	message, ok := frame.ParseICMP(ip.Payload())
	switch {
	case !ok || !message.ChecksumOK():
	case message.Type() == frame.ICMPEcho && (m.settings.IgnoreEcho || toGroup && !m.settings.AnswerBroadcasts):
		m.delivered(ip, DropEcho, "")
	case message.Type() == frame.ICMPEcho:
		m.delivered(ip, "", "")
		message.TurnEcho()
		m.answer(ip, message)
	case message.Type() == frame.ICMPEchoReply:
		if e, ok := m.echoes[message.ID()]; ok {
			e.replied(ip)
		}
	case message.IsError():
		m.inputError(ip.Src(), message)
	}
}

// fault is an ICMP error as a program sees it.
type fault struct {
	from    netip.Addr
	message frame.ICMP
}

// String says what an error means, in ping's words.
func (e fault) String() string { return e.message.Error().Ping() }

// asError is what a program that talks to a machine makes of an ICMP error.
func (e fault) asError(to netip.Addr) error {
	if e.message.Type() == frame.ICMPUnreachable && e.message.Code() == frame.UnreachablePort && e.from == to {
		return ErrRefused
	}
	return errors.New(e.String() + ", says " + e.from.String())
}

// inputError tells the program whose packet the error quotes.
func (m *Machine) inputError(from netip.Addr, message frame.ICMP) {
	quote, ok := message.Quote()
	if !ok || !m.net.owns(quote.Src()) {
		return
	}
	t, ok := frame.TupleOf(quote)
	if !ok {
		return
	}
	e := fault{from, message}
	switch t.Proto {
	case frame.ProtoICMP:
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

// sendError tells the sender of a packet what became of it, quoting all of the packet that fits 576 bytes (RFC 1812
// 4.3.2.3). Nothing is said about errors and broadcasts (RFC 1122 3.2.2).
func (m *Machine) sendError(ip frame.IPv4, toGroup bool, icmpType, code uint8, mtu uint16) {
	if message, ok := frame.ParseICMP(ip.Payload()); toGroup || ip.Proto() == frame.ProtoICMP && (!ok || !message.IsQuery()) {
		return
	}
	t := frame.Tuple{Proto: frame.ProtoICMP, DstIP: frame.AddrOf(ip.Src())}
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
	m.send(outgoing{proto: frame.ProtoICMP, src: src, dst: ip.Src(), ttl: w.ttl, payload: frame.ICMPError{Type: icmpType, Code: code, MTU: mtu}.Append(nil, ip)}, w.mtu)
}

// witness is a network that tells what becomes of the packets that a machine takes.
type witness interface {
	took(ip frame.IPv4, drop, unknown string)
}

// delivered tells whoever wants to know what has become of a packet: it was taken, or why not.
func (m *Machine) delivered(ip frame.IPv4, drop, unknown string) {
	if w, ok := m.net.(witness); ok {
		w.took(ip, drop, unknown)
	}
}

// took implements witness.
func (h *Host) took(ip frame.IPv4, drop, unknown string) {
	h.tell(Step{Kind: StepDeliver, Packet: ip, Addr: ip.Dst(), Drop: drop, Unknown: unknown})
}

// listening is a network that knows at which addresses its machine's sockets listen.
type listening interface {
	listens(ip frame.IPv4, port uint16) (ok bool, unknown string)
}

// open reports whether a packet for a port may find its socket.
func (m *Machine) open(ip frame.IPv4, port uint16) (ok bool, unknown string) {
	if l, yes := m.net.(listening); yes {
		return l.listens(ip, port)
	}
	return true, ""
}

// echoes is who hears the answers to echo requests of one identifier, and the errors about them.
type echoes struct {
	replied func(frame.IPv4)
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
	w, err := m.net.source(toward(frame.ProtoICMP, netip.AddrPortFrom(dst, 0)))
	if err == nil && dontFragment && frame.IPv4Header+frame.ICMPHeader+size > w.mtu {
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
		replied: func(ip frame.IPv4) {
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
	m.send(outgoing{proto: frame.ProtoICMP, src: w.src, dst: dst, ttl: w.ttl, dontFragment: dontFragment,
		payload: frame.PutEcho(request, frame.ICMPEcho, id, 1)}, w.mtu)
}
