package sim

import (
	"time"

	"uswitch/switch/frame"
)

// state of a connection, with fewer names than RFC 9293 3.3.2: who has closed is told by closing and ended.
//
//	AskTCP: synSent ----+
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
	service Service             // of a server
	done    func([]byte, error) // of a client; nil once it has been called
	opened  func()              // of a client that only wants to know whether the other side takes it; nil: it wants more
	stream  *Stream             // of a program that reads and writes; nil: one of the above

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
		mss: mtu - frame.IPv4Header - frame.TCPHeader}
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

// end tells the client how it went, and forgets the connection.
func (c *conn) end(err error) {
	c.remove()
	c.tell(c.received, err)
	if c.stream != nil {
		c.stream.gone(err)
	}
}

// tell is for clients that wait for an answer.
func (c *conn) tell(answer []byte, err error) {
	if done := c.done; done != nil {
		c.done = nil
		done(answer, err)
	}
}

func (c *conn) remove() {
	c.timer.Stop()
	delete(c.m.conns, c.tuple)
}

// failed takes an ICMP error. It ends an attempt, not a connection (RFC 5461, RFC 1122 4.2.3.9).
func (c *conn) failed(e fault) {
	if c.state == synSent {
		c.end(e.asError(c.tuple.Dst()))
	}
}
