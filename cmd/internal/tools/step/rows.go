package step

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/tcpdump"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
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
		{trace.Key("from"), before.RxPackets, after.RxPackets}, {trace.Key("dropped from"), before.RxDropped, after.RxDropped},
		{trace.Key("to"), before.TxPackets, after.TxPackets}, {trace.Key("dropped to"), before.TxDropped, after.TxDropped},
	} {
		if c.was != c.now {
			all = append(all, row{"~", "ports", words.In("%s %s: %d packets, was %d", words.In(c.what), after.Name, c.now, c.was)})
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
			texts = []string{words.In("(no entry)")}
		}
		if more := len(texts) - maxRows; more > 0 {
			texts = append(texts[:maxRows], words.In("... %d more", more))
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

// Decoded writes the packet of a step as tcpdump -e does.
func Decoded(s *api.Step) string {
	p := tcpdump.Printer{Link: true, NoTime: true}
	// What was cut off a long packet is filled up with zeroes, or it would be taken for a damaged one.
	data := append(append([]byte(nil), s.Data...), make([]byte, max(s.Length-len(s.Data), 0))...)
	return p.Line(&api.Frame{Data: data, IP: s.IP})
}

// headers are what steps change in a packet, as text; empty where there is none.
type headers struct{ srcMAC, dstMAC, src, dst, ttl string }

// differences says what a step has changed in a packet since the one before, and remembers what it is now. The gateway's
// steps show a packet without its frame: what was known of that is kept.
func (h *headers) differences(s *api.Step) (all []string) {
	is := headersOf(s)
	say := func(what string, was *string, now string) {
		if *was != "" && now != "" && *was != now {
			all = append(all, words.In("%s %s becomes %s", what, *was, now))
		}
		*was = cmp.Or(now, *was)
	}
	say(words.In("source"), &h.src, is.src)
	say(words.In("destination"), &h.dst, is.dst)
	say("ttl", &h.ttl, is.ttl)
	say(words.In("sender's MAC"), &h.srcMAC, is.srcMAC)
	say(words.In("receiver's MAC"), &h.dstMAC, is.dstMAC)
	return all
}

func headersOf(s *api.Step) (h headers) {
	e := trace.Event{IP: s.IP, Frame: frame.Frame{Data: s.Data}}
	if eth, ok := frame.ParseEthernet(s.Data); ok && !s.IP {
		h.srcMAC, h.dstMAC = eth.Src().String(), eth.Dst().String()
	}
	p, ok := e.IPv4()
	if !ok {
		return h
	}
	h.ttl, h.src, h.dst = fmt.Sprint(p.TTL()), p.Src().String(), p.Dst().String()
	if t, ok := frame.TupleOf(p); ok {
		h.src, h.dst = t.Source(), t.Destination()
	}
	return h
}
