package conntrack

// Fork returns a copy that shares nothing with t; bound returns what stands for the Bound of a connection there. Feeds and
// ports that are about to be released stay with the original.
func (t *Table) Fork(bound func(any) any) *Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := NewTable(t.crowd.limit)
	f.timeouts, f.lastID = t.timeouts, t.lastID
	mapped := map[*mapping]*mapping{}
	for outside, m := range t.mappings.outside {
		twin := *m
		mapped[m], f.mappings.outside[outside] = &twin, &twin
	}
	for key, m := range t.mappings.inside {
		f.mappings.inside[key] = mapped[m]
	}
	twins := map[*Conn]*Conn{}
	for tuple, h := range t.halves {
		c := twins[h.conn]
		if c == nil {
			copied := *h.conn
			c = &copied
			c.seats, c.mapping, c.Bound = seats{}, mapped[c.mapping], bound(c.Bound)
			twins[h.conn] = c
		}
		f.halves[tuple] = half{c, h.dir}
	}
	t.crowd.fork(&f.crowd, twins)
	return f
}

// fork seats the twins in the order of the originals.
func (w *crowd) fork(f *crowd, twins map[*Conn]*Conn) {
	f.count = w.count
	for addr, h := range w.hosts {
		twin := newHost(addr)
		for e := h.conns.Front(); e != nil; e = e.Next() {
			c := twins[e.Value.(*Conn)]
			c.seats.host = twin.conns.PushBack(c)
		}
		for e := h.unanswered.Front(); e != nil; e = e.Next() {
			c := twins[e.Value.(*Conn)]
			c.seats.hostUnanswered = twin.unanswered.PushBack(c)
		}
		f.hosts[addr] = twin
	}
	for e := w.unanswered.Front(); e != nil; e = e.Next() {
		c := twins[e.Value.(*Conn)]
		c.seats.unanswered = f.unanswered.PushBack(c)
	}
	for e := w.done.Front(); e != nil; e = e.Next() {
		c := twins[e.Value.(*Conn)]
		c.seats.done = f.done.PushBack(c)
	}
}
