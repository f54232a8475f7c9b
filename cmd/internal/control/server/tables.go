package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/nat"
	"uswitch/nat/route"
	vswitch "uswitch/switch"
	"uswitch/tap"
)

// The tables, read from the world as it is at the moment. Lists are never null.

func (s *Server) lab(*http.Request) (any, error) {
	p := s.world.Plan()
	return api.Lab{API: api.Version, Version: s.version, Name: p.Name, Source: p.Source, Config: configOf(p.Source), PID: s.pid, Started: s.world.Epoch(), Now: s.world.Now(),
		Hosts: len(p.Hosts), Networks: len(p.Networks), Uplink: string(p.Uplink.Kind), Forward: s.world.Gateway().Forwarding(),
		Simulated: s.world.Simulated(), Predictions: s.prober.predictions(), Memory: memoryOf(s.world), Rights: rightsOf(s.world)}, nil
}

// rightsOf reads what the process and its programs may do: what is in effect, not what was asked for.
func rightsOf(w *world.World) *api.Rights {
	if w.Simulated() {
		return nil
	}
	effective, bounding := tap.Capabilities()
	usual := bounding
	r := &api.Rights{Kept: plan.CapabilityNames(effective), UserNamespace: tap.InUserNamespace()}
	if tap.CanBound() && !r.UserNamespace {
		usual &= plan.UsualCapabilities()
	}
	r.Programs = plan.CapabilityNames(usual)
	for _, h := range w.Hosts() {
		set, limited := h.Plan.Rights.Capabilities()
		if h.Plan.Rights.TakesAway() || !r.UserNamespace && !(limited && set == plan.UsualCapabilities()) {
			r.Other = append(r.Other, h.Plan.Name)
		}
	}
	return r
}

func memoryOf(w *world.World) api.Memory {
	m, conns := w.Memory(), w.Gateway().ConnStats()
	return api.Memory{Limit: m.Limit, From: m.From, Heap: m.Heap, Conns: conns.Conns, MaxConns: conns.Limit, Evicted: conns.Evicted,
		MaxFragments: m.Fragments, MaxLearned: m.Learned, MaxSockets: m.Sockets}
}

// configOf returns the path of a lab file, as seen from anywhere.
func configOf(source string) string {
	if strings.HasPrefix(source, plan.BuiltinSource) {
		return source
	}
	path, err := filepath.Abs(source)
	if err != nil {
		return source
	}
	return path
}

