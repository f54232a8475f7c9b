package view

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

// Addrs writes devices with their addresses as `ip addr` does.
func Addrs(w io.Writer, rows []api.Device, o IPOptions) error {
	out := bufio.NewWriter(w)
	for _, d := range Addressed(rows, o) {
		switch {
		case o.Brief:
			fmt.Fprintf(out, "%-16s %-14s ", linkName(&d), operState(&d))
			for _, a := range addrsOf(&d, o) {
				out.WriteString(a.Prefix.String() + " ")
			}
			out.WriteByte('\n')
			continue
		case o.Oneline:
			for _, a := range addrsOf(&d, o) {
				fmt.Fprintf(out, "%d: %s    %s\\       %s\n", d.Index, d.Name, inet(&d, a), lifetimes(a))
			}
			continue
		case o.IPv4 || o.IPv6:
			linkTop(out, &d, "")
		default:
			linkHead(out, &d, "", o)
		}
		out.WriteByte('\n')
		for _, a := range addrsOf(&d, o) {
			fmt.Fprintf(out, "    %s\n       %s\n", inet(&d, a), lifetimes(a))
		}
		if o.Stats {
			linkStats(out, &d, o)
			out.WriteByte('\n')
		}
	}
	return out.Flush()
}

// Addressed returns the devices that `ip addr` shows: all, or those that have an address if only those are asked for.
func Addressed(rows []api.Device, o IPOptions) (shown []api.Device) {
	for _, d := range rows {
		if len(addrsOf(&d, o)) > 0 || !o.IPv4 && !o.IPv6 {
			shown = append(shown, d)
		}
	}
	return shown
}

// addrsOf returns the addresses of a device that are asked for.
func addrsOf(d *api.Device, o IPOptions) (all []api.Address6) {
	if d.Address.IsValid() && !o.IPv6 {
		all = append(all, api.Address6{Prefix: d.Address})
	}
	if !o.IPv4 {
		all = append(all, d.Addresses6...)
	}
	return all
}

// inet writes an address:
//
//	inet 11.11.11.1/24 brd 11.11.11.255 scope global br0
//	inet6 fe80::42:bff:fe0b:b01/64 scope link
func inet(d *api.Device, of api.Address6) string {
	a := of.Prefix
	if a.Addr().Is6() {
		return "inet6 " + a.String() + " scope " + strings.Join(append([]string{scope6(a)}, of.Flags...), " ") + " "
	}
	text := "inet " + a.String()
	if broadcast := addrBroadcast(d); broadcast != "" {
		text += " brd " + broadcast
	}
	return text + " scope " + addrScope(d) + " " + d.Name
}

// lifetimes is how long an address lasts.
func lifetimes(a api.Address6) string {
	last := func(seconds *int) string {
		if seconds == nil {
			return "forever"
		}
		return fmt.Sprintf("%dsec", *seconds)
	}
	return "valid_lft " + last(a.Valid) + " preferred_lft " + last(a.Preferred)
}

// addrBroadcast is the address for everyone on the network; Docker sets it on its bridges, and `ip addr add` only if it is told to.
func addrBroadcast(d *api.Device) string {
	if d.ByHand || d.Kind == api.KindLoopback || d.Kind == api.KindNone || d.Address.Bits() > 30 {
		return ""
	}
	return frame.BroadcastOf(d.Address).String()
}

func addrScope(d *api.Device) string {
	if d.Kind == api.KindLoopback {
		return "host"
	}
	return "global"
}

// FDB writes forwarding tables as `bridge fdb show` does; with ages, each learned entry ends with when it was last heard.
func FDB(w io.Writer, rows []api.FDBEntry, ages bool) error {
	out := bufio.NewWriter(w)
	for _, e := range rows {
		fmt.Fprintf(out, "%v dev %s", e.MAC, e.Ifname)
		if e.Dst != "" {
			out.WriteString(" dst " + e.Dst)
		}
		for _, flag := range e.Flags {
			out.WriteString(" " + flag)
		}
		if e.Master != "" {
			out.WriteString(" master " + e.Master)
		}
		if e.State != "" {
			out.WriteString(" " + e.State)
		}
		if ages && e.Age != nil {
			fmt.Fprintf(out, " age %.2fs", *e.Age)
		}
		out.WriteByte('\n')
	}
	return out.Flush()
}

