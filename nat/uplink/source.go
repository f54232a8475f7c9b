package uplink

import "uswitch/switch/trace"

// source is one host of the lab and what it keeps open. Guarded by Host.mu.
type source struct {
	addr  [4]byte
	flows map[*mapping]struct{} // UDP and ICMP mappings with a socket
	dials map[*dial]struct{}    // with a socket, not connected yet
	conns int                   // connected
}

func (s *source) weight() int { return len(s.flows) + len(s.dials) + s.conns }

func (h *Host) source(addr [4]byte) *source {
	s := h.sources[addr]
	if s == nil {
		s = &source{addr: addr, flows: map[*mapping]struct{}{}, dials: map[*dial]struct{}{}}
		h.sources[addr] = s
	}
	return s
}

// drop forgets a source that has nothing left.
func (h *Host) drop(s *source) {
	if s.weight() == 0 && h.sources[s.addr] == s {
		delete(h.sources, s.addr)
	}
}

// admitFlow makes room for one more UDP or ICMP socket of s. What it evicts is for the caller to close, outside the lock.
func (h *Host) admitFlow(s *source) (evicted []closer, r trace.Reason) {
	if len(s.flows) >= h.limits.Flows {
		evicted = append(evicted, h.evictFlow(s)...)
	}
	return h.admitSocket(s, evicted)
}

// admitDial makes room for one more dial of s.
func (h *Host) admitDial(s *source) (evicted []closer, r trace.Reason) {
	if s.conns+len(s.dials) >= h.limits.Conns && len(s.dials) == 0 {
		return nil, trace.SourceLimit
	}
	if len(s.dials) >= h.limits.Dials || s.conns+len(s.dials) >= h.limits.Conns {
		evicted = append(evicted, h.evictDial(s)...)
	}
	return h.admitSocket(s, evicted)
}

// admitSocket sees to it that there is a file descriptor left, at the cost of whoever has the most.
func (h *Host) admitSocket(s *source, evicted []closer) ([]closer, trace.Reason) {
	if h.sockets < h.limits.Sockets {
		return evicted, trace.NoReason
	}
	heaviest := s
	for _, o := range h.sources {
		if n, m := o.weight(), heaviest.weight(); n > m || n == m && number(o.addr) < number(heaviest.addr) {
			heaviest = o
		}
	}
	more := h.evictFlow(heaviest)
	if more == nil {
		more = h.evictDial(heaviest)
	}
	switch {
	case more != nil:
		return append(evicted, more...), trace.NoReason
	case heaviest == s:
		return evicted, trace.SourceLimit
	}
	return evicted, trace.NoMem
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

func number(ip [4]byte) uint32 {
	return uint32(ip[0])<<24 | uint32(ip[1])<<16 | uint32(ip[2])<<8 | uint32(ip[3])
}
