package graph

import (
	"fmt"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// Of many hosts, those that are alike are one interface: that many are drawn one by one, and so many at least make a group.
const (
	drawnAlone = 24
	foldedFrom = 4
)

// nic is a host, or a group of hosts that are alike, before it has a place.
type nic struct {
	id, name string
	hosts    []api.Host // one, or the members of a group
}

// group returns the name that hosts which are alike have in common: web of web-12 and web13.
func group(name string) string {
	return strings.TrimRight(strings.TrimRight(name, "0123456789"), "-_.")
}

// alike is what hosts of one group have in common: the beginnings of their names, and their networks.
func alike(h *api.Host) string {
	key := group(h.Name)
	if key == "" || len(h.Interfaces) == 0 || h.Mode != "" {
		return ""
	}
	for _, i := range h.Interfaces {
		key += " " + i.Network
	}
	return key
}

// fold returns the interfaces for hosts, in their order. open names groups that are drawn host by host all the same; all of them, if one
// is *.
func fold(hosts []api.Host, open []string) []nic {
	members := map[string][]api.Host{}
	for _, h := range hosts {
		members[alike(&h)] = append(members[alike(&h)], h)
	}
	var nics []nic
	folded := map[string]bool{}
	for _, h := range hosts {
		key := alike(&h)
		id := "group:" + key
		many := len(hosts) > drawnAlone && key != "" && len(members[key]) >= foldedFrom
		switch {
		case !many || slices.Contains(open, id) || slices.Contains(open, "*"):
			nics = append(nics, nic{"host:" + h.Name, h.Name, []api.Host{h}})
		case !folded[key]:
			folded[key] = true
			all := members[key]
			nics = append(nics, nic{id, fmt.Sprintf("%s (%d hosts)", group(h.Name), len(all)), all})
		}
	}
	return nics
}
