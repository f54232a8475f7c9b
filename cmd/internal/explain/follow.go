package explain

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"uswitch/arp"
	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Send resolves what is to be sent: the host that it comes from and the packet. The error says why it cannot be sent.
func (l *Lab) Send(a api.Asked) (host string, q sim.Question, err error) {
	if a.Question.From == api.Outsider {
		return "", q, words.Errorf("nobody outside can be made to send")
	}
	t, err := l.check(a.Question)
	if err != nil {
		return "", q, err
	}
	if t.name {
		if t.addr, err = netip.ParseAddr(a.Address); err != nil {
			return "", q, words.Errorf("%s: its address is not known", t.To)
		}
	}
	return t.From, t.packet(), nil
}

// Neighbor returns the host that an address is, if the host that sends there is on one network with it and neither has the other in
// its neighbour table yet: a packet between them makes both enter the other.
func (l *Lab) Neighbor(from string, to netip.Addr) (owner string, source netip.Addr) {
	sender := l.host(from)
	receiver, theirs := l.owner(to)
	if sender == nil || receiver == nil || receiver == sender {
		return "", source
	}
	for i := range sender.NICs {
		ours := &sender.NICs[i]
		if ours.Network == theirs.Network && ours.Addr.Contains(to) && !knows(ours, to) && !knows(theirs, ours.Addr.Addr()) {
			return receiver.Name, ours.Addr.Addr()
		}
	}
	return "", source
}

func knows(c *sim.NICState, a netip.Addr) bool {
	return slices.ContainsFunc(c.Neighbors, func(n arp.Neighbor) bool { return n.Addr == a })
}

// Follower is a trace.Sink that finds the journeys of packets which are really sent. It is used by one goroutine; what it has
// found is read when that has ended.
type Follower struct {
	lab     *Lab
	wanted  map[destination]bool
	found   map[origin][]*journey
	packets map[uint64]*journey
	conns   map[uint64]*journey
	lost    uint64
}

// destination is where a packet goes that is to be found.
type destination struct {
	proto uint8
	to    netip.AddrPort
}

// origin is who has sent it: the host's port at the switch may have any name, so that the source address tells it.
type origin struct {
	destination
	from netip.AddrPort
}

// journey is what the trace tells of one packet, and of its answer.
type journey struct {
	packet  uint64
	from    netip.Addr
	ended   *api.Stop
	arrived string
}

// maxJourneys bounds what a Follower remembers: others may send to the same places meanwhile.
const maxJourneys = 4 * maxQuestions

// Follow returns a Follower for these packets.
func (l *Lab) Follow(questions []sim.Question) *Follower {
	f := &Follower{lab: l, wanted: map[destination]bool{}, found: map[origin][]*journey{}, packets: map[uint64]*journey{}, conns: map[uint64]*journey{}}
	for _, q := range questions {
		f.wanted[destination{q.Proto, q.To}] = true
	}
	return f
}

// Event implements trace.Sink.
func (f *Follower) Event(e *trace.Event) error {
	j, known := f.packets[e.Packet]
	switch {
	case known:
		f.step(j, e, api.There)
	case e.Hook == trace.Ingress && !e.IP, e.Hook == trace.Output:
		f.begin(e)
	case e.Conn != 0 && f.conns[e.Conn] != nil:
		f.step(f.conns[e.Conn], e, api.Back)
	}
	return nil
}

// begin notes a packet that comes in at a port of a switch, or that the gateway itself sends.
func (f *Follower) begin(e *trace.Event) {
	ip, ok := e.IPv4()
	if !ok || len(f.packets) >= maxJourneys {
		return
	}
	tuple, ok := frame.TupleOf(ip)
	if !ok {
		return
	}
	to, from := netip.AddrPortFrom(tuple.Dst(), tuple.DstPort), netip.AddrPortFrom(tuple.Src(), tuple.SrcPort)
	if tuple.Proto == frame.ProtoICMP {
		if frame.ICMP(ip.Payload()).Type() != frame.ICMPEcho {
			return
		}
		to = netip.AddrPortFrom(tuple.Dst(), 0)
	}
	d := destination{tuple.Proto, to}
	if !f.wanted[d] {
		return
	}
	j := &journey{packet: e.Packet, from: from.Addr()}
	f.packets[e.Packet] = j
	o := origin{d, from}
	f.found[o] = append(f.found[o], j)
	f.step(j, e, api.There)
}

