package hosttool

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// routeWords are words that `ip route` knows besides those that are answered.
var routeWords = []string{"root", "match", "exact", "to", "scope", "proto", "protocol", "type", "src", "from", "tos", "dsfield", "metric",
	"preference", "priority", "mtu", "nexthop", "onlink", "oif", "iif", "cloned", "cached", "vrf", "realm", "unicast", "local", "broadcast",
	"multicast", "throw", "unreachable", "prohibit", "blackhole", "nat", "nhid", "encap", "advmss", "initcwnd", "window"}

func (i *ip) route(ctx context.Context) error {
	command, err := i.command("route", []string{"list", "show", "lst", "get", "add", "change", "chg", "replace", "prepend", "append",
		"test", "delete", "flush", "save", "restore", "showdump", "help"}, []string{"show", "get", "add", "change", "replace", "delete"})
	if err != nil {
		return err
	}
	dst, via, dev, table := "", "", "", ""
	for {
		word, more := i.next()
		switch {
		case !more && command == "show":
			return i.showRoutes(ctx, dst, via, dev)
		case !more && command == "get" && via+dev == "":
			return i.getRoute(ctx, dst)
		case !more && command == "get":
			return i.unanswered("get ADDRESS via|dev")
		case !more:
			return i.changeRoute(ctx, command, dst, via, dev)
		case word == "via":
			err = i.set(word, &via)
		case word == "dev":
			err = i.set(word, &dev)
		case word == "table":
			if err = i.set(word, &table); err == nil && table != "main" && table != "254" {
				err = refuse(255, "Error: argument %q is wrong: there is the table main only", table)
			}
		case slices.Contains(routeWords, word):
			err = i.unanswered(word)
		default:
			err = place(word, &dst, "to")
		}
		if err != nil {
			return err
		}
	}
}

func (i *ip) showRoutes(ctx context.Context, dst, via, dev string) error {
	rows, err := i.routes(ctx)
	if err != nil {
		return err
	}
	rows = choose(rows, func(r api.Route) bool { return (r.Family == "inet6") == i.view.IPv6 })
	for n := range rows {
		rows[n].Family = "" // which ip's own -json does not say
	}
	devices, err := i.devices(ctx)
	if err != nil {
		return err
	}
	if _, ok := named(devices, dev); dev != "" && !ok {
		return refuse(1, "Cannot find device %q", dev)
	}
	want := dst
	if dst != "" {
		p, err := i.prefix(dst)
		if err != nil {
			return err
		}
		want = routeName(p)
	}
	rows = choose(rows, func(r api.Route) bool {
		return (dst == "" || r.Dst == want) && (via == "" || r.Gateway == via) && (dev == "" || r.Dev == dev)
	})
	for n := range rows { // what was asked for is not said again
		if dev != "" {
			rows[n].Dev = ""
		}
		if via != "" {
			rows[n].Gateway = ""
		}
	}
	return i.write(i.format, rows, func() error { return view.Routes(i.Out, rows) })
}

// routes gets the routes, and marks those that lead to a bridge without a carrier.
func (t Tool) routes(ctx context.Context) (rows []api.Route, err error) {
	devices, err := t.devices(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.Lab.Get(ctx, "/v1/routes", nil, &rows); err != nil {
		return nil, err
	}
	for n := range rows {
		if d, ok := named(devices, rows[n].Dev); ok && !d.Carrier {
			rows[n].Flags = append(rows[n].Flags, "linkdown")
		}
	}
	return rows, nil
}

// prefix reads a prefix of the family that is asked for; where none is, that in which it is written.
func (i *ip) prefix(text string) (netip.Prefix, error) {
	switch {
	case !i.view.IPv6 && !strings.Contains(text, ":"):
		return prefix(text)
	case text == "default" || text == "any" || text == "all":
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0), nil
	}
	return prefix6(text)
}

// routeName writes a destination as `ip route` does.
func routeName(p netip.Prefix) string {
	switch {
	case p.Bits() == 0:
		return "default"
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}

func (i *ip) changeRoute(ctx context.Context, command, dst, via, dev string) (err error) {
	change := api.RouteChange{Dev: dev, Replace: command == "replace", Change: command == "change"}
	if dst == "" {
		return refuse(255, `Command line is not complete. Try option "help"`)
	}
	i.view.IPv6 = i.view.IPv6 || strings.Contains(via, ":")
	if change.Dst, err = i.prefix(dst); err != nil {
		return err
	}
	if via != "" {
		if change.Via, err = address(via); err != nil {
			return err
		}
	}
	devices, err := i.devices(ctx)
	if err != nil {
		return err
	}
	if _, ok := named(devices, dev); dev != "" && !ok {
		return refuse(1, "Cannot find device %q", dev)
	}
	method := http.MethodPost
	if command == "delete" {
		method = http.MethodDelete
	}
	return i.Lab.Do(ctx, method, "/v1/routes", nil, change, nil)
}
