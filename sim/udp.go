package sim

import (
	"cmp"
	"errors"
	"net/netip"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// socket is a UDP port in use.
type socket struct {
	receive func(from netip.AddrPort, to netip.Addr, data []byte)
	failed  func(fault) // nil: a server does not care
}

// maxDatagram is the most data that a UDP datagram over IPv4 can carry, in bytes.
const maxDatagram = 65535 - frame.IPv4Header - frame.UDPHeader

// inputUDP hands a datagram to its port, or says that nobody is there (RFC 1122 4.1.3.1).
func (m *Machine) inputUDP(ip frame.IP, toGroup bool) {
	u, ok := frame.ParseUDP(ip.Payload())
	if !ok || u.Length() < frame.UDPHeader || u.Length() > len(u) {
		return
	}
	u = u[:u.Length()]
	if !u.ChecksumOK(ip.Src(), ip.Dst()) {
		return
	}
	if toGroup && !m.net.owns(ip.Dst()) {
		m.delivered(ip, DropGroup, "whether a program of this host hears a group is not looked at")
		return
	}
	open, unknown := m.open(ip, u.DstPort())
	if s := m.sockets[u.DstPort()]; s != nil && (open || s.failed != nil) {
		if s.failed == nil {
			m.delivered(ip, "", unknown)
		}
		s.receive(netip.AddrPortFrom(ip.Src(), u.SrcPort()), ip.Dst(), u.Payload())
		return
	}
	m.delivered(ip, trace.NoSocket.String(), "")
	m.sendError(ip, toGroup, frame.ICMPUnreachable, frame.UnreachablePort, 0)
}

// ServeUDP answers every datagram to a port of this machine with what serve returns; nil is no answer.
func (m *Machine) ServeUDP(port uint16, serve func(from netip.AddrPort, data []byte) []byte) {
	m.sockets[port] = &socket{receive: func(from netip.AddrPort, to netip.Addr, data []byte) {
		if answer := serve(from, data); answer != nil {
			_ = m.sendUDP(netip.AddrPortFrom(to, port), from, answer, 0)
		}
	}}
}

// Echo is what an echo server answers (RFC 862); see ServeUDP.
func Echo(_ netip.AddrPort, data []byte) []byte { return data }

// Errors of a question that was not answered.
var (
	ErrRefused = errors.New("connection refused")
	ErrTimeout = errors.New("no answer")
	ErrReset   = errors.New("connection reset by peer")
)

// AskUDP sends a datagram and hands what comes back to done, once: the answer of the asked machine, or ErrRefused, an
// error in the words of ping, ErrTimeout after wait, ErrNoRoute.
func (m *Machine) AskUDP(to netip.AddrPort, data []byte, wait time.Duration, done func(answer []byte, err error)) {
	port := m.ephemeral(func(p uint16) bool { return m.sockets[p] != nil })
	var timer *Timer
	end := func(answer []byte, err error) {
		timer.Stop()
		delete(m.sockets, port)
		done(answer, err)
	}
	w, to, err := m.toward(frame.ProtoUDP, to)
	if err == nil {
		m.sockets[port] = &socket{
			receive: func(from netip.AddrPort, _ netip.Addr, answer []byte) {
				if from == to {
					end(answer, nil)
				}
			},
			failed: func(e fault) { end(nil, e.asError(to.Addr())) },
		}
		timer = m.time.After(wait, func() { end(nil, ErrTimeout) })
		err = m.sendUDP(netip.AddrPortFrom(w.src, port), to, data, 0)
	}
	if err != nil {
		end(nil, err)
	}
}

// sendUDP sends one datagram.
func (m *Machine) sendUDP(from, to netip.AddrPort, data []byte, ttl uint8) error {
	if len(data) > maxDatagram {
		return errors.New("message too long")
	}
	w, err := m.net.source(frame.Tuple{Proto: frame.ProtoUDP, SrcIP: frame.AddrOf(from.Addr()), SrcPort: from.Port(), DstIP: frame.AddrOf(to.Addr()), DstPort: to.Port()})
	if err != nil {
		return err
	}
	b := make([]byte, frame.UDPHeader+len(data))
	copy(b[frame.UDPHeader:], data)
	frame.PutUDP(b, from.Port(), to.Port()).SetChecksum(from.Addr(), to.Addr())
	m.send(outgoing{proto: frame.ProtoUDP, src: from.Addr(), dst: to.Addr(), ttl: cmp.Or(ttl, w.ttl), payload: b}, w.mtu)
	return nil
}

// ListenUDP hands every datagram to a port of this machine to receive, which may keep it, until stop is called.
func (m *Machine) ListenUDP(port uint16, receive func(from netip.AddrPort, data []byte)) (stop func(), err error) {
	if m.sockets[port] != nil {
		return nil, ErrInUse
	}
	s := &socket{receive: func(from netip.AddrPort, _ netip.Addr, data []byte) { receive(from, data) }}
	m.sockets[port] = s
	return func() {
		if m.sockets[port] == s {
			delete(m.sockets, port)
		}
	}, nil
}
