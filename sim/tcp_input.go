package sim

import (
	"net/netip"

	"uswitch/switch/frame"
)

// input does what RFC 9293 3.10.7 says of a segment that arrives, in its order.
func (c *conn) input(s frame.TCP) {
	if c.state == synSent {
		c.inputSynSent(s)
		return
	}
	flags, data, seq := s.Flags(), s.Payload(), s.Seq()
	switch {
	case flags&frame.RST != 0:
		if seq == c.rcv {
			c.end(ErrReset)
		}
		return
	case flags&frame.SYN != 0 && c.state == synReceived && seq+1 == c.rcv:
		c.again() // our answer was lost
		return
	case flags&frame.SYN != 0:
		c.acknowledge() // RFC 5961 4
		return
	case flags&frame.ACK == 0:
		return
	}

	// What was received before is cut off; what comes too early must come again. An acknowledgement has nothing that could.
	if skip := int32(c.rcv - seq); skip > 0 && int(skip) <= len(data) {
		data, seq = data[skip:], c.rcv
	}
	if bare := int32(seq-c.rcv) > 0 && span(s) == 0 && c.state != synReceived; seq != c.rcv && !bare {
		c.acknowledge()
		return
	}
	if !c.acknowledged(s) {
		return
	}
	if c.stream != nil {
		c.stream.opened()
	}
	if len(data) == 0 && flags&frame.FIN == 0 || c.ended {
		c.output()
		c.settle()
		return
	}
	c.rcv += uint32(len(data))
	c.received = append(c.received, data...)
	if flags&frame.FIN != 0 {
		c.rcv++
		c.ended = true
	}
	if len(c.received) > maxReceived {
		c.m.sendSegment(c.tuple, segment{seq: c.nxt, flags: frame.RST})
		c.end(ErrReset)
		return
	}
	c.consume()
	before := c.nxt
	c.output()
	if c.nxt == before {
		c.acknowledge() // nothing was sent that could carry it
	}
	c.settle()
}

// inputSynSent waits for the other side to say yes or no (RFC 9293 3.10.7.3).
func (c *conn) inputSynSent(s frame.TCP) {
	flags := s.Flags()
	if flags&frame.ACK == 0 || s.Ack() != c.una+1 {
		return
	}
	switch {
	case flags&frame.RST != 0:
		c.end(ErrRefused)
	case flags&frame.SYN != 0:
		c.rcv = s.Seq() + 1
		c.readOptions(s)
		c.acknowledged(s)
		c.acknowledge()
		if c.stream != nil {
			c.stream.opened()
		}
		c.output()
	}
}

// acknowledged takes the peer's acknowledgement and window. It reports whether the segment makes sense.
func (c *conn) acknowledged(s frame.TCP) bool {
	n := int32(s.Ack() - c.una)
	if int32(s.Ack()-c.high) > 0 {
		c.acknowledge() // of something that was never sent
		return false
	}
	if n >= 0 {
		c.window = int(s.Window())
	}
	if n <= 0 {
		return c.state != synReceived
	}
	c.una, c.tries = s.Ack(), 0
	if int32(c.nxt-c.una) < 0 {
		c.nxt = c.una
	}
	if c.state == synSent || c.state == synReceived {
		c.state = established
		n--
	}
	if int(n) > len(c.queue) {
		c.closed = true
		n = int32(len(c.queue))
	}
	c.queue = c.queue[n:]
	if c.stream != nil && n > 0 && c.stream.state == open {
		c.stream.events.Sent()
	}
	return true
}

// acknowledge sends an empty segment that says what has arrived. Its number is that of what was never sent, also while
// something is sent again: two that answer old numbers with old numbers would never come to an end.
func (c *conn) acknowledge() {
	c.m.sendSegment(c.tuple, segment{seq: c.high, ack: c.rcv, flags: frame.ACK})
}

// consume lets the service look at what has been received, and closes where there is nothing more to say.
func (c *conn) consume() {
	if c.stream != nil {
		received := c.received
		c.received = nil
		c.stream.consume(received, c.ended)
		return
	}
	if c.closing {
		return
	}
	if answer := c.service(netip.AddrPortFrom(c.tuple.Dst(), c.tuple.DstPort), c.received); answer != nil {
		c.queue, c.closing = append(c.queue, answer...), true
	}
	c.closing = c.closing || c.ended
}

// settle ends a connection that both sides have closed. It is remembered for a while, so that a repeated FIN finds
// somebody who acknowledges it.
func (c *conn) settle() {
	if c.closed && c.ended && c.state == established {
		c.state = timeWait
		c.timer.Stop()
		c.timer = c.m.time.After(timeWaitTime, c.remove)
	}
}

// output sends what may be sent: the SYN, then as much of the queue as fits the windows, then the FIN.
func (c *conn) output() {
	switch c.state {
	case synSent, synReceived:
		flags := frame.SYN
		if c.state == synReceived {
			flags |= frame.ACK
		}
		c.m.sendSegment(c.tuple, segment{seq: c.una, ack: c.rcv, flags: flags, mss: uint16(c.mss)})
		c.nxt = c.una + 1
	case established:
		for c.outputOne() {
		}
	case timeWait:
		return
	}
	if int32(c.nxt-c.high) > 0 {
		c.high = c.nxt
	}
	c.setTimer()
}

// outputOne sends one segment of data or the FIN, and reports whether it did.
func (c *conn) outputOne() bool {
	sent := int(c.nxt - c.una)
	if c.closed || sent > len(c.queue) {
		return false // the FIN is on its way
	}
	room := min(c.window, maxFlight) - sent
	if c.window == 0 && c.tries > 0 {
		room = 1 - sent // a probe: is the window still shut? (RFC 9293 3.8.6.1)
	}
	n := min(len(c.queue)-sent, c.mss, max(room, 0))
	last := sent+n == len(c.queue)
	flags := frame.ACK
	switch {
	case last && c.closing:
		flags |= frame.FIN | frame.PSH
	case n == 0:
		return false
	case last:
		flags |= frame.PSH
	}
	c.m.sendSegment(c.tuple, segment{seq: c.nxt, ack: c.rcv, flags: flags, data: c.queue[sent : sent+n]})
	c.nxt += uint32(n)
	if flags&frame.FIN != 0 {
		c.nxt++
	}
	return true
}

// setTimer waits for an acknowledgement, if one is owed or the peer's window is shut.
func (c *conn) setTimer() {
	c.timer.Stop()
	if c.nxt != c.una || len(c.queue) > 0 {
		c.timer = c.m.time.After(firstTimeout<<c.tries, c.again)
	}
}

// again sends everything that was not acknowledged once more.
func (c *conn) again() {
	if c.tries++; c.tries > maxTries {
		c.end(ErrTimeout)
		return
	}
	c.nxt = c.una
	c.output()
}
