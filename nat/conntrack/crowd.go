package conntrack

// DefaultMaxConns bounds the connection table. A connection costs less than a kilobyte; see ConnBytes.
const DefaultMaxConns = 65536

// ConnBytes is what a connection costs in memory, about: itself, its two entries in the table and that of its port.
const ConnBytes = 896

// Source says who begins a connection, as an opaque number that the caller gives: the port of a switch where the first packet
// came in. Addresses do not serve, because one host can have many. All those outside are one source.
type Source = uint64

// crowd decides who has a place in a connection table that is full. A connection waits until it is assured: of TCP by the
// third packet of the handshake, of UDP when an answer was answered, of ICMP and what has no ports never. The rules, in order:
//
//   - at most half of the places go to connections that wait, and of those an eighth of all places to what waits for one
//     published port. Past that the oldest that waits goes: for that port, or of the source that has the most waiting. A
//     flood of SYNs pushes out its own, whether the service answers it or not, and neither what is established nor what
//     others begin;
//   - a connection that both sides have closed makes room before any other;
//   - then what waits, whoever made it, as in the kernel's early_drop (nf_conntrack_core.c); but the source that has the
//     most connections pushes out its own only;
//   - otherwise the newest connection of the source that has the most goes, and if the newcomer's source has as many, it is
//     the newcomer that is refused.
//
// No rule looks at more than a few connections, however many there are. It is guarded by the table's lock.
type crowd struct {
	limit     int
	count     int
	waiting   int // not assured
	done      queue
	sources   map[Source]*source
	services  map[Endpoint]*queue // what waits for a published port
	byConns   ranking
	byWaiting ranking
	evicted   uint64
}

// source is who originates connections.
type source struct {
	id             Source
	conns, waiting queue
	rank           rank // by connections
	rankWaiting    rank
}

// seats are a connection's places in the queues of a crowd.
type seats struct {
	source                        *source
	conns, waiting, service, done node
}

func newCrowd(limit int) crowd {
	if limit <= 0 {
		limit = DefaultMaxConns
	}
	return crowd{limit: limit, sources: map[Source]*source{}, services: map[Endpoint]*queue{}}
}

// service is the published port that a connection goes to.
func (c *Conn) service() Endpoint { return sourceOf(c.Tuples[Reply]) }

// admit reports who has to go before c can be seated: nobody, another connection, or (with a refusal) c itself.
func (w *crowd) admit(c *Conn) (victim *Conn, r Refusal) {
	if c.DNAT {
		if q := w.services[c.service()]; q != nil && q.n >= max(w.limit/8, 1) {
			return q.oldest(), 0
		}
	}
	if w.waiting >= max(w.limit/2, 1) {
		return w.byWaiting.heaviest().waiting.oldest(), 0
	}
	if w.count < w.limit {
		return nil, 0
	}
	if c := w.done.oldest(); c != nil {
		return c, 0
	}
	own, heaviest := w.sources[c.Source], w.byConns.heaviest()
	most := own != nil && own.conns.n >= heaviest.conns.n
	switch {
	case most && own.waiting.n > 0:
		return own.waiting.oldest(), 0
	case most:
		return nil, Crowded
	case w.waiting > 0:
		return w.byWaiting.heaviest().waiting.oldest(), 0
	}
	return heaviest.conns.newest(), 0
}

// seat gives a connection its places.
func (w *crowd) seat(c *Conn) {
	s := w.sources[c.Source]
	if s == nil {
		s = &source{id: c.Source}
		s.rank.source, s.rankWaiting.source = s, s
		w.sources[c.Source] = s
	}
	w.count++
	c.seats.source = s
	s.conns.push(&c.seats.conns, c)
	w.byConns.add(&s.rank, 1)
	if !c.assured {
		w.wait(c)
	}
	if c.tcp.closed() {
		w.closed(c)
	}
}

func (w *crowd) wait(c *Conn) {
	s := c.seats.source
	w.waiting++
	s.waiting.push(&c.seats.waiting, c)
	w.byWaiting.add(&s.rankWaiting, 1)
	if c.DNAT {
		q := w.services[c.service()]
		if q == nil {
			q = new(queue)
			w.services[c.service()] = q
		}
		q.push(&c.seats.service, c)
	}
}

// assured takes a connection out of those that wait, if it is there.
func (w *crowd) assured(c *Conn) {
	if c.seats.waiting.in == nil {
		return
	}
	w.waiting--
	c.seats.waiting.leave()
	w.byWaiting.add(&c.seats.source.rankWaiting, -1)
	if q := c.seats.service.in; q != nil {
		if c.seats.service.leave(); q.n == 0 {
			delete(w.services, c.service())
		}
	}
}

// closed marks a connection as one that nobody would miss.
func (w *crowd) closed(c *Conn) {
	if c.seats.done.in == nil && c.seats.source != nil {
		w.done.push(&c.seats.done, c)
	}
}

// leave gives the places of a connection back.
func (w *crowd) leave(c *Conn) {
	w.assured(c)
	c.seats.done.leave()
	s := c.seats.source
	c.seats.conns.leave()
	w.byConns.add(&s.rank, -1)
	if s.conns.n == 0 {
		delete(w.sources, s.id)
	}
	c.seats = seats{}
	w.count--
}
