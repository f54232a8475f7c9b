package hosttool

import (
	"context"
	"slices"
	"strings"

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
	view  view.IPOptions
	Netns string // where the command is typed; empty: on the machine
}

var (
	linkCommands = []string{"add", "set", "change", "replace", "delete", "show", "lst", "list", "xstats", "afstats", "property", "help"}
	addrCommands = []string{"add", "change", "chg", "replace", "delete", "show", "lst", "list", "flush", "save", "showdump", "restore", "help"}
)

// inNetns takes -n NAME, which may stand among the options, out of a command line.
func (i *ip) inNetns(args []string) (name string, rest []string, err error) {
	for k := 0; k < len(args) && strings.HasPrefix(args[k], "-"); k++ {
		if word := "-" + strings.TrimLeft(args[k], "-"); word != "-n" && word != "-netns" {
			continue
		}
		if k+1 == len(args) {
			return "", nil, refuse(255, `Command line is not complete. Try option "help"`)
		}
		return args[k+1], slices.Concat(args[:k], args[k+2:]), nil
	}
	return "", args, nil
}

// IP answers `ip`.
func (t Tool) IP(ctx context.Context, args []string) error {
	i := ip{Tool: t, words: words{rest: args, usage: "ip"}}
	if inside, rest, err := i.inNetns(args); err != nil {
		return err
	} else if inside != "" {
		return i.execIn(ctx, inside, append([]string{"ip"}, rest...))
	}
	if err := i.options(ipOptions, map[string]*bool{"-brief": &i.view.Brief, "-json": &i.json, "-pretty": &i.pretty,
		"-stats": &i.view.Stats, "-statistics": &i.view.Stats, "-oneline": &i.view.Oneline, "-4": &i.view.IPv4, "-6": &i.view.IPv6}); err != nil {
		return err
	}
	if i.view.IPv4 && i.view.IPv6 {
		i.view.IPv4 = false // the last word would count; of both, the one that is asked for on purpose
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

func (i *ip) addr(ctx context.Context) error {
	command, err := i.command("addr", addrCommands, []string{"show", "add", "delete"})
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
