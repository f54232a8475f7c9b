package trace

import (
	"fmt"

	"uswitch/switch/frame"
)

func icmpWords(p frame.IPv4) string {
	m, ok := frame.ParseICMP(p.Payload())
	if !ok {
		return "cut short"
	}
	switch m.Type() {
	case frame.ICMPEcho:
		return fmt.Sprintf("echo request, id %d seq %d, ttl %d", m.ID(), m.Seq(), p.TTL())
	case frame.ICMPEchoReply:
		return fmt.Sprintf("echo reply, id %d seq %d, ttl %d", m.ID(), m.Seq(), p.TTL())
	}
	what := m.Error().String()
	if m.IsError() {
		if quoted, ok := frame.ParseClippedIPv4(m.Payload()); ok {
			what += ", about " + flowWords(quoted)
		}
	}
	return what
}

// flowWords names the packet that an ICMP error quotes: UDP 11.11.11.2:40000 > 8.8.8.8:53.
func flowWords(p frame.IPv4) string {
	t, ok := frame.TupleOf(p)
	if !ok {
		return fmt.Sprintf("%s %v > %v", protoWord(t.Proto), t.Src(), t.Dst())
	}
	if t.Proto == frame.ProtoICMP {
		return fmt.Sprintf("ICMP %s > %v", t.Source(), t.Dst())
	}
	return fmt.Sprintf("%s %s > %s", protoWord(t.Proto), t.Source(), t.Destination())
}
