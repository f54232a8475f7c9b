package view

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// FDB writes forwarding tables as `bridge fdb show` does; with ages, each learned entry ends with when it was last heard.
func FDB(w io.Writer, rows []api.FDBEntry, ages bool) error {
	out := bufio.NewWriter(w)
	for _, e := range rows {
		fmt.Fprintf(out, "%v dev %s", e.MAC, e.Ifname)
		for _, flag := range e.Flags {
			out.WriteString(" " + flag)
		}
		out.WriteString(" master " + e.Master)
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
		for _, flag := range r.Flags {
			out.WriteString(" " + flag)
		}
		out.WriteString(" \n")
	}
	return out.Flush()
}
