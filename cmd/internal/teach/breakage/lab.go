package breakage

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
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

// peers returns the other hosts on the network of a card.
func (l *lab) peers(h api.Host, card api.Interface) (others []api.Host) {
	for _, o := range l.hosts {
		if o.Name != h.Name && slices.ContainsFunc(o.Interfaces, func(i api.Interface) bool { return i.Network == card.Network }) {
			others = append(others, o)
		}
	}
	return others
}

// on returns a host's card on a network.
func on(h api.Host, network string) api.Interface {
	i := slices.IndexFunc(h.Interfaces, func(i api.Interface) bool { return i.Network == network })
	return h.Interfaces[i]
}
