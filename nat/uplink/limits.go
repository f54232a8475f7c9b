//go:build !js

package uplink

import (
	"cmp"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// FileLimit is how many file descriptors the process may have (RLIMIT_NOFILE).
func FileLimit() int { return fileLimit() }

// FreeFiles is how many of them are for the lab itself when ReservedFiles are kept back; of a small limit, half.
func FreeFiles() int {
	files := fileLimit()
	return files - min(ReservedFiles, files/2)
}

// Others tells how many file descriptors of FreeFiles others have: network interfaces. New sockets leave them alone; those that are
// open stay.
func (h *Host) Others(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.others = n
}

// room is how many sockets flows may have now: what published ports and others leave. Called with mu held.
func (h *Host) room() int { return max(min(h.limits.Sockets, h.files-h.others-len(h.closers)), 0) }

// DefaultSockets returns what Limits.Sockets is unless somebody says otherwise.
func DefaultSockets() int { return Limits{}.withDefaults().Sockets }

func (l Limits) withDefaults() Limits {
	if l.Sockets == 0 {
		first, last := ephemeral()
		l.Sockets = max(min(FreeFiles(), int(last-first+1)/4*3), 1) // of which Conns is a part
	}
	if l.Dials == 0 {
		l.Dials = 256
	}
	if l.DialRate == 0 {
		l.DialRate = 500
	}
	if l.Flows == 0 {
		l.Flows = 512
	}
	if l.Conns == 0 {
		l.Conns = max(l.Sockets/4*3, 1)
	}
	return l
}

// sender is whose limits something counts for: of what comes from inside, the frame's source, whatever addresses it has; of a
// published connection, the client's address.
type sender struct {
	source uint64
	client frame.Addr
}

// source is one host of the lab, or a client outside, and what it keeps open. Guarded by Host.mu.
type source struct {
	who   sender
	flows map[*mapping]struct{} // UDP and ICMP mappings with a socket
	dials map[*dial]struct{}    // with a socket, not connected yet
	conns int                   // connected
	tries allowance             // dials that it may still begin
}

// allowance is a token bucket: what a source may begin at this moment, up to what it may begin in a second.
type allowance struct {
	left float64
	at   time.Time // when left was counted
}

// refill counts what has come in since the last time, at so many a second.
func (a *allowance) refill(rate int, now time.Time) {
	if since := now.Sub(a.at); since > 0 {
		a.left, a.at = min(a.left+since.Seconds()*float64(rate), float64(rate)), now
	}
}

// weight counts the sockets of a source, spare those that it can do without: what is connected stays.
func (s *source) weight() int { return s.spare() + s.conns }
func (s *source) spare() int  { return len(s.flows) + len(s.dials) }

func (h *Host) source(who sender) *source {
	s := h.sources[who]
	if s != nil {
		return s
	}
	looked := 0
	for _, other := range h.sources { // those that drop had to keep go when others come, so that they do not add up
		h.drop(other)
		if looked++; looked == 2 {
			break
		}
	}
	s = &source{who: who, flows: map[*mapping]struct{}{}, dials: map[*dial]struct{}{},
		tries: allowance{float64(h.limits.DialRate), h.now()}}
	h.sources[who] = s
	return s
}

// drop forgets a source that has nothing left and of which nothing need be known: its allowance is what a new one has.
func (h *Host) drop(s *source) {
	if s.weight() > 0 || h.sources[s.who] != s {
		return
	}
	if s.tries.refill(h.limits.DialRate, h.now()); s.tries.left >= float64(h.limits.DialRate) {
		delete(h.sources, s.who)
	}
}

// mayDial reports whether a source may begin one more dial now. Called with mu held, as the two that follow.
func (h *Host) mayDial(s *source, now time.Time) bool {
	s.tries.refill(h.limits.DialRate, now)
	return s.tries.left >= 1
}

// startDial counts a dial that begins, unless the source has begun too many of late.
func (h *Host) startDial(s *source, now time.Time) trace.Reason {
	if !h.mayDial(s, now) {
		return trace.DialRate
	}
	s.tries.left--
	return trace.NoReason
}

// cameAbout takes back what startDial has counted.
func (s *source) cameAbout() { s.tries.left++ }

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
	return cmp.Or(cmp.Compare(a.source, b.source), a.client.Compare(b.client)) < 0
}
