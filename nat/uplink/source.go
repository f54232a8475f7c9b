package uplink

import (
	"cmp"
	"slices"

	"uswitch/switch/trace"
)

// sender is whose limits something counts for: of what comes from inside, the frame's source, whatever addresses it has; of a
// published connection, the client's address.
type sender struct {
	source uint64
	client [4]byte
}

// source is one host of the lab, or a client outside, and what it keeps open. Guarded by Host.mu.
type source struct {
	who   sender
	flows map[*mapping]struct{} // UDP and ICMP mappings with a socket
	dials map[*dial]struct{}    // with a socket, not connected yet
	conns int                   // connected
}

// weight counts the sockets of a source, spare those that it can do without: what is connected stays.
func (s *source) weight() int { return s.spare() + s.conns }
func (s *source) spare() int  { return len(s.flows) + len(s.dials) }

func (h *Host) source(who sender) *source {
	s := h.sources[who]
	if s == nil {
		s = &source{who: who, flows: map[*mapping]struct{}{}, dials: map[*dial]struct{}{}}
		h.sources[who] = s
	}
	return s
}

// drop forgets a source that has nothing left.
func (h *Host) drop(s *source) {
	if s.weight() == 0 && h.sources[s.who] == s {
		delete(h.sources, s.who)
	}
}

// admit sees to it that there is a file descriptor for one more socket of s, at the cost of whoever has the most, and
// counts it in Host.sockets. What it evicts is for the caller to close, outside the lock.
func (h *Host) admit(s *source) (evicted []closer, r trace.Reason) {
	if h.sockets >= h.room() {
		if heaviest := h.heaviest((*source).weight); heaviest == s && s.spare() == 0 {
			return nil, trace.SourceLimit // nobody else pays for the connections of the one that has the most
		}
		if evicted = h.evict(); evicted == nil {
			return nil, trace.NoMem
		}
	}
	h.sockets++
	return evicted, trace.NoReason
}

// admitDial is admit for a TCP connection.
func (h *Host) admitDial(s *source) (evicted []closer, r trace.Reason) {
	if s.conns >= h.limits.Conns {
		return nil, trace.SourceLimit
	}
	return h.admit(s)
}

// trim brings a source that has just got one more socket back to its limits. It comes after the fact, because sockets are
// opened outside the lock and many can be on their way at once.
func (h *Host) trim(s *source) (evicted []closer) {
	for len(s.flows) > h.limits.Flows {
		evicted = append(evicted, h.evictFlow(s)...)
	}
	for len(s.dials) > 0 && (len(s.dials) > h.limits.Dials || len(s.dials)+s.conns > h.limits.Conns) {
		evicted = append(evicted, h.evictDial(s)...)
	}
	return evicted
}

// heaviest returns the source with the most of something; of several, the one with the lowest number.
func (h *Host) heaviest(weight func(*source) int) *source {
	var heaviest *source
	most := 0
	for _, s := range h.sources {
		n := weight(s)
		if heaviest == nil || n > most || n == most && s.who.before(heaviest.who) {
			heaviest, most = s, n
		}
	}
	return heaviest
}

// evict takes one socket of the source that can spare the most, if there is one.
func (h *Host) evict() []closer {
	s := h.heaviest((*source).spare)
	if s == nil {
		return nil
	}
	if evicted := h.evictFlow(s); evicted != nil {
		return evicted
	}
	return h.evictDial(s)
}

// evictFlow takes the socket of the source's flow that was used least lately. The mapping stays.
func (h *Host) evictFlow(s *source) []closer {
	var oldest *mapping
	for m := range s.flows {
		if oldest == nil || m.used.Load() < oldest.used.Load() {
			oldest = m
		}
	}
	if oldest == nil {
		return nil
	}
	return h.takeSocket(oldest)
}

// evictDial gives up the source's dial that has waited longest.
func (h *Host) evictDial(s *source) []closer {
	var oldest *dial
	for d := range s.dials {
		if oldest == nil || d.order < oldest.order {
			oldest = d
		}
	}
	if oldest == nil {
		return nil
	}
	return h.takeDial(oldest)
}

func (a sender) before(b sender) bool {
	return cmp.Or(cmp.Compare(a.source, b.source), slices.Compare(a.client[:], b.client[:])) < 0
}
