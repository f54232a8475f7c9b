package breakage

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/teach/check"
)

// lab is what a lab is at the moment, as far as faults need to know.
type lab struct {
	info      api.Lab
	hosts     []api.Host // those in namespaces that the lab has made, each namespace once
	networks  []api.Network
	ports     []api.Port
	routes    []api.Route
	published []api.Published
	rules     map[string][]string // lines of iptables -S, by table
}

// look asks a lab for everything.
func look(ctx context.Context, c *api.Client) (*lab, error) {
	l := &lab{rules: map[string][]string{}}
	for path, into := range map[string]any{"/v1/lab": &l.info, "/v1/hosts": &l.hosts, "/v1/networks": &l.networks, "/v1/ports": &l.ports,
		"/v1/routes": &l.routes, "/v1/publish": &l.published} {
		if err := c.Get(ctx, path, nil, into); err != nil {
			return nil, err
		}
	}
	for _, table := range []string{"filter", "mangle", "nat", "raw"} {
		var answer api.IptablesAnswer
		err := c.Do(ctx, http.MethodPost, "/v1/iptables", nil, api.IptablesRequest{Args: []string{"-t", table, "-S"}}, &answer)
		if err != nil {
			return nil, err
		}
		l.rules[table] = strings.Split(strings.TrimSpace(answer.Output), "\n")
	}
	l.hosts = slices.DeleteFunc(l.hosts, func(h api.Host) bool {
		return h.Mode != "" || h.Namespace.Lab != l.info.Name || len(h.Interfaces) == 0
	})
	return l, nil
}

// peers returns the other hosts on the network of an interface.
func (l *lab) peers(h api.Host, nic api.Interface) (others []api.Host) {
	for _, o := range l.hosts {
		if o.Name != h.Name && slices.ContainsFunc(o.Interfaces, func(i api.Interface) bool { return i.Network == nic.Network }) {
			others = append(others, o)
		}
	}
	return others
}

// on returns a host's interface on a network.
func on(h api.Host, network string) api.Interface {
	i := slices.IndexFunc(h.Interfaces, func(i api.Interface) bool { return i.Network == network })
	return h.Interfaces[i]
}

// elsewhere is an address outside that hosts try to reach.
var elsewhere = netip.AddrFrom4([4]byte{8, 8, 8, 8})

// symptoms returns what is answered in a lab now, and what is not, as checks that all hold. What must not be answered is
// among them, so that nobody fixes a lab by opening everything.
func symptoms(ctx context.Context, c *api.Client, s check.Subject, l *lab) ([]plan.Check, error) {
	var m api.Matrix
	if err := c.Get(ctx, "/v1/reach", api.ReachQuery{Outside: elsewhere}.Query(), &m); err != nil {
		return nil, err
	}
	var all []plan.Check
	add := func(a plan.AskCheck) {
		one := plan.Check{Name: fmt.Sprintf("c%d", len(all)+1), Ask: &a}
		if check.One(ctx, s, &one).State == check.Holds {
			all = append(all, one)
		}
	}
	for row, from := range m.From {
		for column, to := range m.To {
			cell := m.Cells[row][column]
			if !cell.Self && (cell.Works || from != api.Outsider) {
				add(plan.AskCheck{From: from, To: to.To, Protocol: to.Protocol, Port: to.Port, Not: !cell.Works})
			}
		}
	}
	// A small ping passes where a large one does not.
	for _, h := range l.hosts {
		for _, peer := range append([]string{"gateway"}, names(l.peers(h, h.Interfaces[0]))...) {
			add(plan.AskCheck{From: h.Name, To: peer, Protocol: "icmp", Size: h.Interfaces[0].MTU - 28, DF: true})
		}
	}
	return all, nil
}

func names(hosts []api.Host) (all []string) {
	for _, h := range hosts {
		all = append(all, h.Name)
	}
	return all
}
