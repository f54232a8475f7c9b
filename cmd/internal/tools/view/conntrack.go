package view

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

// ConnOptions say how a connection is written.
type ConnOptions struct {
	Counters bool // packets= and bytes=, as Linux has them with nf_conntrack_acct=1
	Extended bool // ipv4 and its number in front (conntrack -o extended)
	ID       bool // id= at the end (conntrack -o id)
}

// Conns writes connections as `conntrack -L` does.
func Conns(w io.Writer, conns []api.Conn, o ConnOptions) error {
	out := bufio.NewWriter(w)
	for i := range conns {
		c := &conns[i]
		if o.Extended {
			out.WriteString(connFamily(c))
		}
		out.WriteString(conn(c, o, true) + " mark=0 use=1")
		if o.ID {
			fmt.Fprintf(out, " id=%d", c.ID)
		}
		out.WriteByte('\n')
	}
	return out.Flush()
}

// ConnEvent writes a change as `conntrack -E` does.
func ConnEvent(w io.Writer, e api.ConnEvent, o ConnOptions) error {
	if e.Conn == nil {
		_, err := fmt.Fprintf(w, "... %d events lost\n", e.Lost)
		return err
	}
	family := ""
	if o.Extended {
		family = connFamily(e.Conn)
	}
	line := fmt.Sprintf("%9s %s%s", "["+e.Type+"]", family, conn(e.Conn, o, e.Type != "DESTROY"))
	if o.ID {
		line += fmt.Sprintf(" id=%d", e.Conn.ID)
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

// connFamily is the family in front of a connection, and its number.
func connFamily(c *api.Conn) string {
	if c.Original.Src.Is6() {
		return "ipv6     10 "
	}
	return "ipv4     2 "
}

// conn writes what a list and an event have in common:
//
//	tcp      6 431999 ESTABLISHED src=... dst=... sport=... dport=... src=... dst=... sport=... dport=... [ASSURED]
func conn(c *api.Conn, o ConnOptions, timeout bool) string {
	var b strings.Builder
	name := c.Protocol
	if name == fmt.Sprint(c.Protonum) {
		name = "unknown"
	}
	fmt.Fprintf(&b, "%-8s %d", name, c.Protonum)
	if timeout {
		fmt.Fprintf(&b, " %d", c.Timeout)
	}
	if c.State != "" {
		b.WriteString(" " + c.State)
	}
	echo, echoReply := int(frame.ICMPEcho), int(frame.ICMPEchoReply)
	if c.Protonum == frame.ProtoICMPv6 {
		echo, echoReply = int(frame.ICMPv6Echo), int(frame.ICMPv6EchoReply)
	}
	tuple(&b, c, c.Original, echo, o)
	if !c.Replied {
		b.WriteString(" [UNREPLIED]")
	}
	tuple(&b, c, c.Reply, echoReply, o)
	if c.Assured {
		b.WriteString(" [ASSURED]")
	}
	return b.String()
}

func tuple(b *strings.Builder, c *api.Conn, t api.Tuple, icmpType int, o ConnOptions) {
	fmt.Fprintf(b, " src=%v dst=%v", t.Src, t.Dst)
	switch {
	case frame.ProtoHasPorts(c.Protonum):
		fmt.Fprintf(b, " sport=%d dport=%d", t.Sport, t.Dport)
	case frame.IsICMP(c.Protonum):
		fmt.Fprintf(b, " type=%d code=0 id=%d", icmpType, t.ID)
	}
	if o.Counters {
		fmt.Fprintf(b, " packets=%d bytes=%d", t.Packets, t.Bytes)
	}
}

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

// Netstat writes published ports as `netstat -ln` does: TCP first. program is who listens, for -p; empty: nobody asks. unix adds the
// sockets of that family, of which there are none.
func Netstat(w io.Writer, ports []api.Published, program string, unix bool) error {
	out := bufio.NewWriter(w)
	line := func(local, state, heading string, cells ...any) {
		fmt.Fprintf(out, "%-5s %6v %6v %-23s %-23s %-11s", append(cells, local, heading, state)...)
		if program != "" {
			fmt.Fprintf(out, " %-20s", map[bool]string{true: "PID/Program name", false: program}[state == "State"])
		}
		out.WriteByte('\n')
	}
	out.WriteString("Active Internet connections (only servers)\n")
	line("Local Address", "State", "Foreign Address", "Proto", "Recv-Q", "Send-Q")
	for _, protocol := range []string{"tcp", "udp"} {
		state := map[string]string{"tcp": "LISTEN"}[protocol]
		for _, p := range ports {
			if p.Protocol == protocol {
				line(netip.AddrPortFrom(p.HostIP, p.HostPort).String(), state, "0.0.0.0:*", protocol, 0, 0)
			}
		}
	}
	if unix {
		out.WriteString("Active UNIX domain sockets (only servers)\nProto RefCnt Flags       Type       State         I-Node   ")
		if program != "" {
			out.WriteString("PID/Program name     ")
		}
		out.WriteString("Path\n")
	}
	return out.Flush()
}
