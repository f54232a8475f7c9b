package sim

import (
	"net/netip"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// A small TCP (RFC 9293), honest as far as it goes: handshake from either side, retransmission with a growing timeout,
// the peer's window and segment size, orderly close, resets. It has no congestion control beyond a fixed window, keeps no
// segment that comes out of order, and scales no window: enough for a question and a page.

// Service answers a TCP connection. It is shown all that the client has sent so far, and returns nil while that is not
// enough, else the answer, after which the connection is closed.
type Service func(client netip.AddrPort, received []byte) (answer []byte)

// listener takes connections; see Listen.
type listener func(*Stream) StreamEvents

// Bounds of TCP.
const (
	maxConns    = 1024      // connections of one machine; further ones are not answered
	maxReceived = 1 << 18   // bytes that one connection may bring
	maxFlight   = 1460 * 10 // bytes on their way at once, as the initial window of RFC 6928
	ourWindow   = 65535
)

// ServeTCP lets a service answer on a port of this machine.
func (m *Machine) ServeTCP(port uint16, s Service) { m.services[port] = s }

// segment is a TCP segment to be sent.
type segment struct {
	seq, ack uint32
	flags    frame.TCPFlags
	mss      uint16 // an option of a SYN; 0: none
	data     []byte
}

// sendSegment sends a segment of a connection, or outside any.
func (m *Machine) sendSegment(t frame.Tuple, s segment) {
	f := frame.TCPFields{SrcPort: t.SrcPort, DstPort: t.DstPort, Seq: s.seq, Ack: s.ack, Flags: s.flags, Window: ourWindow, MSS: s.mss}
	b := make([]byte, f.HeaderLen()+len(s.data))
	copy(b[f.HeaderLen():], s.data)
	frame.PutTCP(b, f).SetChecksum(t.Src(), t.Dst())
	if w, err := m.net.source(t); err == nil {
		m.send(outgoing{proto: frame.ProtoTCP, src: t.Src(), dst: t.Dst(), ttl: w.ttl, payload: b}, w.mtu)
	}
}

// inputTCP hands a segment to its connection, begins one, or refuses.
func (m *Machine) inputTCP(ip frame.IP) {
	s, ok := frame.ParseTCP(ip.Payload())
	if !ok || !s.ChecksumOK(ip.Src(), ip.Dst()) {
		return
	}
	t, _ := ip.Tuple()
	if c := m.conns[t.Reply()]; c != nil {
		if !c.restarts(s) {
			c.input(s)
			return
		}
		c.remove()
	}
	open, unknown := m.open(ip, s.DstPort())
	served := open && (m.services[s.DstPort()] != nil || m.listeners[s.DstPort()] != nil)
	switch opening := s.Flags() & (frame.SYN | frame.ACK | frame.RST | frame.FIN); {
	case s.Flags()&frame.RST != 0:
	case !served || opening != frame.SYN:
		m.delivered(ip, trace.NoSocket.String(), "")
		m.refuse(t.Reply(), s)
	case len(m.conns) < maxConns:
		m.delivered(ip, "", unknown)
		m.accept(t.Reply(), s)
	}
}

// refuse answers a segment that belongs nowhere with a RST (RFC 9293 3.10.7.1).
func (m *Machine) refuse(t frame.Tuple, s frame.TCP) {
	if s.Flags()&frame.ACK != 0 {
		m.sendSegment(t, segment{seq: s.Ack(), flags: frame.RST})
		return
	}
	m.sendSegment(t, segment{ack: s.Seq() + span(s), flags: frame.RST | frame.ACK})
}

// span is how many sequence numbers a segment takes.
func span(s frame.TCP) uint32 {
	n := uint32(len(s.Payload()))
	if s.Flags()&frame.SYN != 0 {
		n++
	}
	if s.Flags()&frame.FIN != 0 {
		n++
	}
	return n
}

// Connect opens a connection, tells done once whether the other side takes it, with the errors of Dial, and closes it.
func (m *Machine) Connect(to netip.AddrPort, done func(error)) {
	var s *Stream
	s, err := m.Dial(to, StreamEvents{Opened: func() { s.Close(); done(nil) }, Data: func([]byte) {}, Sent: func() {}, Ended: done})
	if err != nil {
		done(err)
	}
}

// newClient makes a connection whose SYN is still to be sent.
func (m *Machine) newClient(to netip.AddrPort) (*conn, error) {
	w, to, err := m.toward(frame.ProtoTCP, to)
	if err != nil {
		return nil, err
	}
	if len(m.conns) >= maxConns {
		return nil, errTooMany
	}
	t := frame.Tuple{Proto: frame.ProtoTCP, SrcIP: frame.AddrOf(w.src), DstIP: frame.AddrOf(to.Addr()), DstPort: to.Port()}
	t.SrcPort = m.ephemeral(func(p uint16) bool { t.SrcPort = p; return m.conns[t] != nil })
	c := m.newConn(t, w.mtu)
	c.state = synSent
	return c, nil
}

// state of a connection, with fewer names than RFC 9293 3.3.2: who has closed is told by closing and ended.
//
//	Dial:   synSent ----+
//	                    +--> established --> timeWait --> (gone)
//	accept: synReceived +
type state uint8

// The states. The zero value is invalid.
const (
	synSent state = iota + 1
	synReceived
	established
	timeWait
)

// conn is one end of a TCP connection.
type conn struct {
	m       *Machine
	tuple   frame.Tuple // of what this end sends
	state   state
	service Service // of a server; nil: of a stream
	stream  *Stream // of a program that reads and writes

	// Sending. Sequence numbers: una is the oldest that is not acknowledged, nxt the next to send, high the next that was
	// never sent. queue[0] has the number una, once the SYN is acknowledged.
	una, nxt, high uint32
	queue          []byte
	closing        bool // a FIN follows the queue
	closed         bool // and has been acknowledged
	window         int  // bytes that the peer takes
	mss            int
	timer          *Timer
	tries          int

	// Receiving.
	rcv      uint32
	received []byte
	ended    bool // the peer has sent its FIN
}

// Retransmission: RFC 6298 2.1's first second, doubled each time, and Linux's number of tries for a SYN
// (tcp_syn_retries).
const (
	firstTimeout = time.Second
	maxTries     = 6
	timeWaitTime = 10 * time.Second // Linux: 60 s
)

func (m *Machine) newConn(t frame.Tuple, mtu int) *conn {
	seq := m.random.Uint32()
	c := &conn{m: m, tuple: t, una: seq, nxt: seq, high: seq, window: ourWindow,
		mss: mtu - frame.FixedHeader(t.Dst()) - frame.TCPHeader}
	m.conns[t] = c
	return c
}

// accept answers a SYN.
func (m *Machine) accept(t frame.Tuple, s frame.TCP) {
	w, err := m.net.source(t)
	if err != nil {
		return
	}
	c := m.newConn(t, w.mtu)
	c.state, c.service, c.rcv = synReceived, m.services[t.SrcPort], s.Seq()+1
	if accept := m.listeners[t.SrcPort]; accept != nil {
		c.stream = &Stream{conn: c, state: opening}
		c.stream.events = accept(c.stream)
	}
	c.readOptions(s)
	c.output()
}

// readOptions takes the peer's segment size (RFC 9293 3.7.1).
func (c *conn) readOptions(s frame.TCP) {
	size := frame.DefaultMSS
	if mss, ok := s.MSS(); ok {
		size = max(int(mss), 64)
	}
	c.mss = min(c.mss, size)
}

// restarts reports whether a SYN may begin a new connection in place of one that waits out its end (RFC 9293 3.10.7.4).
func (c *conn) restarts(s frame.TCP) bool {
	return c.state == timeWait && s.Flags()&(frame.SYN|frame.ACK|frame.RST) == frame.SYN && int32(s.Seq()-c.rcv) > 0
}

// end tells the program why, and forgets the connection.
func (c *conn) end(err error) {
	c.remove()
	if c.stream != nil {
		c.stream.gone(err)
	}
}

func (c *conn) remove() {
	c.timer.Stop()
	delete(c.m.conns, c.tuple)
}

// failed takes an ICMP error. It ends an attempt, not a connection (RFC 5461, RFC 1122 4.2.3.9); of a way on which less fits
// than was sent, it is sent again in smaller segments (RFC 8201 5.4).
func (c *conn) failed(e fault) {
	switch mtu := e.mtu(); {
	case mtu > 0 && !e.packet.Is4():
		if mss := mtu - frame.FixedHeader(c.tuple.Dst()) - frame.TCPHeader; mss < c.mss {
			c.mss, c.nxt = mss, c.una
			c.output()
		}
	case c.state == synSent:
		c.end(e.asError(c.tuple.Dst()))
	}
}
