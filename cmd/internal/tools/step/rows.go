package step

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// row is a row of a table as text. mark says what it is about: + new, - gone, ~ changed, ? will be looked at.
type row struct{ mark, table, text string }

// changed writes what a packet has changed.
func changed(c *api.Changes) (all []row) {
	if c == nil {
		return nil
	}
	for _, d := range c.FDB {
		all = append(all, change("fdb", d, fdbRow)...)
	}
	for _, d := range c.Neigh {
		all = append(all, change("neigh", d, neighRow)...)
	}
	for _, d := range c.Conns {
		all = append(all, change("conntrack", d, connRow)...)
	}
	for _, d := range c.Ports {
		if d.Before != nil && d.After != nil {
			all = append(all, counters(d.Before, d.After)...)
		}
	}
	for _, d := range c.Drops {
		if d.After != nil {
			all = append(all, row{"~", "drops", fmt.Sprintf("%s: %d", d.After.Reason, d.After.Count)})
		}
	}
	return all
}

// change writes a row that is new, gone or another.
func change[T any](table string, c api.Change[T], text func(T) string) []row {
	switch {
	case c.Before == nil:
		return []row{{"+", table, text(*c.After)}}
	case c.After == nil:
		return []row{{"-", table, text(*c.Before)}}
	}
	return []row{{"~", table, text(*c.After)}}
}

// counters writes which counters of a port have moved; what others have sent meanwhile counts too.
func counters(before, after *api.Port) (all []row) {
	for _, c := range []struct {
		what     string
		was, now uint64
	}{
		{"from", before.RxPackets, after.RxPackets}, {"dropped from", before.RxDropped, after.RxDropped},
		{"to", before.TxPackets, after.TxPackets}, {"dropped to", before.TxDropped, after.TxDropped},
	} {
		if c.was != c.now {
			all = append(all, row{"~", "ports", fmt.Sprintf("%s %s: %d packets, was %d", c.what, after.Name, c.now, c.was)})
		}
	}
	return all
}

// maxRows is how many rows of one table are shown of what will be looked at.
const maxRows = 5

// looked writes what will be looked at next.
func looked(t *api.Tables) (all []row) {
	if t == nil {
		return nil
	}
	for _, name := range t.Looked {
		var texts []string
		switch name {
		case "fdb":
			texts = each(t.FDB, fdbRow)
		case "neigh":
			texts = each(t.Neigh, neighRow)
		case "conntrack":
			texts = each(t.Conns, connRow)
		case "routes":
			texts = each(t.Routes, routeRow)
		default:
			_, chain, _ := strings.Cut(name, " ")
			for _, rule := range t.Rules {
				if strings.HasPrefix(rule[min(3, len(rule)):], chain) { // -P FORWARD, -A FORWARD
					texts = append(texts, rule)
				}
			}
		}
		if len(texts) == 0 {
			texts = []string{"(no entry)"}
		}
		if more := len(texts) - maxRows; more > 0 {
			texts = append(texts[:maxRows], fmt.Sprintf("... %d more", more))
		}
		for _, text := range texts {
			all = append(all, row{"?", name, text})
		}
	}
	return all
}

func each[T any](rows []T, text func(T) string) (all []string) {
	for _, r := range rows {
		all = append(all, text(r))
	}
	return all
}

// line takes one row from a table that is written for people.
func line(write func(io.Writer) error) string {
	var b bytes.Buffer
	_ = write(&b)
	return strings.TrimSpace(b.String())
}

func fdbRow(e api.FDBEntry) string {
	return line(func(w io.Writer) error { return view.FDB(w, []api.FDBEntry{e}, false) })
}

func neighRow(n api.Neighbor) string {
	return line(func(w io.Writer) error { return view.Neighbors(w, []api.Neighbor{n}) })
}

func connRow(c api.Conn) string {
	return line(func(w io.Writer) error { return view.Conns(w, []api.Conn{c}, view.ConnOptions{}) })
}

func routeRow(r api.Route) string {
	return line(func(w io.Writer) error { return view.Routes(w, []api.Route{r}) })
}
