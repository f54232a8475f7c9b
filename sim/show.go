package sim

import (
	"errors"
	"fmt"
	"io"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// tables are what can be shown of the lab.
var tables = map[string]func(w *World, out io.Writer){
	"fdb": showFDB, "neigh": showNeighbors, "conntrack": showConns, "drops": showDrops, "routes": showRoutes,
}

func parseShow(words []string, _ string) (action, error) {
	if len(words) != 1 {
		return nil, errors.New("want the name of one table")
	}
	show := tables[words[0]]
	if show == nil {
		return nil, unknown(words[0], tables)
	}
	return func(w *World, out io.Writer) error { show(w, out); return nil }, nil
}

// parseIP reads: ip neigh, or ip route.
func parseIP(words []string) (command, error) {
	switch {
	case len(words) == 1 && words[0] == "neigh":
		return command{host: func(h *Host, out io.Writer) {
			for _, n := range h.Neighbors(h.time.Now()) {
				fmt.Fprintf(out, "%v dev %s%s %v\n", n.Addr, n.Card, lladdr(n.MAC), n.State)
			}
		}}, nil
	case len(words) == 1 && words[0] == "route":
		return command{host: func(h *Host, out io.Writer) {
			for _, r := range h.Routes() {
				if r.Connected() {
					fmt.Fprintf(out, "%v dev %s scope link src %v\n", r.Prefix, r.Dev.name, r.Dev.self.Addr.Addr())
				} else {
					fmt.Fprintf(out, "default via %v dev %s\n", r.Via, r.Dev.name)
				}
			}
		}}, nil
	}
	return command{}, errors.New("want neigh or route")
}

func lladdr(m frame.MAC) string {
	if m == (frame.MAC{}) {
		return ""
	}
	return " lladdr " + m.String()
}

// showFDB prints the forwarding tables like `bridge -s fdb`.
func showFDB(w *World, out io.Writer) {
	for _, s := range w.switches {
		for _, e := range s.Entries(w.clock.Now()) {
			switch {
			case e.Port == "":
				fmt.Fprintf(out, "%v dev %s permanent\n", e.MAC, s.Name())
			case e.Static:
				fmt.Fprintf(out, "%v dev %s master %s static\n", e.MAC, e.Port, s.Name())
			default:
				fmt.Fprintf(out, "%v dev %s master %s, heard %v ago\n", e.MAC, e.Port, s.Name(), e.Seen.Round(time.Second))
			}
		}
	}
}

// showNeighbors prints the gateway's neighbour tables like `ip neigh`.
func showNeighbors(w *World, out io.Writer) {
	for _, i := range w.gateway.Interfaces() {
		if i.IsUplink() {
			continue
		}
		for _, n := range i.Neighbors(w.clock.Now()) {
			fmt.Fprintf(out, "%v dev %s%s %v\n", n.Addr, i.Name(), lladdr(n.MAC), n.State)
		}
	}
}

// showConns prints the connection table like `conntrack -L`.
func showConns(w *World, out io.Writer) {
	for _, c := range w.gateway.Conns(w.clock.Now()) {
		state := ""
		if c.State != "" {
			state = " " + c.State
		}
		fmt.Fprintf(out, "%s %d %d%s %s", frame.ProtoName(c.Original.Proto), c.Original.Proto, int(c.Timeout.Seconds()), state,
			tupleText(c.Original, frame.ICMPEcho))
		if !c.Replied {
			fmt.Fprint(out, " [UNREPLIED]")
		}
		fmt.Fprint(out, " ", tupleText(c.Reply, frame.ICMPEchoReply))
		if c.Assured {
			fmt.Fprint(out, " [ASSURED]")
		}
		fmt.Fprintln(out)
	}
}

func tupleText(t frame.Tuple, icmpType uint8) string {
	text := fmt.Sprintf("src=%v dst=%v", t.Src(), t.Dst())
	switch {
	case t.HasPorts():
		text += fmt.Sprintf(" sport=%d dport=%d", t.SrcPort, t.DstPort)
	case t.Proto == frame.ProtoICMP:
		text += fmt.Sprintf(" type=%d code=0 id=%d", icmpType, t.SrcPort)
	}
	return text
}

// showDrops prints how many packets were dropped for which reason.
func showDrops(w *World, out io.Writer) {
	for _, r := range trace.Reasons() {
		if n := w.tracer.Drops(r); n > 0 {
			fmt.Fprintf(out, "%8d  %v: %s\n", n, r, r.Sentence())
		}
	}
}

// showRoutes prints the gateway's routes like `ip route`.
func showRoutes(w *World, out io.Writer) {
	for _, r := range w.gateway.Routes() {
		prefix := r.Prefix.String()
		if r.Prefix == everything {
			prefix = "default"
		}
		if r.Connected() {
			fmt.Fprintf(out, "%s dev %s scope link src %v\n", prefix, r.Dev.Name(), r.Dev.Addr().Addr())
		} else {
			fmt.Fprintf(out, "%s via %v dev %s\n", prefix, r.Via, r.Dev.Name())
		}
	}
}