// step notes what matters of a step: where the packet, or its answer, was dropped, and whose interface it was given to.
func (f *Follower) step(j *journey, e *trace.Event, w api.Way) {
	if e.Conn != 0 && f.conns[e.Conn] == nil && len(f.conns) < maxJourneys {
		f.conns[e.Conn] = j
	}
	ip, ok := e.IPv4()
	var nic string
	if ok && e.Hook == trace.Egress && e.Port != "" {
		if owner, c := f.lab.owner(ip.Dst()); owner != nil && c.Port == e.Port && c.Network == e.Where {
			nic = owner.Name
		}
	}
	switch {
	case e.Verdict == trace.Drop && j.ended == nil && (e.Hook != trace.Egress || e.Port == "" || nic != ""):
		j.ended = f.lab.stopOfEvent(e, w)
	case nic != "" && w == api.There && e.Verdict != trace.Drop:
		j.arrived = nic
	}
}

// stopOfEvent says what a drop in the trace of the live lab means.
func (l *Lab) stopOfEvent(e *trace.Event, w api.Way) *api.Stop {
	where, what := e.Step()
	return &api.Stop{Way: w, Where: where, Type: what, Reason: e.Reason.String(), Sentence: l.in(e.Reason.Sentence()), Rule: ruleOf(l.Gateway.Rules(), e)}
}

// Lost implements trace.Sink.
func (f *Follower) Lost(n uint64) error { f.lost += n; return nil }

// Idle implements trace.Sink; nothing waits here.
func (f *Follower) Idle(time.Time) error { return nil }

// Flush implements trace.Sink; nothing waits here.
func (f *Follower) Flush() error { return nil }

// Sent judges what a sender heard, and adds what the trace has of it. from is where the packet came from; one without an
// address came from a stack that does not say, and is the first from that host.
func (f *Follower) Sent(a api.Asked, host string, q sim.Question, from netip.AddrPort, err error, notSent bool, wait time.Duration) *api.Sent {
	s := &api.Sent{Lost: f.lost}
	if from.Addr().IsValid() {
		s.From = from.Addr().String()
	}
	if j := f.journey(host, destination{q.Proto, q.To}, from); j != nil {
		s.Packet, s.Ended, s.Arrived, s.Lost = j.packet, j.ended, j.arrived, 0
		s.From = j.from.String()
		if err == nil {
			s.Ended = nil // a first try was lost, and the next one was not
		}
	}
	f.lab.judge(a, err, notSent, wait, s)
	return s
}

func (f *Follower) journey(host string, d destination, from netip.AddrPort) *journey {
	if from.Addr().IsValid() {
		all := f.found[origin{d, from}]
		if len(all) == 0 {
			return nil
		}
		return all[len(all)-1]
	}
	var last *journey
	for o, all := range f.found {
		if j := all[len(all)-1]; o.destination == d && f.lab.sends(host, o.from.Addr()) && (last == nil || j.packet > last.packet) {
			last = j
		}
	}
	return last
}

// sends reports whether a host, or the gateway, has an address.
func (l *Lab) sends(host string, a netip.Addr) bool {
	if host == api.Machine {
		return l.isGateway(a)
	}
	h := l.host(host)
	return h != nil && slices.ContainsFunc(h.NICs, func(c sim.NICState) bool { return c.Addr.IsValid() && c.Addr.Addr() == a })
}

// judge turns what a socket heard into a verdict. wait is how long it listened; notSent says that err is no answer.
func (l *Lab) judge(a api.Asked, err error, notSent bool, wait time.Duration, s *api.Sent) {
	silent := errors.Is(err, sim.ErrTimeout)
	switch {
	case err == nil:
		s.Verdict, s.Heard = api.Yes, l.in("an answer")
		if a.Question.Protocol == "tcp" {
			s.Heard = l.in("the connection is accepted")
		}
	case notSent:
		s.Verdict, s.Heard, s.Unknown = api.NotKnown, l.in("nothing"), words.Text(l.in, err)
	case silent && a.Question.Protocol != "udp":
		s.Verdict, s.Heard = api.No, l.in("nothing in %v", wait)
	case !silent:
		s.Verdict, s.Heard = api.No, words.Text(l.in, err)
	case s.Ended != nil:
		s.Verdict, s.Heard = api.No, l.in("nothing in %v", wait)
	case s.Arrived != "" && a.Predicted == api.Yes:
		s.Verdict, s.Unanswered, s.Heard = api.Yes, true, l.in("nothing in %v, as is usual with UDP", wait)
	case s.Arrived != "":
		s.Verdict, s.Heard = api.NotKnown, l.in("nothing in %v", wait)
		s.Unknown = l.in("the datagram was delivered to %s, and who does not answer by UDP may have got it or not", s.Arrived)
	default:
		s.Verdict, s.Heard = api.NotKnown, l.in("nothing in %v", wait)
		s.Unknown = l.in("nobody has to answer a datagram, and the trace does not show that it was delivered")
	}
	s.Tried = a.Predicted
	s.Differs = s.Verdict == api.Yes && a.Predicted == api.No || s.Verdict == api.No && a.Predicted == api.Yes
}
