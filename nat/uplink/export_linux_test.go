package uplink

import (
	"math"
	"net/netip"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// Arrival is a datagram that a Batch has read.
type Arrival struct {
	Payload  string
	From     netip.AddrPort
	TTL, TOS uint8
}

// Batch is a batch outside a Host.
type Batch struct{ in *batch }

func NewBatch() Batch    { return Batch{newBatch()} }
func (b Batch) Release() { b.in.release() }
func (b Batch) Buffers() (n int) {
	for _, buffer := range b.in.buffers {
		if buffer != nil {
			n++
		}
	}
	return n
}

// Read reads up to most datagrams with one system call, and returns how many there were.
func (b Batch) Read(fd, most int) (int, error) { return b.in.receive(fd, payloadAt(false), most) }

// From returns the sender of one that was read.
func (b Batch) From(i int) netip.AddrPort { return b.in.received(i).from }

// Arrival returns one that was read.
func (b Batch) Arrival(i int) Arrival {
	r := b.in.received(i)
	return Arrival{string(b.in.buffers[i][payloadAt(false):][:r.n]), r.from, r.ttl, r.tos}
}

// Socket is a UDP socket as a mapping has one, at a port of the kernel's choice.
type Socket struct{ *socket }

func NewSocket() (Socket, uint16, error) {
	s, port, err := openSocket(outside{proto: 17}, nil, false)
	return Socket{s}, port, err
}

// Control runs f with the descriptor.
func (s Socket) Control(f func(fd int) error) error { return s.control(f) }

// ReadAll reads until the socket is closed, as a Host does.
func (s Socket) ReadAll(datagram func(payload []byte, from netip.AddrPort)) {
	new(Host).readAll(s.socket, payloadAt(false), func(b []byte, r received) { datagram(b[payloadAt(false):][:r.n], r.from) }, func(failure) {})
}

// SendPieces sends a super-datagram that the kernel does not cut.
func (s Socket) SendPieces(payload []byte, pieces int, to netip.AddrPort, dontFragment bool) error {
	return s.sendPieces(payload, pieces, to, ipOptions{ttl: 64, dontFragment: dontFragment})
}

// SendOneByOne sends the same with a system call for each datagram, for comparison.
func (s Socket) SendOneByOne(payload []byte, pieces int, to netip.AddrPort) error {
	for ; len(payload) > 0; payload = payload[min(pieces, len(payload)):] {
		if err := s.sendTo(payload[:min(pieces, len(payload))], to, ipOptions{ttl: 64}); err != nil {
			return err
		}
	}
	return nil
}

// Waiting reports whether a datagram waits to be read.
func (s Socket) Waiting() bool {
	waiting := false
	_ = s.control(func(fd int) error {
		_, _, err := unix.Recvfrom(fd, nil, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		waiting = err == nil
		return nil
	})
	return waiting
}

// Break makes a Host fail on what leaves by a connection.
func Break(h *Host, t frame.Tuple) {
	o := &transmitRelay{begun: true, first: 1, last: math.MaxUint64}
	o.open.Store(true)
	h.flows.add(t, o)
}
