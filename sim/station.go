package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
)

// Station has the sockets of a simulated lab's gateway itself, on the lab's Loop: where nat/station has netstack, with goroutines
// and a clock of its own, this has a Machine.
type Station struct {
	ctx     context.Context
	end     context.CancelFunc
	loop    *Loop
	gateway *nat.Gateway
	machine *Machine
	senders map[netip.AddrPort]uint64 // of connections that are not accepted yet
}

// NewStation returns a Station. Close ends it, and all of its sockets.
func NewStation(g *nat.Gateway, l *Loop, random *rand.Rand) *Station {
	s := &Station{loop: l, gateway: g, senders: map[netip.AddrPort]uint64{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.machine = newMachine(l, random, s)
	return s
}

// Close ends every socket.
func (s *Station) Close() { s.end() }

// owns implements network: the gateway brings what is its own.
func (s *Station) owns(netip.Addr) bool { return true }

// source implements network.
func (s *Station) source(t frame.Tuple) (way, error) {
	src := t.Src()
	if src.IsUnspecified() {
		var ok bool
		if src, ok = s.gateway.Source(t.Dst()); !ok {
			return way{}, ErrNoRoute
		}
	}
	return way{src: src, mtu: 1500}, nil
}

// transmit implements network.
func (s *Station) transmit(b []byte) { s.gateway.Originate(frame.Frame{Data: b}, s.loop.Now()) }

// Deliver implements nat.Socket.
func (s *Station) Deliver(f frame.Frame, _ time.Time) {
	f = f.Clone()
	f.FinishChecksum()
	s.loop.After(0, func() {
		b := f.Data[frame.EthernetHeader:]
		s.note(b, f.Source)
		s.machine.input(b, false)
	})
}

// maxSenders bounds what is remembered of who has begun connections.
const maxSenders = 4096

// note remembers who begins a connection.
func (s *Station) note(b []byte, source uint64) {
	ip, err := frame.ParseIPv4(b)
	if err != nil || ip.Proto() != frame.ProtoTCP {
		return
	}
	if t, ok := frame.ParseTCP(ip.Payload()); ok && t.Flags()&(frame.SYN|frame.ACK) == frame.SYN {
		if len(s.senders) >= maxSenders {
			clear(s.senders)
		}
		s.senders[netip.AddrPortFrom(ip.Src(), t.SrcPort())] = source
	}
}

// filtered is a Station that some hear.
type filtered struct {
	*Station
	hears func(src, dst netip.Addr) bool
}

// Accepts implements nat.Selective.
func (c filtered) Accepts(src, dst netip.Addr) bool { return c.hears(src, dst) }

// Listen takes TCP connections to a port of the gateway, at any of its addresses where hears accepts them; nil accepts all. It may
// be called from any goroutine; Accept is for tasks. The listener ends with the Station.
func (s *Station) Listen(port uint16, hears func(src, dst netip.Addr) bool) (net.Listener, error) {
	var socket nat.Socket = s
	if hears != nil {
		socket = filtered{s, hears}
	}
	release, err := s.gateway.Open(frame.ProtoTCP, port, socket)
	if err != nil {
		return nil, err
	}
	var l *Listener
	if over := s.loop.Do(func() { l, err = Sockets{s.loop, s.machine}.Listen(s.ctx, port) }); over != nil || err != nil {
		release()
		return nil, errors.Join(over, err)
	}
	context.AfterFunc(s.ctx, release)
	return stationListener{l, s}, nil
}

// stationListener knows who has begun the connections that it accepts.
type stationListener struct {
	*Listener
	station *Station
}

// Accept implements net.Listener. The connection's RemoteAddr is a *Sender.
func (l stationListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := c.(*Conn)
	from := conn.remote.(*net.TCPAddr)
	conn.remote = &Sender{from, l.station.senders[from.AddrPort()]}
	delete(l.station.senders, from.AddrPort())
	return conn, nil
}

// Sender is the remote address of a connection that was accepted, and who began it.
type Sender struct {
	*net.TCPAddr
	source uint64
}

// Source returns the Source of the frames that began the connection, 0 if it is not known any more.
func (a *Sender) Source() uint64 { return a.source }

// Dial connects to somebody, from the gateway's address on the way there; network is tcp or udp. The net.Conn of udp is a
// net.PacketConn too. It is for tasks.
func (s *Station) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	if !to.Addr().Is4() {
		return nil, fmt.Errorf("%v: want an IPv4 address", to)
	}
	sockets := Sockets{s.loop, s.machine}
	proto := map[string]uint8{"tcp": frame.ProtoTCP, "udp": frame.ProtoUDP}[network]
	if proto == 0 {
		return nil, fmt.Errorf("network %q: want tcp or udp", network)
	}
	release, err := s.open(proto)
	if err != nil {
		return nil, err
	}
	if network == "udp" {
		c, err := sockets.DialUDP(ctx, to)
		if err != nil {
			release()
			return nil, err
		}
		c.release = release
		return c, nil
	}
	c, err := sockets.Dial(ctx, to)
	if err != nil {
		release()
		return nil, err
	}
	c.release = func() { s.loop.After(finTime, release) } // the other side may still have something to say
	return c, nil
}

// open makes the port that the machine takes next the gateway's.
func (s *Station) open(proto uint8) (release func(), err error) {
	for range 64 {
		port := s.machine.ephemeral(func(p uint16) bool { return s.machine.sockets[p] != nil })
		if release, err = s.gateway.Open(proto, port, s); err == nil {
			s.machine.lastPort = port - 1
			return release, nil
		}
	}
	return nil, errors.Join(errors.New("no port is free"), err)
}
