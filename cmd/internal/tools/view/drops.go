package view

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

// Drops writes why packets were dropped.
func Drops(w io.Writer, drops []api.Drop) error {
	if len(drops) == 0 {
		return noDrops(w)
	}
	t := newTable("DROPPED", "REASON", "WHICH MEANS")
	for _, d := range drops {
		t.add(strconv.FormatUint(d.Count, 10), d.Reason, d.Sentence)
	}
	return t.write(w)
}

// DropExamples writes why packets were dropped, and of each reason the last packet: when, where, which, and what else is
// known of it, as its reader says it.
//
//	2  policy-drop  no rule lets it through, and the chain's policy is DROP
//	   4s ago       gateway forward: 8.8.8.8 > RED  ICMP echo reply, id 7 seq 1, ttl 62, 84 bytes
//	                by -P FORWARD DROP; it would pass with: uswitch iptables -A FORWARD -d 11.11.11.0/24 -j ACCEPT
func DropExamples(w io.Writer, drops []api.Drop, now time.Time, width int) error {
	if len(drops) == 0 {
		return noDrops(w)
	}
	count, reason := 4, 12
	for _, d := range drops {
		count, reason = max(count, len(fmt.Sprint(d.Count))), max(reason, len(d.Reason))
	}
	out := bufio.NewWriter(w)
	indent := strings.Repeat(" ", count+2+reason+2)
	for i, d := range drops {
		if i > 0 {
			out.WriteByte('\n')
		}
		write := func(first, text string) {
			for _, line := range trace.Wrap(text, max(width-len(indent), 40)) {
				out.WriteString(first + line + "\n")
				first = indent
			}
		}
		write(fmt.Sprintf("%*d  %-*s  ", count, d.Count, reason, d.Reason), d.Sentence)
		if d.Last == nil {
			continue
		}
		ago := words.In("%s ago", span(now.Sub(d.Last.Time)))
		write(strings.Repeat(" ", count+2)+ago+strings.Repeat(" ", max(reason-trace.Columns(ago), 0)+2), packetLine(d.Last))
		if d.Last.Details != "" {
			out.WriteString(indent + d.Last.Details + "\n") // people copy commands: they are not broken
		}
	}
	return out.Flush()
}

// noDrops says that there is nothing to tell.
func noDrops(w io.Writer) error {
	_, err := fmt.Fprintln(w, words.In("No packet was dropped."))
	return err
}

// DropEvent writes a drop as it happens, on one line.
func DropEvent(w io.Writer, e api.DropEvent) error {
	text := ""
	switch {
	case e.Last == nil:
		text = words.In("(%d steps lost: this reader is slower than the network)", e.Lost)
	case e.More:
		text = words.In("%s  %-16s  ... %d more like this: %s", clock(e.Last.Time), e.Reason, e.Count, packetLine(e.Last))
	default:
		text = fmt.Sprintf("%s  %-16s  %s", clock(e.Last.Time), e.Reason, packetLine(e.Last))
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

func clock(t time.Time) string { return t.Local().Format("15:04:05.000") }

func packetLine(d *api.Dropped) string {
	return words.In("%s: %s, %d bytes", d.At, d.Summary, d.Length)
}