// WithoutAges returns the rows as `bridge -json fdb show` has them.
func WithoutAges(rows []api.FDBEntry) []api.FDBEntry {
	plain := make([]api.FDBEntry, len(rows))
	for i, e := range rows {
		e.Age, e.Since = nil, nil
		plain[i] = e
	}
	return plain
}

// Neighbors writes a neighbour table as `ip neigh` does.
func Neighbors(w io.Writer, rows []api.Neighbor) error {
	out := bufio.NewWriter(w)
	for _, n := range rows {
		out.WriteString(n.Dst.String() + " ")
		if n.Dev != "" { // no device is named where all are behind the same
			out.WriteString("dev " + n.Dev + " ")
		}
		if n.Lladdr != "" {
			out.WriteString("lladdr " + n.Lladdr + " ")
		}
		if n.Router {
			out.WriteString("router ")
		}
		out.WriteString(strings.Join(n.State, ",") + " \n") // as the real one: a blank ends the line
	}
	return out.Flush()
}

// NeighborsBrief writes a neighbour table as `ip -br neigh` does: those whose hardware address is known, and nothing of
// their state.
func NeighborsBrief(w io.Writer, rows []api.Neighbor) error {
	out := bufio.NewWriter(w)
	for _, n := range rows {
		fmt.Fprintf(out, "%-39v %-16s %s\n", n.Dst, n.Dev, n.Lladdr)
	}
	return out.Flush()
}

// Routes writes routes as `ip route` does.
func Routes(w io.Writer, rows []api.Route) error {
	out := bufio.NewWriter(w)
	for _, r := range rows {
		out.WriteString(r.Dst)
		for _, part := range []struct{ word, value string }{{"via", r.Gateway}, {"dev", r.Dev}, {"proto", r.Protocol},
			{"scope", r.Scope}, {"src", r.Prefsrc}} {
			if part.value != "" {
				out.WriteString(" " + part.word + " " + part.value)
			}
		}
		if r.Metric != 0 {
			fmt.Fprintf(out, " metric %d", r.Metric)
		}
		if r.Expires != 0 {
			fmt.Fprintf(out, " expires %dsec", r.Expires)
		}
		if r.Pref != "" {
			out.WriteString(" pref " + r.Pref)
		}
		for _, flag := range r.Flags {
			out.WriteString(" " + flag)
		}
		out.WriteString(" \n")
	}
	return out.Flush()
}

// RouteDecision is what `ip route get` answers.
type RouteDecision struct {
	Type    string   `json:"type,omitempty"` // local, broadcast; empty: unicast
	Dst     string   `json:"dst"`
	Gateway string   `json:"gateway,omitempty"`
	Dev     string   `json:"dev"`
	Source  string   `json:"prefsrc"`
	Flags   []string `json:"flags"`
	UID     int      `json:"uid"`
	Cache   []string `json:"cache"`
}

// RouteGet writes a decision as `ip route get` does.
func RouteGet(w io.Writer, d RouteDecision) error {
	var words []string
	for _, part := range [][2]string{{"", d.Type}, {"", d.Dst}, {"via ", d.Gateway}, {"dev ", d.Dev}, {"src ", d.Source}} {
		if part[1] != "" {
			words = append(words, part[0]+part[1])
		}
	}
	cache := ""
	if len(d.Cache) > 0 {
		cache = "<" + strings.Join(d.Cache, ",") + "> "
	}
	_, err := fmt.Fprintf(w, "%s uid %d \n    cache %s\n", strings.Join(words, " "), d.UID, cache)
	return err
}