func (s *Server) hosts(*http.Request) (any, error) {
	rows := []api.Host{}
	for _, h := range s.world.Hosts() {
		home := s.world.Home(h)
		row := api.Host{Name: h.Plan.Name, Hostname: h.Plan.Hostname, Namespace: namespaceOf(h.Namespace), Gateway: home.Plan.Gateway,
			Mode: string(h.Plan.Mode), Shares: h.Plan.Shares,
			Command: h.Plan.Command, Environment: h.Plan.Environment, Interfaces: []api.Interface{}}
		if set, limited := h.Plan.Rights.Capabilities(); limited {
			row.Capabilities = &set
		}
		state, pid, status := h.Service()
		row.State, row.PID, row.Status = string(state), pid, status
		for _, c := range home.NICs {
			why, _ := c.Unplugged()
			row.Interfaces = append(row.Interfaces, api.Interface{Name: c.Plan.Name, Network: c.Plan.Network, Address: c.Plan.Address,
				MAC: c.Plan.MAC, MTU: c.Plan.MTU, Unplugged: why})
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func namespaceOf(n tap.Namespace) api.Namespace {
	return api.Namespace{Name: n.Name, Path: n.Path, Lab: n.Lab, ID: api.NamespaceID(n.ID)}
}

func (s *Server) networks(*http.Request) (any, error) {
	rows := []api.Network{}
	now := s.world.Now()
	for _, n := range s.world.Networks() {
		fdb := n.Switch.FDB()
		row := api.Network{Name: n.Plan.Name, Docker: n.Plan.Docker, Subnet: n.Plan.Subnet,
			GatewayMAC: n.Plan.GatewayMAC, MTU: n.Plan.MTU, Internal: n.Plan.Internal, Masquerade: n.Plan.Masquerade,
			AgeingTime: int(max(fdb.Ageing(), 0) / time.Second), FDBMaxLearned: fdb.MaxLearned(), FDBMoves: fdb.Moves(),
			GroupFwdMask: n.Switch.GroupForward(), Ports: len(n.Switch.Ports())}
		claims, last := n.Switch.Conflicts()
		if row.Conflicts = claims; claims > 0 {
			row.Conflict = fmt.Sprintf("%s says that it has %v, at %v; %s had said so, at %v", last.Port, last.Addr, last.MAC, last.From, last.Other)
		}
		if n.Interface != nil { // else the gateway is not on it
			row.Gateway = n.Interface.Addr().Addr()
			if !row.Subnet.IsValid() { // it has no subnet but by the address that somebody gave the gateway
				row.Subnet = n.Interface.Addr().Masked()
			}
		}
		for _, e := range n.Switch.Entries(now) {
			if !e.Static && e.Port != "" {
				row.FDBLearned++
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (s *Server) ports(*http.Request) (any, error) {
	rows := []api.Port{}
	for _, n := range s.world.Networks() {
		for _, p := range n.Switch.Ports() {
			k, c := p.Flags(), p.Counters()
			rows = append(rows, api.Port{Network: n.Plan.Name, Name: p.Name(), Number: p.ID(), Learning: k.Learning, Flood: k.Flood,
				McastFlood: k.MulticastFlood, BcastFlood: k.BroadcastFlood, Isolated: k.Isolated,
				RAGuard: k.RAGuard, NDGuard: k.NDGuard, DHCPGuard: k.DHCPGuard, StormLimit: k.StormLimit, MTU: k.MTU,
				RxPackets: c.RxFrames, RxBytes: c.RxBytes, RxDropped: c.RxDropped,
				TxPackets: c.TxFrames, TxBytes: c.TxBytes, TxDropped: c.TxDropped})
		}
		if n.Interface == nil {
			continue // the gateway is not on it
		}
		c := n.Interface.Counters()
		rows = append(rows, api.Port{Network: n.Plan.Name, Name: "gateway", Flood: true, McastFlood: true, BcastFlood: true, MTU: n.Interface.MTU(),
			RxPackets: c.TxPackets, RxBytes: c.TxBytes, RxDropped: c.TxDropped,
			TxPackets: c.RxPackets, TxBytes: c.RxBytes, TxDropped: c.RxDropped})
	}
	return rows, nil
}

func (s *Server) fdb(*http.Request) (any, error) {
	rows := []api.FDBEntry{}
	now := s.world.Now()
	for _, n := range s.world.Networks() {
		for _, e := range n.Switch.Entries(now) {
			row := api.FDBEntry{MAC: e.MAC, Ifname: e.Port, Flags: []string{}, Master: n.Plan.Name}
			switch {
			case e.Port == "":
				row.Ifname, row.State = n.Plan.Name, "permanent"
			case e.Static:
				row.State = "static"
			default:
				age := e.Seen.Seconds()
				row.Age = &age
			}
			since := e.Since.Seconds()
			row.Since = &since
			if e.Sticky {
				row.Flags = append(row.Flags, "sticky")
			}
			rows = append(rows, row)
		}
		rows = append(rows, s.remotes(n)...)
	}
	return rows, nil
}

// flushFDB forgets what a switch has learned and what it was told, as far as it is asked to.
func (s *Server) flushFDB(r *http.Request) (any, error) {
	var c api.FDBFlush
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	n := s.world.Network(c.Master)
	if n == nil {
		return nil, kernel("RTNETLINK answers: No such device")
	}
	wanted := func(want *bool, is bool) bool { return want == nil || *want == is }
	n.Switch.FDB().FlushMatching(func(e vswitch.Entry) bool {
		return (c.Ifname == "" || c.Ifname == e.Port) && wanted(c.Static, e.Static) && wanted(c.Sticky, e.Sticky)
	})
	return done{}, nil
}

func (s *Server) neighbors(*http.Request) (any, error) {
	rows := []api.Neighbor{}
	now := s.world.Now()
	for _, i := range s.world.Gateway().Interfaces() {
		for _, n := range i.Neighbors(now) {
			row := api.Neighbor{Dst: n.Addr, Dev: i.Name(), Router: n.Router, State: []string{n.State.String()}}
			if n.MAC.IsStation() {
				row.Lladdr = n.MAC.String()
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (s *Server) routes(*http.Request) (any, error) {
	s.routing.Lock()
	defer s.routing.Unlock()
	rows := []api.Route{}
	for _, r := range s.world.Gateway().Routes() {
		row := api.Route{Dst: r.Prefix.String(), Dev: r.Dev.Name(), Flags: []string{}}
		if r.Prefix.Bits() == 0 {
			row.Dst = "default"
		}
		if r.Prefix.Addr().Is6() {
			rows = append(rows, route6(row, r))
			continue
		}
		switch {
		case r.Prefix == r.Dev.Addr().Masked() && r.Connected():
			row.Protocol, row.Scope, row.Prefsrc = "kernel", "link", r.Dev.Addr().Addr().String()
		case r.Connected():
			row.Scope = "link"
		default:
			row.Gateway = r.Via.String()
		}
		if s.leased(r) {
			row.Protocol, row.Prefsrc, row.Metric = "dhcp", r.Dev.Addr().Addr().String(), leaseMetric
		}
		if r.Prefix.IsSingleIP() {
			row.Dst = r.Prefix.Addr().String()
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// route6 is a route of IPv6, as the kernel has them: the gateway's own networks are its, and each has a metric.
func route6(row api.Route, r route.Route[*nat.Interface]) api.Route {
	row.Family, row.Metric, row.Pref = "inet6", 1024, "medium"
	switch {
	case slices.ContainsFunc(r.Dev.Addrs6(), func(own netip.Prefix) bool { return own.Masked() == r.Prefix }) && r.Connected():
		row.Protocol, row.Metric = "kernel", 256
	case !r.Connected():
		row.Gateway = r.Via.String()
	}
	return row
}

// leaseMetric is what systemd-networkd gives the routes of a lease.
const leaseMetric = 100

// leased reports whether a route is as it was when the lab came up, by an uplink whose address a machine would have from DHCP: the
// default route, and the one to the router itself. It needs the lock of routing.
func (s *Server) leased(r route.Route[*nat.Interface]) bool {
	u := s.world.Plan().Uplink
	if u.Dev == "" || !u.Gateway.IsValid() || r.Dev.Name() != u.Dev || s.typed[r.Prefix] {
		return false
	}
	return r.Prefix.Bits() == 0 && r.Via == u.Gateway || r.Prefix == netip.PrefixFrom(u.Gateway, u.Gateway.BitLen())
}
