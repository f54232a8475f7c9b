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
	what := icmpName(m)
	if m.IsError() {
		if quoted, ok := clippedIPv4(m.Payload()); ok {
			what += ", about " + flowWords(quoted)
		}
	}
	return what
}

// icmpName names a message by type and code (IANA ICMP parameters).
func icmpName(m frame.ICMP) string {
	switch m.Type() {
	case frame.ICMPUnreachable:
		return unreachableName(m)
	case 4:
		return "source quench"
	case frame.ICMPRedirect:
		return "redirect: there is a shorter way"
	case frame.ICMPTimeExceeded:
		if m.Code() == 1 {
			return "fragments missing for too long"
		}
		return "time to live exceeded"
	case frame.ICMPParamProblem:
		return "header problem"
	case 9:
		return "router advertisement"
	case 10:
		return "router solicitation"
	case 13:
		return "timestamp request"
	case 14:
		return "timestamp reply"
	}
	return fmt.Sprintf("type %d code %d", m.Type(), m.Code())
}

func unreachableName(m frame.ICMP) string {
	switch m.Code() {
	case frame.UnreachableNet:
		return "network unreachable"
	case frame.UnreachableHost:
		return "host unreachable"
	case frame.UnreachableProtocol:
		return "protocol unreachable"
	case frame.UnreachablePort:
		return "port unreachable"
	case frame.UnreachableTooBig:
		return fmt.Sprintf("too big: at most %d bytes fit", m.MTU())
	case frame.UnreachableNetAdmin, frame.UnreachableHostAdm, frame.UnreachableAdmin:
		return "forbidden by a filter"
	}
	return fmt.Sprintf("unreachable, code %d", m.Code())
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
