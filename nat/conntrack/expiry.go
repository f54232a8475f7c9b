package conntrack

import (
	"time"

	"uswitch/switch/frame"
)

// Timeouts say how long a connection is remembered without traffic. The defaults follow the RFCs on NAT where Linux is
// shorter than they allow.
type Timeouts struct {
	TCPEstablished time.Duration // RFC 5382 REQ-5 asks for 2 h 4 min; Linux has 5 days
	TCPTransitory  time.Duration // opening or closing: RFC 5382 REQ-5 asks for 4 min
	TCPTimeWait    time.Duration // both sides have closed
	TCPClose       time.Duration // reset
	UDP            time.Duration // RFC 4787 REQ-5 asks for 2 min and recommends 5
	ICMP           time.Duration // RFC 5508 REQ-2 asks for 60 s
	Other          time.Duration // any other protocol, as Linux
}

// DefaultTimeouts returns the defaults.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		TCPEstablished: 5 * 24 * time.Hour,
		TCPTransitory:  4 * time.Minute,
		TCPTimeWait:    2 * time.Minute,
		TCPClose:       10 * time.Second,
		UDP:            5 * time.Minute,
		ICMP:           60 * time.Second,
		Other:          10 * time.Minute,
	}
}

// SetTimeouts changes how long connections are remembered, from their next packet on.
func (t *Table) SetTimeouts(to Timeouts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timeouts = to
}

func (t *Timeouts) of(c *Conn) time.Duration {
	switch c.Tuples[Original].Proto {
	case frame.ProtoTCP:
		switch c.tcp.state {
		case tcpEstablished:
			if !c.replied {
				return t.TCPTransitory // taken up in its midst, and so far only one side was heard
			}
			return t.TCPEstablished
		case tcpTimeWait:
			return t.TCPTimeWait
		case tcpClose:
			return t.TCPClose
		}
		return t.TCPTransitory
	case frame.ProtoUDP, frame.ProtoUDPLite:
		return t.UDP
	case frame.ProtoICMP, frame.ProtoICMPv6:
		return t.ICMP
	}
	return t.Other
}

// wheel finds what has expired without looking at anything else: each connection lies in the slot of the second in which it
// expires, or the last one there is. A packet that gives a connection more time does not move it; that is done when its slot
// comes round, which costs one look in many minutes. It is guarded by the table's lock.
type wheel struct {
	slots [wheelSlots]queue
	swept int64 // the second up to which everything was looked at
}

const wheelSlots = 512 // seconds; longer than all timeouts but that of an established TCP connection

// SweepInterval is how late an expired connection may be swept out. A packet of its own finds it expired at once; its port is
// free for others when it is swept.
const SweepInterval = time.Second

// schedule puts a connection where its time will be over, earlier than it was if need be.
func (w *wheel) schedule(c *Conn) {
	due := int64((c.expires + SweepInterval - 1) / SweepInterval)
	due = min(max(due, w.swept+1), w.swept+wheelSlots-1)
	if c.timer.in != nil {
		if due >= c.due {
			return
		}
		c.timer.leave()
	}
	c.due = due
	w.slots[due%wheelSlots].push(&c.timer, c)
}

// next returns a connection whose slot has come round, nil if there is none up to now, and takes it out of the wheel.
func (w *wheel) next(now time.Duration) *Conn {
	until := int64(now / SweepInterval)
	w.swept = max(w.swept, until-wheelSlots) // what is older lies in a slot that comes round once more
	for w.swept < until {
		if c := w.slots[(w.swept+1)%wheelSlots].oldest(); c != nil {
			c.timer.leave()
			return c
		}
		w.swept++
	}
	return nil
}
