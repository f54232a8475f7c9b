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
	case frame.ProtoICMP:
		return t.ICMP
	}
	return t.Other
}
