package vswitch

import "fmt"

// Replug moves the link of a port to a new port, of that name and with those flags, on the same or another switch, without closing
// it: whoever runs Run for the old port carries the link's frames into the new one from the next frame on. The old port's stations are
// forgotten. The error is ErrNotHere for a port of another switch.
func (s *Switch) Replug(p *Port, to *Switch, name string, k PortFlags) (*Port, error) {
	if p.sw != s {
		return nil, ErrNotHere
	}
	s.mu.Lock()
	here, ok := s.Port(p.name)
	if ok = ok && here == p; ok {
		s.ports.Store(s.ports.Load().without(p))
	}
	s.mu.Unlock()
	if !ok {
		return nil, ErrNotHere
	}
	s.fdb.dropPort(p)
	s.claims.dropPort(p)
	to.mu.Lock()
	defer to.mu.Unlock()
	if _, taken := to.Port(name); taken {
		return nil, fmt.Errorf("network %s: port %s is taken", to.name, name)
	}
	q := newPort(to, to.nextID.Add(1), name, p.link, k)
	q.plug()
	to.ports.Store(to.ports.Load().with(q))
	p.next.Store(q)
	return q, nil
}

// plug tells the end of a patch which port it is the link of.
func (p *Port) plug() {
	if e, ok := p.link.(*patch); ok {
		e.plugged.Store(p)
	}
}

// last returns the port that a link is at now which was plugged into p once.
func (p *Port) last() *Port {
	for {
		next := p.next.Load()
		if next == nil {
			return p
		}
		p = next
	}
}
