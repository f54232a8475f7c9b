package server

import (
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// looks returns what will be looked at after a step: the names of the tables, and their rows that concern the packet.
func (s *Server) looks(e *trace.Event, about *subject, now *api.Tables) *api.Tables {
	t := &api.Tables{}
	conns := rows(now.Conns, func(c api.Conn) bool { return slices.Contains(about.conns, c.ID) || about.matches(c) })
	out, _ := s.world.Gateway().Interface(about.out)
	for _, name := range nextTables(e) {
		table, chain, isChain := strings.Cut(name, " ")
		switch {
		case table == "nat" && len(conns) > 0: // only the first packet of a connection is shown to these rules
			continue
		case name == "neigh" && out != nil && out.IsUplink() && out.MAC() == (frame.MAC{}):
			continue
		case name == "fdb":
			t.FDB = rows(now.FDB, func(r api.FDBEntry) bool { return stationOf(e, r) })
		case name == "neigh":
			t.Neigh = rows(now.Neigh, func(n api.Neighbor) bool {
				return slices.Contains(about.addrs, n.Dst) && (out == nil || out.Name() == n.Dev)
			})
		case name == "conntrack":
			t.Conns = conns
		case name == "routes":
			all, _ := s.routes(nil)
			t.Routes = rows(all.([]api.Route), func(r api.Route) bool { return leadsTo(r, about.tuple.Dst()) })
		case isChain:
			tables := s.world.Gateway().Rules()
			if !about.tuple.SrcIP.Is4() {
				tables = s.world.Gateway().Rules6()
			}
			text, _ := tables.Exec([]string{"-t", table, "-S", chain})
			t.Rules = append(t.Rules, strings.Split(strings.TrimSpace(text), "\n")...)
		}
		t.Looked = append(t.Looked, name)
	}
	return t
}

// stationOf reports whether a switch will look at a row: the sender's while it learns, and the receiver's.
func stationOf(e *trace.Event, r api.FDBEntry) bool {
	eth, ok := frame.ParseEthernet(e.Frame.Data)
	here := r.Master == e.Where || e.Hook == trace.Neighbor && r.Master == e.Port || e.Hook == trace.ARP && r.Master == e.Port
	return ok && !e.IP && here && (e.Hook == trace.Ingress && r.MAC == eth.Src() || r.MAC == eth.Dst())
}

func rows[T any](all []T, want func(T) bool) (some []T) {
	for _, row := range all {
		if want(row) {
			some = append(some, row)
		}
	}
	return some
}

func leadsTo(r api.Route, a netip.Addr) bool {
	if r.Dst == "default" {
		return (r.Family == "inet6") == a.Is6()
	}
	p, err := prefix(r.Dst)
	return err == nil && p.Contains(a)
}

// nextTables names what the path looks at behind a step, in its order; chains as in nat PREROUTING.
func nextTables(e *trace.Event) []string {
	etherType, group := uint16(frame.TypeIPv4), false
	if eth, ok := frame.ParseEthernet(e.Frame.Data); ok && !e.IP {
		etherType, group = eth.Type(), eth.Dst().IsGroup()
	}
	switch e.Verdict {
	case trace.Drop, trace.Queue, trace.Consume:
		return nil
	}
	switch e.Hook {
	case trace.Ingress:
		if !e.IP && e.Where != e.Port {
			return []string{"fdb"}
		}
		return arrival(etherType)
	case trace.Learn, trace.Neighbor:
		if !group {
			return []string{"fdb"}
		}
	case trace.Bridge:
		if e.Verdict == trace.Local || e.Verdict == trace.Flood && e.Local {
			return arrival(etherType)
		}
	case trace.ARP:
		if e.Note != trace.ARPLearned && !group {
			return []string{"fdb"}
		}
	case trace.Prerouting:
		return []string{"routes"}
	case trace.Route:
		return []string{"filter FORWARD"}
	case trace.Forward:
		return []string{"nat POSTROUTING", "conntrack", "neigh"}
	case trace.Output:
		return []string{"conntrack", "routes"}
	case trace.Postrouting:
		return []string{"conntrack", "neigh"}
	}
	return nil
}

// arrival is what the gateway looks at first.
func arrival(etherType uint16) []string {
	switch etherType {
	case frame.TypeARP:
		return []string{"neigh"}
	case frame.TypeIPv4, frame.TypeIPv6:
		return []string{"conntrack", "nat PREROUTING"}
	}
	return nil
}
