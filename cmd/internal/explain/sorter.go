package explain

import (
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// sorter tells the journeys of a question, of its answer and of their ARP from the others. It is shown all events in
// order, and follows translations: what a packet becomes belongs to the same question.
type sorter struct {
	question target
	there    []frame.Tuple // how the question has looked so far
	first    uint64        // journey of the question
	ids      [2]packetID   // of the question and its answer; their other fragments have the same
	answered bool
	errors   bool
	journeys map[uint64]*kind // nil: somebody else's
}

// kind is what a journey is.
type kind struct {
	way api.Way
	arp netip.Addr
}

// packetID is what fragments of one packet have in common.
type packetID struct {
	src, dst netip.Addr
	id       uint16
	proto    uint8
}

func idOf(p frame.IPv4) packetID { return packetID{p.Src(), p.Dst(), p.ID(), p.Proto()} }

// kindOf says what the journey of an event is to the question; nil: nothing.
func (s *sorter) kindOf(e *trace.Event) *kind {
	k, known := s.journeys[e.Packet]
	if !known {
		k = s.judge(e)
		s.journeys[e.Packet] = k
	}
	if k != nil && e.Verdict == trace.Rewrite && e.After.Proto != 0 {
		if k.way == api.There {
			s.there = append(s.there, e.After)
		} else {
			s.there = append(s.there, e.After.Reply())
		}
	}
	return k
}

// judge looks at the first event of a journey.
func (s *sorter) judge(e *trace.Event) *kind {
	if !e.IP {
		if eth, ok := frame.ParseEthernet(e.Frame.Data); ok && eth.Type() == frame.TypeARP {
			return s.judgeARP(eth)
		}
	}
	p, ok := e.IPv4()
	if !ok {
		return nil
	}
	tuple, hasTuple := frame.TupleOf(p)
	id := idOf(p)
	switch {
	case s.first == 0:
		if p.Proto() != s.question.proto() || p.Dst() != s.question.addr {
			return nil
		}
		s.first, s.ids[0], s.there = e.Packet, id, []frame.Tuple{tuple}
		return &kind{way: api.There}
	case id == s.ids[0] && p.IsFragment():
		return &kind{way: api.There}
	case id == s.ids[1] && p.IsFragment():
		return &kind{way: api.Back}
	case hasTuple && id.id == s.ids[0].id && slices.Contains(s.there, tuple): // a host has sent it on
		return &kind{way: api.There}
	case hasTuple && s.answered && id.id == s.ids[1].id && s.answers(tuple):
		return &kind{way: api.Back}
	case hasTuple && !s.answered && s.answers(tuple):
		s.answered, s.ids[1] = true, id
		return &kind{way: api.Back}
	case p.Proto() == frame.ProtoICMP && !s.errors && s.quotes(frame.IP(p)):
		s.errors = true
		return &kind{way: api.Back}
	}
	return nil
}

// wayOf says which packet a host's step is about; empty: none of the question's.
func (s *sorter) wayOf(h *sim.Step) api.Way {
	now := api.There
	if s.answered || s.errors {
		now = api.Back
	}
	if h.Packet == nil { // a question of ARP, or a look-up before anything is sent
		if s.first == 0 && h.Kind != sim.StepARP && h.Kind != sim.StepUnseen && h.Host != s.question.From {
			return ""
		}
		if s.first != 0 && h.Host != s.question.From && (h.Kind == sim.StepRoute || h.Kind == sim.StepNIC) {
			return api.Back // it would have answered
		}
		return now
	}
	tuple, ok := h.Packet.Tuple()
	switch {
	case len(s.there) == 0 && h.Host == s.question.From && h.Packet.Dst() == s.question.addr:
		return api.There
	case ok && slices.Contains(s.there, tuple), h.Packet.IsFragment() && h.Packet.Is4() && idOf(frame.IPv4(h.Packet)) == s.ids[0]:
		return api.There
	case ok && s.answers(tuple):
		return api.Back
	case s.quotes(h.Packet):
		return api.Back
	}
	return ""
}

// judgeARP takes questions to everyone and answers to them; announcements and enquiries after old neighbours are other
// people's business.
func (s *sorter) judgeARP(e frame.Ethernet) *kind {
	a, ok := frame.ParseARP(e.Payload())
	way := api.There
	if s.first != 0 && s.answered {
		way = api.Back
	}
	switch {
	case !ok || a.IsAnnouncement() || a.IsProbe():
	case a.Op() == frame.ARPRequest && e.Dst().IsBroadcast():
		return &kind{way, a.TargetIP()}
	case a.Op() == frame.ARPReply:
		return &kind{way, a.SenderIP()}
	}
	return nil
}

// answers reports whether a packet with that tuple goes the question's way backwards.
func (s *sorter) answers(t frame.Tuple) bool {
	for _, there := range s.there {
		if t == there.Reply() {
			return true
		}
	}
	return false
}

// quotes reports whether an ICMP error is about the question, or about its answer.
func (s *sorter) quotes(p frame.IP) bool {
	quote, ok := p.Quote()
	if !ok {
		return false
	}
	t, ok := quote.Tuple()
	for _, there := range s.there {
		if ok && (t == there || t == there.Reply()) {
			return true
		}
	}
	return false
}
