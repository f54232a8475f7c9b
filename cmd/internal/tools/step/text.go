package step

import (
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

// printer sets stops in the columns of the trace.
type printer struct {
	out    io.Writer
	width  int
	colour bool
	where  int    // width of the first column; grows with the longest name seen
	packet uint64 // whose head was printed last
	seen   map[uint64]bool
	err    error // of out: what comes after it is not written
}

func newPrinter(out io.Writer, width int, colour bool) *printer {
	return &printer{out: out, width: max(width, 60), colour: colour, where: whereWidth, seen: map[uint64]bool{}}
}

const (
	whereWidth = 8
	whatWidth  = 13
)

// The colours (ECMA-48 SGR).
const (
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	off    = "\x1b[0m"
)

func (p *printer) line(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.out, strings.TrimRight(text, " "))
	}
}

// event prints what the lab tells of a packet.
func (p *printer) event(e *api.StepEvent, l *look) {
	if e.Step != nil {
		p.step(e.Step)
		p.packetLines(e.Step, l)
	}
	p.rows(changed(e.Changed))
	p.rows(looked(e.Next))
	if e.Late {
		p.columns("", "", words.In("nobody let it go on for too long: it went on by itself"), "")
	}
	if e.Fault != "" {
		p.columns("", "", words.In("the code failed on this packet, which ends here: %s", e.Fault), red)
	}
}

// head prints whose steps follow, if it is another packet's than those before.
func (p *printer) head(s *api.Step) {
	if s.Packet == p.packet {
		return
	}
	if p.packet != 0 {
		p.line("")
	}
	p.packet = s.Packet
	number := fmt.Sprintf("#%d", s.Packet)
	if p.seen[s.Packet] {
		number += " " + words.In("(goes on)")
	}
	p.seen[s.Packet] = true
	p.line(words.In("%-3s %s, %d bytes", number, s.Summary, s.Length))
}

// columns prints a line of three columns, the last one wrapped. A name that is too long for its column has the line for itself.
func (p *printer) columns(where, what, text, colour string) {
	if trace.Columns(where) > p.width/5 {
		p.line("    " + where)
		where = ""
	}
	p.where = max(p.where, trace.Columns(where))
	left := "    " + trace.Pad(where, p.where) + " " + trace.Pad(what, whatWidth) + " "
	for _, part := range trace.Wrap(text, max(p.width-trace.Columns(left), 30)) {
		if p.colour && colour != "" {
			part = colour + part + off
		}
		p.line(left + part)
		left = strings.Repeat(" ", 4+p.where+1+whatWidth+1)
	}
}

// step prints what a step did.
func (p *printer) step(s *api.Step) {
	p.head(s)
	p.columns(s.Where, s.What, s.Text, map[string]string{"drop": red, "rewrite": yellow}[s.Verdict])
}

// rows prints rows of tables, each table's name once.
func (p *printer) rows(all []row) {
	before := ""
	for _, r := range all {
		_, name, found := strings.Cut(r.table, " ") // nat POSTROUTING
		if !found {
			name = r.table
		}
		label := r.mark + " " + name
		if r.mark == "?" && label == before {
			label = ""
		} else {
			before = label
		}
		p.columns("", label, r.text, map[string]string{"+": green, "-": red, "~": yellow, "?": dim}[r.mark])
	}
}

// look is how a packet looked at its steps so far.
type look struct {
	headers headers
	printed string
}

// packetLines prints the packet, if it does not look as it was last printed, and what the step has changed in it.
func (p *printer) packetLines(s *api.Step, l *look) {
	text := Decoded(s)
	if text != l.printed {
		p.columns("", words.In("packet"), text, "")
	}
	l.printed = text
	for _, d := range l.headers.differences(s) {
		p.columns("", "~ "+words.In("packet"), d, yellow)
	}
}
