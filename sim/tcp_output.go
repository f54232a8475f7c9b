package sim

import "uswitch/switch/frame"

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
