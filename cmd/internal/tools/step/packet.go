package step

import (
	"cmp"
	"fmt"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/tcpdump"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Decoded writes the packet of a step as tcpdump -e does.
func Decoded(s *api.Step) string {
	p := tcpdump.Printer{Link: true, NoTime: true}
	// What was cut off a long packet is filled up with zeroes, or it would be taken for a damaged one.
	data := append(append([]byte(nil), s.Data...), make([]byte, max(s.Length-len(s.Data), 0))...)
	return p.Line(&api.Frame{Data: data, IP: s.IP})
}

// headers are what steps change in a packet, as text; empty where there is none.
type headers struct{ srcMAC, dstMAC, src, dst, ttl string }

// differences says what a step has changed in a packet since the one before, and remembers what it is now. The gateway's
// steps show a packet without its frame: what was known of that is kept.
func (h *headers) differences(s *api.Step) (all []string) {
	is := headersOf(s)
	say := func(what string, was *string, now string) {
		if *was != "" && now != "" && *was != now {
			all = append(all, fmt.Sprintf("%s %s becomes %s", what, *was, now))
		}
		*was = cmp.Or(now, *was)
	}
	say("source", &h.src, is.src)
	say("destination", &h.dst, is.dst)
	say("ttl", &h.ttl, is.ttl)
	say("sender's MAC", &h.srcMAC, is.srcMAC)
	say("receiver's MAC", &h.dstMAC, is.dstMAC)
	return all
}

func headersOf(s *api.Step) (h headers) {
	e := trace.Event{IP: s.IP, Frame: frame.Frame{Data: s.Data}}
	if eth, ok := frame.ParseEthernet(s.Data); ok && !s.IP {
		h.srcMAC, h.dstMAC = eth.Src().String(), eth.Dst().String()
	}
	p, ok := e.IPv4()
	if !ok {
		return h
	}
	h.ttl, h.src, h.dst = fmt.Sprint(p.TTL()), p.Src().String(), p.Dst().String()
	if t, ok := frame.TupleOf(p); ok {
		h.src, h.dst = t.Source(), t.Destination()
	}
	return h
}
