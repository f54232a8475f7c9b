package conntrack

// queue is a list of connections, the oldest first, in whose nodes the connections lie themselves: to push and to remove
// costs the same however long it is, and allocates nothing.
type queue struct {
	first, last *node
	n           int
}

// node is a connection's place in one queue. The zero value is in none.
type node struct {
	conn       *Conn
	in         *queue
	prev, next *node
}

func (q *queue) push(k *node, c *Conn) {
	*k = node{conn: c, in: q, prev: q.last}
	if q.last == nil {
		q.first = k
	} else {
		q.last.next = k
	}
	q.last = k
	q.n++
}

// leave takes the node out of its queue, if it is in one.
func (k *node) leave() {
	q := k.in
	if q == nil {
		return
	}
	if k.prev == nil {
		q.first = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next == nil {
		q.last = k.prev
	} else {
		k.next.prev = k.prev
	}
	q.n--
	*k = node{}
}

// oldest and newest return a connection, nil of an empty queue.
func (q *queue) oldest() *Conn { return q.first.of() }
func (q *queue) newest() *Conn { return q.last.of() }

func (k *node) of() *Conn {
	if k == nil {
		return nil
	}
	return k.conn
}

// ranking finds the source that has the most of something. Sources lie in buckets, one for each number; a number changes by
// one at a time, so the highest bucket that is not empty is never more than one away from where it was: no step looks at more
// than two.
type ranking struct {
	buckets []*rank // the first of the sources with that number; bucket 0 stays empty
	top     int
}

// rank is a source's place in one ranking.
type rank struct {
	source     *source
	n          int
	prev, next *rank
}

// add changes the number of a source by one, up or down.
func (r *ranking) add(k *rank, by int) {
	if k.n > 0 {
		r.leave(k)
	}
	if k.n += by; k.n > 0 {
		r.enter(k)
	}
	if r.top > 0 && r.buckets[r.top] == nil {
		r.top--
	}
}

func (r *ranking) enter(k *rank) {
	for k.n >= len(r.buckets) {
		r.buckets = append(r.buckets, nil)
	}
	k.next = r.buckets[k.n]
	if k.next != nil {
		k.next.prev = k
	}
	r.buckets[k.n] = k
	r.top = max(r.top, k.n)
}

func (r *ranking) leave(k *rank) {
	if k.prev == nil {
		r.buckets[k.n] = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next != nil {
		k.next.prev = k.prev
	}
	k.prev, k.next = nil, nil
}

// heaviest returns the source with the most; of several, the one that came to have so many last. nil: nobody has any.
func (r *ranking) heaviest() *source {
	if r.top == 0 {
		return nil
	}
	return r.buckets[r.top].source
}
