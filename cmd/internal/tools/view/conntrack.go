package view

import (
	"bufio"
	"fmt"
	"io"
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
			out.WriteString("ipv4     2 ")
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
		family = "ipv4     2 "
	}
	line := fmt.Sprintf("%9s %s%s", "["+e.Type+"]", family, conn(e.Conn, o, e.Type != "DESTROY"))
	if o.ID {
		line += fmt.Sprintf(" id=%d", e.Conn.ID)
	}
	_, err := fmt.Fprintln(w, line)
	return err
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
	const echo, echoReply = int(frame.ICMPEcho), int(frame.ICMPEchoReply)
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
	case c.Protonum == frame.ProtoICMP:
		fmt.Fprintf(b, " type=%d code=0 id=%d", icmpType, t.ID)
	}
	if o.Counters {
		fmt.Fprintf(b, " packets=%d bytes=%d", t.Packets, t.Bytes)
	}
}
