package vswitch

import "uswitch/switch/trace"

// Fork returns a switch that knows what s knows at this moment: the same ports with the same numbers and flags, the same
// stations with their ages, the same settings and the same storm behind each port. It shares nothing with s, and what
// happens on either one the other never hears of: questions can be tried out on it. Its ports are plugged into what plug
// returns for the original ones, their counters begin at zero, and its steps are told to tracer. Whoever sits on the local
// port, and the filter, do not come along: SetLocal and SetFilter put somebody there. It may be called while frames move.
func (s *Switch) Fork(tracer *trace.Tracer, plug func(*Port) Link) *Switch {
	f := &Switch{name: s.name, tracer: tracer, epoch: s.epoch}
	twins := map[*Port]*Port{}
	var all []*Port
	for _, p := range s.Ports() {
		twin := newPort(f, p.id, p.name, plug(p), p.Flags())
		twin.plug()
		twin.storm.full.Store(p.storm.full.Load())
		twins[p] = twin
		all = append(all, twin)
	}
	for p, twin := range twins {
		twin.loop.Store(p.loop.Load().fork(twins))
	}
	f.nextID.Store(s.nextID.Load())
	f.groups.Store(s.groups.Load())
	f.ports.Store(newPortSet(all))
	f.fdb = s.fdb.fork(twins)
	s.claims.fork(&f.claims, twins)
	return f
}

// fork copies the table. Entries of a port without a twin, one that was plugged in a moment ago, stay behind.
func (t *FDB) fork(twins map[*Port]*Port) *FDB {
	f := newFDB(t.Ageing(), t.MaxLearned())
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := range t.index.all() {
		if twin := twins[e.port]; e.static && (twin != nil || e.port == nil) {
			f.index.put(e.fork(twin))
		}
	}
	if t.local != nil {
		f.local = f.index.find(t.local.mac)
	}
	for p, q := range t.queues {
		if twins[p] == nil {
			continue
		}
		copied := &queue{port: q.port}
		for e := q.first; e != nil; e = e.next {
			twin := e.fork(twins[p])
			twin.loop = e.loop.fork(twins)
			copied.push(twin)
			twin.queued = e.queued
			f.index.put(twin)
		}
		f.queues[twins[p]] = copied
		f.learned += copied.length
		if q == t.heaviest {
			f.heaviest = copied
		}
	}
	return f
}

// fork returns the same entry behind another port.
func (e *entry) fork(p *Port) *entry {
	twin := &entry{mac: e.mac, port: p, static: e.static, sticky: e.sticky, since: e.since}
	twin.seen.Store(e.seen.Load())
	return twin
}

// fork returns the same loop of other ports; nil for none.
func (l *loop) fork(twins map[*Port]*Port) *loop {
	if l == nil {
		return nil
	}
	twin := &loop{until: l.until, names: l.names}
	for _, p := range l.ports {
		if twins[p] != nil {
			twin.ports = append(twin.ports, twins[p])
		}
	}
	return twin
}
