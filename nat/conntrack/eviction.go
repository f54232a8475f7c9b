package conntrack

// DefaultMaxConns bounds the connection table. A connection costs less than a kilobyte; see ConnBytes.
const DefaultMaxConns = 65536

// ConnBytes is what a connection costs in memory, about: itself, its two entries in the table and that of its port.
const ConnBytes = 896

// Source says who begins a connection, as an opaque number that the caller gives: the port of a switch where the first packet
// came in. Addresses do not serve, because one host can have many. All those outside are one source.
type Source = uint64

// eviction decides who has a place in a connection table that is full. A connection waits until it is assured: of TCP by the
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
type eviction struct {
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

// nodes are a connection's places in the queues of eviction; without a source it is not in the table.
type nodes struct {
	source                        *source
	conns, waiting, service, done node
}

func newEviction(limit int) eviction {
	if limit <= 0 {
		limit = DefaultMaxConns
	}
	return eviction{limit: limit, sources: map[Source]*source{}, services: map[Endpoint]*queue{}}
}

// service is the published port that a connection goes to.
func (c *Conn) service() Endpoint { return sourceOf(c.Tuples[Reply]) }

// victim reports who has to go before c can be inserted: nobody, another connection, or (with a refusal) c itself.
func (e *eviction) victim(c *Conn) (victim *Conn, r Refusal) {
	if c.DNAT {
		if q := e.services[c.service()]; q != nil && q.n >= max(e.limit/8, 1) {
			return q.oldest(), 0
		}
	}
	if e.waiting >= max(e.limit/2, 1) {
		return e.byWaiting.heaviest().waiting.oldest(), 0
	}
	if e.count < e.limit {
		return nil, 0
	}
	if c := e.done.oldest(); c != nil {
		return c, 0
	}
	own, heaviest := e.sources[c.Source], e.byConns.heaviest()
	most := own != nil && own.conns.n >= heaviest.conns.n
	switch {
	case most && own.waiting.n > 0:
		return own.waiting.oldest(), 0
	case most:
		return nil, Full
	case e.waiting > 0:
		return e.byWaiting.heaviest().waiting.oldest(), 0
	}
	return heaviest.conns.newest(), 0
}

// insert puts a connection into the queues.
func (e *eviction) insert(c *Conn) {
	s := e.sources[c.Source]
	if s == nil {
		s = &source{id: c.Source}
		s.rank.source, s.rankWaiting.source = s, s
		e.sources[c.Source] = s
	}
	e.count++
	c.nodes.source = s
	s.conns.push(&c.nodes.conns, c)
	e.byConns.add(&s.rank, 1)
	if !c.assured {
		e.wait(c)
	}
	if c.tcp.closed() {
		e.closed(c)
	}
}

func (e *eviction) wait(c *Conn) {
	s := c.nodes.source
	e.waiting++
	s.waiting.push(&c.nodes.waiting, c)
	e.byWaiting.add(&s.rankWaiting, 1)
	if c.DNAT {
		q := e.services[c.service()]
		if q == nil {
			q = new(queue)
			e.services[c.service()] = q
		}
		q.push(&c.nodes.service, c)
	}
}

// assured takes a connection out of those that wait, if it is there.
func (e *eviction) assured(c *Conn) {
	if c.nodes.waiting.in == nil {
		return
	}
	e.waiting--
	c.nodes.waiting.leave()
	e.byWaiting.add(&c.nodes.source.rankWaiting, -1)
	if q := c.nodes.service.in; q != nil {
		if c.nodes.service.leave(); q.n == 0 {
			delete(e.services, c.service())
		}
	}
}

// closed marks a connection as one that nobody would miss.
func (e *eviction) closed(c *Conn) {
	if c.nodes.done.in == nil && c.nodes.source != nil {
		e.done.push(&c.nodes.done, c)
	}
}

// remove takes a connection out of the queues.
func (e *eviction) remove(c *Conn) {
	e.assured(c)
	c.nodes.done.leave()
	s := c.nodes.source
	c.nodes.conns.leave()
	e.byConns.add(&s.rank, -1)
	if s.conns.n == 0 {
		delete(e.sources, s.id)
	}
	c.nodes = nodes{}
	e.count--
}
