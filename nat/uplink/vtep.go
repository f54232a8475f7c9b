//go:build !js

package uplink

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// VTEP is the sockets through which a tunnel's packets leave this machine and arrive: one at the tunnel's port, and sendingSockets
// others, for what is outside spreads flows over its links and queues by the source port (RFC 7348 section 5). No privileges are
// needed. Its methods may be called from many goroutines.
type VTEP struct {
	local   netip.AddrPort
	tracer  *trace.Tracer
	now     func() time.Time
	receive *socket
	lost    queues
	senders [sendingSockets]tunnelSender

	mu    sync.Mutex // guards what follows
	peers map[netip.Addr]*PeerState
}

const sendingSockets = 16

// The ports that the sockets are bound to (RFC 7348 section 5).
const firstSource, lastSource = 49152, 65535

// tunnelBuffer is how many bytes wait at each of a tunnel's sockets at most, if this machine allows it: some super-frames of each
// host.
const tunnelBuffer = 4 << 20

// OpenVTEP opens the sockets. It fails if somebody else has the port, whom the error names where this machine tells.
func OpenVTEP(c VTEPConfig) (*VTEP, error) {
	v := &VTEP{local: c.Local, tracer: c.Tracer, now: c.Now, peers: map[netip.Addr]*PeerState{}}
	var err error
	if v.receive, err = openTunnelSocket(c.Local, c.TTL); err != nil {
		return nil, v.taken(err)
	}
	for i := range v.senders {
		s, port, err := openSender(c.Local.Addr(), c.TTL)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%v: no port to send from: %w", c.Local.Addr(), err), v.Close())
		}
		v.senders[i].adopt(s, port)
	}
	return v, nil
}

// taken says why the port cannot be had.
func (v *VTEP) taken(err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		if owner := portOwner(frame.ProtoUDP, v.local.Port()); owner != "" {
			return fmt.Errorf("%v/udp %w, by %s", v.local, ErrTaken, owner)
		}
		return fmt.Errorf("%v/udp %w", v.local, ErrTaken)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("%v is no address of this machine", v.local.Addr())
	}
	return fmt.Errorf("%v/udp: %w", v.local, err)
}

// openSender opens a socket at a port of the range for sources.
func openSender(local netip.Addr, ttl uint8) (s *socket, port uint16, err error) {
	for range 64 {
		port = uint16(firstSource + rand.IntN(lastSource-firstSource+1))
		s, err = openTunnelSocket(netip.AddrPortFrom(local, port), ttl)
		if !errors.Is(err, unix.EADDRINUSE) {
			return s, port, err
		}
	}
	return nil, 0, err
}

