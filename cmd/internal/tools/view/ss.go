package view

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// SSOptions say how `ss` writes.
type SSOptions struct {
	NoNetid  bool // only one protocol was asked for
	NoHeader bool // -H
}

// listenBacklog is what Send-Q shows of a listener: the queue that Go asks for, net.core.somaxconn.
const listenBacklog = "4096"

// SS writes published ports as `ss -ln` does sockets that wait: UDP first. Columns are as wide as they have to be; the
// address and the port stand on both sides of a colon.
func SS(w io.Writer, ports []api.Published, o SSOptions) error {
	rows := [][]string{{"Netid", "State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port", "Process"}}
	if o.NoHeader {
		rows = [][]string{{"", "", "      ", "      ", "", "", "", "", ""}} // the queues keep their width
	}
	for _, protocol := range []string{"udp", "tcp"} {
		state, queue := "UNCONN", "0"
		if protocol == "tcp" {
			state, queue = "LISTEN", listenBacklog
		}
		for _, p := range ports {
			if p.Protocol == protocol {
				rows = append(rows, []string{protocol, state, "0", queue, p.HostIP.String(), strconv.Itoa(int(p.HostPort)), "0.0.0.0", "*", ""})
			}
		}
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	if o.NoHeader {
		rows = rows[1:]
	}
	out := bufio.NewWriter(w)
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			switch {
			case i == 0 && o.NoNetid:
			case i == 4 || i == 6:
				fmt.Fprintf(&line, "%*s:", widths[i], cell)
			case i >= 7:
				fmt.Fprintf(&line, "%-*s", widths[i], cell)
			default:
				fmt.Fprintf(&line, "%-*s ", widths[i], cell)
			}
		}
		text := line.String()
		out.WriteString(text + "\n")
	}
	return out.Flush()
}
