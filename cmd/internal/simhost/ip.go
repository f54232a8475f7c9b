package simhost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/hosttool"
	"uswitch/sim"
	"uswitch/switch/frame"
)

// hostTool makes a program out of one that the gateway answers for itself: here it answers for a simulated host.
func hostTool(answer func(hosttool.Tool, context.Context, []string) error) program {
	return func(c *call) int {
		return c.refused(answer(hosttool.Tool{Lab: host{c.Namespace}, Out: c.Stdout}, c.Ctx, c.Args))
	}
}

// refused writes an error in the words of the program and returns its status.
func (c *call) refused(err error) int {
	var e *api.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		fmt.Fprintln(c.Stderr, e.Message)
		return max(e.Status, 1)
	}
	return c.Fail(1, "%v", err)
}

// runIP is ip: what shows, and what changes routes and neighbours, as the gateway has it; and besides what the gateway has
// no use for: ip link set, ip addr add and del.
func runIP(c *call) int {
	words := slices.DeleteFunc(slices.Clone(c.Args), func(w string) bool { return w == "-4" })
	if len(words) > 2 {
		switch object, verb := words[0], words[1]; {
		case isShort(object, "link", 1) && isShort(verb, "set", 1):
			return c.refused(host{c.Namespace}.linkSet(words[2:]))
		case isShort(object, "address", 1) && isShort(verb, "add", 1):
			return c.refused(host{c.Namespace}.addrChange(words[2:], (*sim.Card).AddAddr))
		case isShort(object, "address", 1) && isShort(verb, "delete", 1):
			return c.refused(host{c.Namespace}.addrChange(words[2:], (*sim.Card).DeleteAddr))
		case isShort(object, "address", 1) && isShort(verb, "flush", 2):
			return c.refused(host{c.Namespace}.addrFlush(words[2:]))
		}
	}
	return hostTool(hosttool.Tool.IP)(c)
}

// isShort reports whether a word stands for another one, as iproute2 has it.
func isShort(word, of string, atLeast int) bool {
	return len(word) >= atLeast && strings.HasPrefix(of, word)
}

// kernel is an error in the words with which ip passes on what the kernel says, and ip's status for it.
func kernel(text string) error {
	return &api.Error{Status: 2, Message: "RTNETLINK answers: " + text}
}

func refuse(format string, args ...any) error {
	return &api.Error{Status: 1, Message: fmt.Sprintf(format, args...)}
}

// host is a simulated host that answers what hosttool asks a lab. It implements hosttool.Lab.
type host struct{ *sim.Namespace }

// Get implements hosttool.Lab.
func (h host) Get(_ context.Context, path string, _ url.Values, into any) error {
	switch into := into.(type) {
	case *[]api.Device:
		*into = h.deviceRows()
	case *[]api.Route:
		*into = h.routeRows()
	case *[]api.Neighbor:
		*into = h.neighborRows()
	default:
		return fmt.Errorf("%s: a simulated host does not know", path)
	}
	return nil
}

// Do implements hosttool.Lab.
func (h host) Do(_ context.Context, method, path string, _ url.Values, body, _ any) error {
	switch body := body.(type) {
	case api.RouteChange:
		return h.changeRoute(method == http.MethodDelete, body)
	case api.NeighborChange:
		return h.changeNeighbor(method == http.MethodDelete, body)
	}
	return fmt.Errorf("%s: a simulated host cannot do that", path)
}

// deviceRows lists lo and the cards.
func (h host) deviceRows() []api.Device {
	rows := []api.Device{{Index: 1, Name: "lo", Kind: api.KindLoopback, Address: netip.MustParsePrefix("127.0.0.1/8"),
		MTU: 65536, Carrier: true}}
	for _, d := range h.Devices() {
		rows = append(rows, api.Device{Index: d.Index(), Name: d.Name(), Kind: api.KindEther, MAC: d.Card().MAC(), Address: d.Card().Addr(),
			MTU: d.Card().MTU(), Carrier: d.Card().Up(), Down: !d.Card().Up(), Raised: true})
	}
	return rows
}

func (h host) routeRows() []api.Route {
	rows := []api.Route{}
	for _, r := range h.Host.Routes() {
		row := api.Route{Dst: r.Prefix.String(), Dev: r.Dev.Name(), Flags: []string{}}
		switch {
		case r.Prefix.Bits() == 0:
			row.Dst = "default"
		case r.Prefix.IsSingleIP():
			row.Dst = r.Prefix.Addr().String()
		}
		switch {
		case r.Via.IsValid():
			row.Gateway = r.Via.String()
		case r.Prefix == r.Dev.Addr().Masked():
			row.Protocol, row.Scope, row.Prefsrc = "kernel", "link", r.Dev.Addr().Addr().String()
		default:
			row.Scope = "link"
		}
		rows = append(rows, row)
	}
	return rows
}

func (h host) neighborRows() []api.Neighbor {
	rows := []api.Neighbor{}
	for _, n := range h.Host.Neighbors(h.Loop().Now()) {
		row := api.Neighbor{Dst: n.Addr, Dev: n.Card, State: []string{n.State.String()}}
		if n.MAC != (frame.MAC{}) {
			row.Lladdr = n.MAC.String()
		}
		rows = append(rows, row)
	}
	return rows
}
