package watch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// table is one that can stand beside the drawing. read returns its rows as people know them.
type table struct {
	name string
	read func(ctx context.Context, lab *api.Client) ([]string, error)
}

// tables are in the order in which the tab key shows them.
var tables = []table{
	{"fdb", rowsOf("/v1/fdb", station)},
	{"neigh", rowsOf("/v1/neigh", func(n api.Neighbor) string {
		return line(func(w io.Writer) error { return view.Neighbors(w, []api.Neighbor{n}) })
	})},
	{"conntrack", rowsOf("/v1/conntrack", connection)},
	{"drops", rowsOf("/v1/drops", func(d api.Drop) string { return fmt.Sprintf("%5d %s", d.Count, d.Reason) })},
	{"ports", rowsOf("/v1/ports", func(p api.Port) string {
		return fmt.Sprintf("%s: %d in, %d out, %d dropped", p.Name, p.RxPackets, p.TxPackets, p.RxDropped+p.TxDropped)
	})},
	{"routes", rowsOf("/v1/routes", func(r api.Route) string {
		return line(func(w io.Writer) error { return view.Routes(w, []api.Route{r}) })
	})},
}

// rowsOf reads a table of the control socket's.
func rowsOf[T any](path string, text func(T) string) func(context.Context, *api.Client) ([]string, error) {
	return func(ctx context.Context, lab *api.Client) (lines []string, err error) {
		var rows []T
		if err := lab.Get(ctx, path, nil, &rows); err != nil {
			return nil, err
		}
		for _, r := range rows {
			lines = append(lines, strings.TrimSpace(text(r)))
		}
		return lines, nil
	}
}

func line(write func(io.Writer) error) string {
	var b bytes.Buffer
	_ = write(&b)
	return b.String()
}

// station is a row of a forwarding table, shorter than bridge fdb has it: the switch itself is told by its name.
func station(e api.FDBEntry) string {
	return fmt.Sprintf("%v dev %s %s", e.MAC, e.Ifname, strings.Join(append(e.Flags, strings.TrimPrefix(e.State, "permanent")), " "))
}

// connection is a row of the connection table, shorter than conntrack -L has it: both ends, and what they were translated
// to.
func connection(c api.Conn) string {
	text := c.Protocol + " " + end(c, c.Original, false) + " > " + end(c, c.Original, true)
	if c.Reply.Dst != c.Original.Src || c.Reply.Dport != c.Original.Sport || c.Reply.ID != c.Original.ID {
		text += " as " + end(c, c.Reply, true)
	}
	if !c.Replied {
		text += " [UNREPLIED]"
	}
	return text
}

func end(c api.Conn, t api.Tuple, dst bool) string {
	addr, port := t.Src, t.Sport
	if dst {
		addr, port = t.Dst, t.Dport
	}
	if c.Protocol == "icmp" && !dst {
		port = t.ID
	}
	if port == 0 {
		return addr.String()
	}
	return fmt.Sprintf("%v:%d", addr, port)
}
