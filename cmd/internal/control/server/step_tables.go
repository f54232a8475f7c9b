package server

import (
	"cmp"
	"net/netip"
	"reflect"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// subject is what a packet is about: rows of tables that speak of it concern the packet.
type subject struct {
	macs  []frame.MAC
	addrs []netip.Addr
	conns []uint64
	from  []string // ports, with their network, that it came in by
	to    []string // and those that it went out by
	drops []string
	tuple frame.Tuple
	out   string // the interface that the route leads to
}

// add adds what a step shows.
func (s *subject) add(e *trace.Event) {
	if eth, ok := frame.ParseEthernet(e.Frame.Data); ok && !e.IP {
		s.macs = append(s.macs, eth.Src(), eth.Dst())
		if a, ok := frame.ParseARP(eth.Payload()); ok && eth.Type() == frame.TypeARP {
			s.addrs = append(s.addrs, a.SenderIP(), a.TargetIP())
		}
	}
	if p, ok := e.Network(); ok {
		s.tuple, _ = p.Tuple()
		s.addrs = append(s.addrs, p.Src(), p.Dst())
	}
	switch {
	case e.Hook == trace.Ingress:
		s.from = append(s.from, e.Where+" "+e.Port)
	case e.Hook == trace.Egress:
		s.to = append(s.to, e.Where+" "+e.Port)
	case e.Hook == trace.Bridge && (e.Local || e.Verdict == trace.Local):
		s.to = append(s.to, e.Where+" gateway")
	case e.Hook == trace.Neighbor, e.Hook == trace.ARP && e.Note != trace.ARPLearned:
		s.from = append(s.from, e.Port+" gateway")
	}
	s.addrs = append(s.addrs, e.Addr)
	if e.Hook == trace.Route {
		s.out = e.Port
	}
	if e.Conn != 0 {
		s.conns = append(s.conns, e.Conn)
	}
	if e.Verdict == trace.Drop {
		s.drops = append(s.drops, e.Reason.String())
	}
}

// tables reads all that a packet can change.
func (s *Server) tables() api.Tables {
	fdb, _ := s.fdb(nil)
	neigh, _ := s.neighbors(nil)
	ports, _ := s.ports(nil)
	t := api.Tables{FDB: fdb.([]api.FDBEntry), Neigh: neigh.([]api.Neighbor), Ports: ports.([]api.Port), Drops: s.countedDrops(trace.English)}
	for _, c := range s.world.Gateway().Conns(s.world.Now()) {
		t.Conns = append(t.Conns, *connOf(c))
	}
	return t
}

// compare finds the rows that have changed and concern the packet, where its last step, or what has come between that and
// the one before, can have changed them: all else is others' doing. Of the last step's hook, 0 stands for the packet's end.
func compare(before, after *api.Tables, s *subject, hook trace.Hook) *api.Changes {
	during := func(hooks ...trace.Hook) bool { return hook == 0 || slices.Contains(hooks, hook) }
	atGateway := during(trace.Prerouting, trace.Route, trace.Input, trace.Forward, trace.Output, trace.Postrouting, trace.Neighbor, trace.Egress)
	ports := s.moved(before.Ports, after.Ports)
	passed := map[string]bool{}
	for _, p := range ports {
		passed[portKey(p)] = true
	}
	return &api.Changes{
		FDB: changes(before.FDB, after.FDB, func(e api.FDBEntry) string { return e.Master + " " + e.MAC.String() },
			func(e api.FDBEntry) bool { return during(trace.Learn, trace.Bridge) && slices.Contains(s.macs, e.MAC) },
			func(e *api.FDBEntry) { e.Age, e.Since = nil, nil }),
		Neigh: changes(before.Neigh, after.Neigh, func(n api.Neighbor) string { return n.Dev + " " + n.Dst.String() },
			func(n api.Neighbor) bool { return during(trace.ARP, trace.Neighbor) && slices.Contains(s.addrs, n.Dst) },
			func(*api.Neighbor) {}),
		Conns: changes(before.Conns, after.Conns, func(c api.Conn) uint64 { return c.ID },
			func(c api.Conn) bool { return atGateway && slices.Contains(s.conns, c.ID) },
			func(c *api.Conn) { c.Timeout = 0 }),
		Ports: changes(before.Ports, ports, portKey, func(p api.Port) bool { return passed[portKey(p)] }, func(*api.Port) {}),
		Drops: changes(before.Drops, after.Drops, func(d api.Drop) string { return d.Reason },
			func(d api.Drop) bool { return slices.Contains(s.drops, d.Reason) },
			func(*api.Drop) {}),
	}
}

func portKey(p api.Port) string { return p.Network + " " + p.Name }

// moved returns the ports that the packet has passed, without what others have moved: counters of a direction that the packet
// has not gone are as before. A packet moves each counter once: a direction that is told is forgotten.
func (s *subject) moved(before, after []api.Port) (ports []api.Port) {
	old := map[string]api.Port{}
	for _, p := range before {
		old[portKey(p)] = p
	}
	for _, p := range after {
		key := portKey(p)
		was, in, out := old[key], slices.Contains(s.from, key), slices.Contains(s.to, key)
		if !in && !out {
			continue
		}
		is := func(k string) bool { return k == key }
		if !in {
			p.RxPackets, p.RxBytes, p.RxDropped = was.RxPackets, was.RxBytes, was.RxDropped
		} else if was.RxPackets != p.RxPackets || was.RxDropped != p.RxDropped {
			s.from = slices.DeleteFunc(s.from, is)
		}
		if !out {
			p.TxPackets, p.TxBytes, p.TxDropped = was.TxPackets, was.TxBytes, was.TxDropped
		} else if was.TxPackets != p.TxPackets || was.TxDropped != p.TxDropped {
			s.to = slices.DeleteFunc(s.to, is)
		}
		ports = append(ports, p)
	}
	return ports
}

// changes pairs the rows of a table by their keys and keeps those that concern the packet and differ, in the order of the
// table; rows that have gone come last. forget takes out of a row what does not count.
func changes[T any, K comparable](before, after []T, key func(T) K, concerns func(T) bool, forget func(*T)) (all []api.Change[T]) {
	old := map[K]T{}
	for _, row := range before {
		if concerns(row) {
			old[key(row)] = row
		}
	}
	for _, row := range after {
		if !concerns(row) {
			continue
		}
		was, known := old[key(row)]
		delete(old, key(row))
		a, b := was, row
		forget(&a)
		forget(&b)
		switch {
		case !known:
			all = append(all, api.Change[T]{After: &row})
		case !reflect.DeepEqual(a, b):
			all = append(all, api.Change[T]{Before: &was, After: &row})
		}
	}
	for _, row := range before {
		if _, gone := old[key(row)]; gone && concerns(row) {
			all = append(all, api.Change[T]{Before: &row})
		}
	}
	return all
}

// matches reports whether a packet as it is now belongs to a connection.
func (s *subject) matches(c api.Conn) bool {
	for _, t := range []api.Tuple{c.Original, c.Reply} {
		if t.Src == s.tuple.Src() && t.Dst == s.tuple.Dst() && c.Protonum == s.tuple.Proto &&
			cmp.Or(t.Sport, t.ID) == s.tuple.SrcPort && (t.ID != 0 || t.Dport == s.tuple.DstPort) {
			return true
		}
	}
	return false
}
