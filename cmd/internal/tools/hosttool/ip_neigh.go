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

// neighWords are words that `ip neigh` knows besides those that are answered.
var neighWords = []string{"proxy", "to", "router", "use", "managed", "extern_learn", "protocol", "vrf", "nomaster", "unused", "all"}

// neighbor is what a call of `ip neigh` says.
type neighbor struct{ dst, dev, lladdr, nud string }

func (i *ip) neigh(ctx context.Context) error {
	command, err := i.command("neigh", []string{"add", "change", "chg", "replace", "delete", "get", "show", "lst", "list", "flush", "help"},
		[]string{"show", "add", "change", "replace", "delete", "flush"})
	if err != nil {
		return err
	}
	if i.view.Stats {
		return refuse(255, `Option "-s" is not answered with neigh: nobody counts that here.`)
	}
	var n neighbor
	all := false
	for err == nil {
		word, more := i.next()
		switch {
		case !more:
			return i.neighDo(ctx, command, n, all)
		case word == "dev":
			err = i.set(word, &n.dev)
		case word == "lladdr":
			err = i.set(word, &n.lladdr)
		case word == "nud":
			err = i.set(word, &n.nud)
		case word == "all" && command == "flush":
			all = true
		case slices.Contains(neighWords, word):
			err = i.unanswered(word)
		default:
			err = place(word, &n.dst, "to")
		}
	}
	return err
}

func (i *ip) neighDo(ctx context.Context, command string, n neighbor, all bool) error {
	devices, err := i.devices(ctx)
	if err != nil {
		return err
	}
	_, exists := named(devices, n.dev)
	switch {
	case command == "flush" && !all && n == neighbor{}:
		return refuse(1, "Flush requires arguments.")
	case command != "show" && command != "flush" && (n.dev == "" || n.dst == ""):
		return refuse(255, "Device and destination are required arguments.")
	case n.dev != "" && !exists:
		return refuse(1, "Cannot find device %q", n.dev)
	case command == "show":
		return i.showNeighbors(ctx, n)
	case command == "flush" && n.dst+n.lladdr+n.nud != "":
		return refuse(255, "Error: flush is answered with all or with dev only.")
	case n.nud != "" && n.nud != "permanent":
		return refuse(255, "Error: argument %q is wrong: who is entered by hand is permanent here", n.nud)
	}
	change := api.NeighborChange{Dev: n.dev, Replace: command == "replace", Change: command == "change"}
	if n.dst != "" {
		if change.Dst, err = address(n.dst); err != nil {
			return err
		}
	}
	if command == "delete" || command == "flush" {
		return i.Lab.Do(ctx, http.MethodDelete, "/v1/neigh", nil, change, nil)
	}
	if n.lladdr == "" {
		return refuse(2, "Error: No link layer address given.")
	}
	if change.Lladdr, err = hardware(n.lladdr); err != nil {
		return err
	}
	return i.Lab.Do(ctx, http.MethodPost, "/v1/neigh", nil, change, nil)
}

func (i *ip) showNeighbors(ctx context.Context, n neighbor) error {
	if n.lladdr != "" {
		return i.unanswered("lladdr")
	}
	rows, err := i.neighbors(ctx)
	if err != nil {
		return err
	}
	var in netip.Prefix
	if n.dst != "" {
		if in, err = prefix(n.dst); err != nil {
			if in, err = prefix6(n.dst); err != nil {
				return err
			}
		}
	}
	rows = choose(rows, func(r api.Neighbor) bool {
		return (n.dst == "" || in.Contains(r.Dst)) && (!i.view.IPv6 || r.Dst.Is6()) && (!i.view.IPv4 || r.Dst.Is4()) && (n.dev == "" || r.Dev == n.dev) && (n.nud == "" || slices.Contains(r.State, strings.ToUpper(n.nud)))
	})
	for k := range rows {
		if n.dev != "" {
			rows[k].Dev = ""
		}
	}
	return i.write(i.format, rows, func() error {
		if i.view.Brief {
			return view.NeighborsBrief(i.Out, rows)
		}
		return view.Neighbors(i.Out, rows)
	})
}

func (t Tool) neighbors(ctx context.Context) (rows []api.Neighbor, err error) {
	err = t.Lab.Get(ctx, "/v1/neigh", nil, &rows)
	return rows, err
}
