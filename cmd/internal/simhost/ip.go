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
	"time"

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
	words := slices.DeleteFunc(slices.Clone(c.Args), func(w string) bool { return w == "-4" || w == "-6" })
	if len(words) > 2 {
		switch object, verb := words[0], words[1]; {
		case isShort(object, "link", 1) && isShort(verb, "set", 1):
			return c.refused(host{c.Namespace}.linkSet(words[2:]))
		case isShort(object, "address", 1) && isShort(verb, "add", 1):
			return c.refused(host{c.Namespace}.addrChange(words[2:], (*sim.NIC).AddAddr))
		case isShort(object, "address", 1) && isShort(verb, "delete", 1):
			return c.refused(host{c.Namespace}.addrChange(words[2:], (*sim.NIC).DeleteAddr))
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

// deviceRows lists lo and the interfaces.
func (h host) deviceRows() []api.Device {
	rows := []api.Device{{Index: 1, Name: "lo", Kind: api.KindLoopback, Address: netip.MustParsePrefix("127.0.0.1/8"),
		MTU: 65536, Carrier: true}}
	for _, d := range h.Devices() {
		six := h.address6Rows(d.NIC())
		if len(six) > 0 && len(rows[0].Addresses6) == 0 {
			rows[0].Addresses6 = []api.Address6{{Prefix: netip.MustParsePrefix("::1/128")}}
		}
		rows = append(rows, api.Device{Index: d.Index(), Name: d.Name(), Kind: api.KindEther, MAC: d.NIC().MAC(), Address: d.NIC().Addr(), Addresses6: six,
			MTU: d.NIC().MTU(), Carrier: d.NIC().Up(), Down: !d.NIC().Up(), Raised: true})
	}
	return rows
}

// address6Rows lists an interface's addresses of IPv6 as the kernel does: the link-local one comes last.
func (h host) address6Rows(c *sim.NIC) (rows []api.Address6) {
	now, all := h.Loop().Now(), c.Addrs6()
	slices.SortStableFunc(all, func(a, b sim.Addr6) int { return linkLocalLast(a.Addr()) - linkLocalLast(b.Addr()) })
	for _, a := range all {
		rows = append(rows, api.Address6{Prefix: a.Prefix, Flags: addressFlags(a, now), Valid: left(a.Valid, now), Preferred: left(a.Preferred, now)})
	}
	return rows
}

func linkLocalLast(a netip.Addr) int {
	if a.IsLinkLocalUnicast() {
		return 1
	}
	return 0
}

// left is how many seconds there are until a time; nil: it never comes.
func left(until, now time.Time) *int {
	if until.IsZero() {
		return nil
	}
	seconds := expires(until, now)
	return &seconds
}

// expires is left of a route; 0: it stays.
func expires(until, now time.Time) int {
	if until.IsZero() {
		return 0
	}
	return max(int(until.Sub(now)/time.Second), 0)
}

// addressFlags are an address's in the words and the order of iproute2 (print_ifa_flags of ip/ipaddress.c).
func addressFlags(a sim.Addr6, now time.Time) (flags []string) {
	for _, f := range []struct {
		word string
		is   bool
	}{{"nodad", a.NoDAD}, {"dadfailed", a.State == sim.Duplicate}, {"deprecated", a.Deprecated(now)}, {"tentative", a.State != sim.Assigned},
		{"dynamic", a.Dynamic}, {"mngtmpaddr", a.Dynamic}, {"stable-privacy", a.Stable}} {
		if f.is {
			flags = append(flags, f.word)
		}
	}
	return flags
}

// route6Rows are the routes of IPv6 that no table has: the network of every link, and the default route that a router has advertised
// beside another one.
func (h host) route6Rows() (rows []api.Route) {
	now := h.Loop().Now()
	for _, c := range h.Host.NICs() {
		if slices.ContainsFunc(c.Addrs6(), func(a sim.Addr6) bool { return a.Addr().IsLinkLocalUnicast() }) {
			rows = append(rows, api.Route{Dst: frame.LinkLocal.String(), Dev: c.Name(), Protocol: "kernel", Metric: 256, Flags: []string{}})
		}
		if via, until, beside := c.Router(); beside {
			rows = append(rows, api.Route{Dst: "default", Gateway: via.String(), Dev: c.Name(), Protocol: "ra", Metric: 1024, Expires: expires(until, now), Flags: []string{}})
		}
	}
	return rows
}

func (h host) routeRows() []api.Route {
	rows, now := h.route6Rows(), h.Loop().Now()
	for _, r := range h.Host.Routes() {
		row := api.Route{Dst: r.Prefix.String(), Dev: r.Dev.Name(), Flags: []string{}}
		until, advertised := r.Dev.Advertised(r)
		switch {
		case r.Prefix.Bits() == 0:
			row.Dst = "default"
		case r.Prefix.IsSingleIP():
			row.Dst = r.Prefix.Addr().String()
		}
		switch {
		case r.Prefix.Addr().Is6() && r.Via.IsValid():
			row.Gateway, row.Metric, row.Expires = r.Via.String(), 1024, expires(until, now)
			if advertised {
				row.Protocol = "ra"
			}
		case r.Prefix.Addr().Is6():
			row.Metric, row.Expires = 1024, expires(until, now)
			if advertised || slices.ContainsFunc(r.Dev.Addrs6(), func(a sim.Addr6) bool { return a.Masked() == r.Prefix }) {
				row.Protocol, row.Metric = "kernel", 256
			}
		case r.Via.IsValid():
			row.Gateway = r.Via.String()
		case r.Prefix == r.Dev.Addr().Masked():
			row.Protocol, row.Scope, row.Prefsrc = "kernel", "link", r.Dev.Addr().Addr().String()
		default:
			row.Scope = "link"
		}
		rows = append(rows, row)
	}
	for i := range rows {
		if rows[i].Metric != 0 {
			rows[i].Family, rows[i].Pref = "inet6", "medium"
		}
	}
	slices.SortStableFunc(rows, func(a, b api.Route) int { return inOrder6(a) - inOrder6(b) })
	return rows
}

// inOrder6 is the order in which the kernel lists routes of IPv6: the links' come behind the networks', the default routes last.
func inOrder6(r api.Route) int {
	switch {
	case r.Family != "" && r.Dst == "default":
		return 2
	case r.Dst == frame.LinkLocal.String():
		return 1
	}
	return 0
}

func (h host) neighborRows() []api.Neighbor {
	rows := []api.Neighbor{}
	for _, n := range h.Host.Neighbors(h.Loop().Now()) {
		row := api.Neighbor{Dst: n.Addr, Dev: n.NIC, Router: n.Router, State: []string{n.State.String()}}
		if n.MAC != (frame.MAC{}) {
			row.Lladdr = n.MAC.String()
		}
		rows = append(rows, row)
	}
	return rows
}