func openTunnelSocket(local netip.AddrPort, ttl uint8) (*socket, error) {
	fd, err := newSocket(unix.SOCK_DGRAM, unix.IPPROTO_UDP, false)
	if err != nil {
		return nil, err
	}
	err = errors.Join(prepare(fd, frame.ProtoUDP, false), prepareTunnel(fd, ttl))
	if err == nil {
		err = unix.Bind(fd, sockaddr(local))
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return wrap(fd, false)
}

// Source returns where the packets of a flow come from.
func (v *VTEP) Source(flow uint32) netip.AddrPort {
	return netip.AddrPortFrom(v.local.Addr(), v.senders[flow%sendingSockets].port)
}

// Send sends datagrams that stand one behind the other in b, each of size bytes but the last: with one system call where the kernel
// cuts. It waits for nothing. Datagrams have DF; if they are too big for the way the reason is trace.PktTooBig, and fits is how
// many bytes one can hold, 0 if nobody knows. An error that an earlier datagram has earned is noted at its peer, and this one is
// sent all the same.
func (v *VTEP) Send(b []byte, size int, flow uint32, to netip.AddrPort, tos uint8) (r trace.Reason, fits int) {
	s := &v.senders[flow%sendingSockets]
	for range sendRetries {
		sent, err := s.send(b, size, to, tos)
		b = b[min(sent, len(b)):]
		if err == nil || len(b) == 0 {
			return trace.NoReason, 0
		}
		mtu := v.failures(s)
		switch {
		case errors.Is(err, unix.EMSGSIZE):
			if fits = 0; mtu > 0 {
				fits = mtu - frame.IPv4Header - frame.UDPHeader
			}
			return trace.PktTooBig, fits
		case !ofEarlier(err):
			return why(err), 0
		}
	}
	return trace.UplinkError, 0
}

// failures takes what was said of earlier datagrams off a socket, and notes it at their peers. It returns the MTU of the way that a
// datagram did not fit, as the kernel has just said it.
func (v *VTEP) failures(s *tunnelSender) (mtu int) {
	var b, oob [oobSize]byte
	_ = s.socket.control(func(fd int) error {
		for range readsInTurn {
			f, ok := receiveFailure(fd, b[:], oob[:])
			if !ok {
				return nil
			}
			if f.icmpType == frame.ICMPUnreachable && f.code == frame.UnreachableTooBig {
				mtu = int(f.mtu)
			}
			v.note(f)
		}
		return nil
	})
	return mtu
}

// maxPeerStates bounds how many machines are remembered.
const maxPeerStates = 1024

// note remembers an ICMP error, and counts the frame that its packet held.
func (v *VTEP) note(f failure) {
	if !f.from.IsValid() {
		return // the kernel's own: whoever sends is told
	}
	message := frame.ICMPError{Type: f.icmpType, Code: f.code, MTU: f.mtu}
	r := trace.Unreachable
	if f.icmpType == frame.ICMPUnreachable && f.code == frame.UnreachablePort {
		r = trace.Refused
	}
	v.tracer.Count(r)
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.peers[f.to.Addr()]
	if p == nil {
		if len(v.peers) >= maxPeerStates {
			return
		}
		p = &PeerState{Addr: f.to.Addr()}
		v.peers[p.Addr] = p
	}
	p.Errors++
	p.Last, p.From, p.When = message.String(), f.from.String(), v.now()
}

// Peers returns what was said of other machines, by address.
func (v *VTEP) Peers() []PeerState {
	for i := range v.senders {
		v.failures(&v.senders[i])
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []PeerState
	for _, p := range v.peers {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b PeerState) int { return a.Addr.Compare(b.Addr) })
	return all
}

// Serve gives what arrives to take, until Close. taken is called when what take was given is about to be read over. A fault in either
// loses what it was about.
func (v *VTEP) Serve(take func(Datagrams), taken func()) {
	leave := v.lost.join(v.receive)
	defer leave()
	datagram := func(b []byte, r received) {
		d := Datagrams{Data: b[:r.n], Size: r.pieces, From: r.from, TTL: r.ttl, TOS: r.tos}
		if d.Size == 0 {
			d.Size = r.n
		}
		take(d)
	}
	var closed error
	turn := func(fd uintptr) bool { return readTunnel(int(fd), datagram, taken) }
	for closed == nil {
		func() {
			defer v.tracer.Contain(trace.UplinkFault, "a tunnel's socket")
			closed = v.receive.conn.Read(turn)
		}()
	}
}

// readTunnel is one turn of Serve. It returns false when there is nothing left to read.
func readTunnel(fd int, datagram func([]byte, received), taken func()) (more bool) {
	in := newBatch()
	defer in.release()
	inRow := 0
	for range readsInTurn {
		n, err := in.receive(fd, 0, atOnce(inRow))
		for i := range n {
			r := in.received(i)
			if inRow++; r.pieces > 0 {
				inRow = 0
			}
			datagram(in.buffers[i][:], r)
		}
		taken()
		if err != nil && !errors.Is(err, unix.EINTR) {
			return !errors.Is(err, unix.EAGAIN)
		}
	}
	return true
}

// Overflowed returns how many packets were lost because the socket's queue was full.
func (v *VTEP) Overflowed() uint64 {
	v.lost.mu.Lock()
	defer v.lost.mu.Unlock()
	sum := v.lost.gone
	for s := range v.lost.open {
		sum += s.overflowed()
	}
	return sum
}

// Close closes the sockets, and ends Serve.
func (v *VTEP) Close() error {
	err := v.receive.Close()
	for i := range v.senders {
		if s := v.senders[i].socket; s != nil {
			err = errors.Join(err, v.senders[i].close())
		}
	}
	return err
}
