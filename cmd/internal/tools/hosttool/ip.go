package hosttool

import (
	"context"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// ipOptions are ip's, in the order in which it looks for what an abbreviation means (iproute2 ip/ip.c).
var ipOptions = []string{"-loops", "-family", "-4", "-6", "-0", "-M", "-B", "-human", "-iec", "-stats", "-statistics", "-details",
	"-resolve", "-oneline", "-timestamp", "-tshort", "-Version", "-force", "-batch", "-brief", "-json", "-pretty", "-rcvbuf",
	"-netns", "-Numeric", "-all", "-color"}

// ipObjects are ip's, likewise.
var ipObjects = []string{"address", "addrlabel", "maddress", "route", "rule", "neighbor", "neighbour", "ntable", "ntbl", "link", "l2tp",
	"fou", "ila", "macsec", "tunnel", "tunl", "tuntap", "tap", "token", "tcpmetrics", "monitor", "xfrm", "mroute", "mrule", "netns",
	"netconf", "vrf", "sr", "nexthop", "mptcp", "ioam", "help", "stats"}

// ip is one call of ip.
type ip struct {
	Tool
	words
	format
	view view.IPOptions
}

// IP answers `ip`.
func (t Tool) IP(ctx context.Context, args []string) error {
	i := ip{Tool: t, words: words{rest: args, usage: "ip"}}
	if err := i.options(ipOptions, map[string]*bool{"-brief": &i.view.Brief, "-json": &i.json, "-pretty": &i.pretty,
		"-stats": &i.view.Stats, "-statistics": &i.view.Stats, "-oneline": &i.view.Oneline, "-4": &i.view.IPv4}); err != nil {
		return err
	}
	word, _ := i.next()
	switch object := expand(word, ipObjects); object {
	case "link":
		return i.link(ctx)
	case "address":
		return i.addr(ctx)
	case "route":
		return i.route(ctx)
	case "neighbor", "neighbour":
		return i.neigh(ctx)
	case "netns":
		return i.netns(ctx)
	case "":
		if word == "" {
			return refuse(255, "Command line is not complete, try \"uswitch ip -h\".")
		}
		return refuse(1, "Object %q is unknown, try \"uswitch ip -h\".", word)
	default:
		return refuse(1, "Object %q (%s) is not answered here; there are link, addr, route, neigh and netns.", word, object)
	}
}

// linkFilters are words that `ip link show` and `ip addr show` know besides those that are answered.
var linkFilters = []string{"to", "scope", "dynamic", "permanent", "secondary", "primary", "temporary", "mngtmpaddr", "noprefixroute",
	"autojoin", "tentative", "deprecated", "dadfailed", "home", "nodad", "optimistic", "label", "group", "vrf", "nomaster", "proto"}

func (i *ip) link(ctx context.Context) error {
	if _, err := i.command("link", []string{"add", "set", "change", "replace", "delete", "show", "lst", "list", "xstats", "afstats",
		"property", "help"}, []string{"show"}); err != nil {
		return err
	}
	rows, err := i.selected(ctx)
	if err != nil {
		return err
	}
	return i.write(i.format, view.LinksJSON(rows, i.view), func() error { return view.Links(i.Out, rows, i.view) })
}

func (i *ip) addr(ctx context.Context) error {
	command, err := i.command("addr", []string{"add", "change", "chg", "replace", "delete", "show", "lst", "list", "flush", "save", "showdump",
		"restore", "help"}, []string{"show", "add", "delete"})
	if err != nil {
		return err
	}
	if command != "show" {
		return i.changeAddr(ctx, command)
	}
	rows, err := i.selected(ctx)
	if err != nil {
		return err
	}
	return i.write(i.format, view.AddrsJSON(rows, i.view), func() error { return view.Addrs(i.Out, rows, i.view) })
}

// netns answers `ip netns list-id`: the namespaces that cables lead to, by the numbers that `ip link` has for them.
func (i *ip) netns(ctx context.Context) error {
	if word, _ := i.next(); word != "list-id" {
		return refuse(255, "Command \"ip netns %s\" is not answered here; there is list-id. The hosts' namespaces are this machine's own: ip netns list.", word)
	}
	if word, more := i.next(); more {
		return i.unanswered(word)
	}
	rows, err := i.devices(ctx)
	if err != nil {
		return err
	}
	seen := map[int]bool{}
	rows = choose(rows, func(d api.Device) bool {
		first := d.Kind == api.KindVeth && !seen[d.NetnsID]
		seen[d.NetnsID] = seen[d.NetnsID] || first
		return first
	})
	return i.write(i.format, view.NetnsIDsJSON(rows), func() error { return view.NetnsIDs(i.Out, rows) })
}
