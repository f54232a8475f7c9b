package conntrack

import (
	"slices"

	"uswitch/switch/frame"
)

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

// CountKey is what connections are counted under: a list, as each rule of connlimit has one, and in it who is counted, an
// address of which the rule's mask has left the network.
type CountKey struct {
	List uint64
	Addr frame.Addr
}

// Count counts c among the connections of key and returns how many there are with it, as the kernel's nf_conncount does. A
// connection counts once however often it is asked about, from when it enters the table until it ends or both sides have
// closed it; one that never enters counts for the asker alone. Nothing is scanned: each connection knows where it counts.
func (t *Table) Count(c *Conn, key CountKey) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.counts[key]
	switch {
	case slices.Contains(c.counted, key):
		if c.nodes.source == nil {
			n++ // it is not in the table yet
		}
		return n
	case c.nodes.source != nil && c.tcp.closed():
		return n
	}
	c.counted = append(c.counted, key)
	if c.nodes.source == nil {
		return n + 1
	}
	t.counts[key]++
	return n + 1
}

// count counts a connection that enters the table where it was asked about.
func (t *Table) count(c *Conn) {
	for _, key := range c.counted {
		t.counts[key]++
	}
}

// uncount counts it nowhere any more.
func (t *Table) uncount(c *Conn) {
	for _, key := range c.counted {
		if t.counts[key]--; t.counts[key] == 0 {
			delete(t.counts, key)
		}
	}
	c.counted = nil
}
