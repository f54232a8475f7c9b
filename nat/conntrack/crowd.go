package conntrack

import (
	"container/list"
	"slices"
)

// DefaultMaxConns bounds the connection table. A connection costs less than a kilobyte.
const DefaultMaxConns = 65536

// crowd decides who has a place in a connection table that is full. The rules, in order:
//
//   - at most half of the places go to connections that nobody has answered yet; past that the one that has waited
//     longest goes, of a host that has more than half of those places to itself its own: a flood of SYNs pushes out its
//     own, neither what is established nor what others begin;
//   - a connection that both sides have closed makes room before any other;
//   - otherwise the newest connection of the host that has the most goes, and if the newcomer's host has as many, it is
//     the newcomer that is refused.
//
// It is guarded by the table's lock.
type crowd struct {
	limit      int
	count      int
	unanswered *list.List // of *Conn, oldest first
	done       *list.List // of *Conn, closed first
	hosts      map[[4]byte]*host
}

// host is who originates connections.
type host struct {
	addr       [4]byte
	conns      *list.List // of *Conn, oldest first
	unanswered *list.List // of *Conn, oldest first: those that nobody has answered
}

func newHost(addr [4]byte) *host { return &host{addr: addr, conns: list.New(), unanswered: list.New()} }

// seats are a connection's places in the lists of a crowd.
type seats struct{ host, hostUnanswered, unanswered, done *list.Element }

func newCrowd(limit int) crowd {
	if limit <= 0 {
		limit = DefaultMaxConns
	}
	return crowd{limit: limit, unanswered: list.New(), done: list.New(), hosts: map[[4]byte]*host{}}
}

// admit reports who has to go before c can be seated: nobody, another connection, or (with a reason) c itself.
func (w *crowd) admit(c *Conn) (victim *Conn, r Refusal) {
	own := w.hosts[c.Tuples[Original].SrcIP]
	if w.unanswered.Len() >= max(w.limit/2, 1) {
		waiting := w.unanswered
		if own != nil && own.unanswered.Len() > w.limit/4 {
			waiting = own.unanswered
		}
		return waiting.Front().Value.(*Conn), 0
	}
	if w.count < w.limit {
		return nil, 0
	}
	if oldest := w.done.Front(); oldest != nil {
		return oldest.Value.(*Conn), 0
	}
	heaviest := w.heaviest()
	if own != nil && own.conns.Len() >= heaviest.conns.Len() {
		return nil, Crowded
	}
	return heaviest.conns.Back().Value.(*Conn), 0
}

// heaviest returns the host with the most connections; of several, the one with the lowest address.
func (w *crowd) heaviest() *host {
	var heaviest *host
	for _, h := range w.hosts {
		if heaviest == nil || h.conns.Len() > heaviest.conns.Len() ||
			h.conns.Len() == heaviest.conns.Len() && slices.Compare(h.addr[:], heaviest.addr[:]) < 0 {
			heaviest = h
		}
	}
	return heaviest
}

func (w *crowd) seat(c *Conn) {
	addr := c.Tuples[Original].SrcIP
	h := w.hosts[addr]
	if h == nil {
		h = newHost(addr)
		w.hosts[addr] = h
	}
	w.count++
	c.seats = seats{host: h.conns.PushBack(c), hostUnanswered: h.unanswered.PushBack(c), unanswered: w.unanswered.PushBack(c)}
}

// answered moves a connection out of the crowd of those that wait.
func (w *crowd) answered(c *Conn) {
	if c.seats.unanswered != nil {
		w.unanswered.Remove(c.seats.unanswered)
		w.hosts[c.Tuples[Original].SrcIP].unanswered.Remove(c.seats.hostUnanswered)
		c.seats.unanswered, c.seats.hostUnanswered = nil, nil
	}
}

// closed marks a connection as one that nobody would miss.
func (w *crowd) closed(c *Conn) {
	if c.seats.done == nil && c.seats.host != nil {
		c.seats.done = w.done.PushBack(c)
	}
}

func (w *crowd) leave(c *Conn) {
	w.answered(c)
	if c.seats.done != nil {
		w.done.Remove(c.seats.done)
	}
	h := w.hosts[c.Tuples[Original].SrcIP]
	h.conns.Remove(c.seats.host)
	if h.conns.Len() == 0 {
		delete(w.hosts, h.addr)
	}
	c.seats = seats{}
	w.count--
}
