package trace

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// TextOptions say how a Printer prints. The zero value is 100 columns without colour and without names, bursts folded.
type TextOptions struct {
	Width  int      // in columns; 0 means 100, less than 60 means 60
	Colour bool     // help for the eye; nothing is said by colour alone
	NoFold bool     // print every packet of a burst
	Names  Names    // the names of hosts for the heads; nil means addresses
	In     Language // the reader's; nil means English
	// Turn, if there is one, is called before anything is written of what began at that time, and when all that began before it
	// has been written: so that what others write on the same screen stands where it happened.
	Turn func(time.Time)
}

func (o *TextOptions) language() Language {
	if o.In == nil {
		return English
	}
	return o.In
}

// Printer is a Sink that writes Journeys for a person: a head line, then a line or a few for every step, then an empty line.
type Printer struct {
	*Journeys
}

// NewPrinter returns a Printer that writes to w, one Write a block.
func NewPrinter(w io.Writer, o TextOptions) *Printer {
	width := o.Width
	if width == 0 {
		width = 100
	}
	return &Printer{NewJourneys(&textTeller{w, layout{in: o.language(), width: max(width, 60), colour: o.Colour, where: 8}}, o)}
}

// textTeller writes what it is told as text.
type textTeller struct {
	w      io.Writer
	layout layout
}

// Journey implements Teller: it writes a block.
func (t *textTeller) Journey(s *Stretch) error {
	t.layout.begin()
	t.layout.head(s.Packet, s.GoesOn, s.Head)
	for i := range s.Steps {
		t.layout.step(&s.Steps[i])
	}
	return t.layout.end(t.w)
}

// Note implements Teller: the line is a block of its own.
func (t *textTeller) Note(line string) error {
	t.layout.begin()
	t.layout.line(line)
	return t.layout.end(t.w)
}

// layout sets text in columns: four of indentation, where, hook, and the sentence, which is wrapped.
type layout struct {
	in     Language
	width  int
	colour bool
	where  int // width of the first column; grows with the longest name seen
	out    bytes.Buffer
	later  bool // something has been written: an empty line comes first
}

const (
	indent    = 4
	hookWidth = 13 // postrouting, and two spaces
	whoWidth  = 15
)

// The colours (ECMA-48 SGR): each is switched off at the end of the same line.
const (
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	off    = "\x1b[0m"
)

// begin starts a block, which end writes.
func (l *layout) begin() {
	l.out.Reset()
	if l.later {
		l.out.WriteByte('\n')
	}
	l.later = true
}

func (l *layout) end(w io.Writer) error {
	_, err := w.Write(l.out.Bytes())
	return err
}

// head sets the first line of a block: #1  RED > everyone   ARP  who has ...   42 bytes. Long words wrap below
// themselves; long names have the line for themselves.
func (l *layout) head(packet uint64, goesOn bool, h Head) {
	number := fmt.Sprintf("#%d", packet)
	if goesOn {
		number += " " + l.in("(goes on)") + " "
	}
	left := fmt.Sprintf("%-3s %s  %-4s ", number, Pad(h.From+" > "+h.To, whoWidth), h.Proto)
	right := bytesWord(l.in, h.Length)
	if h.IP {
		right = l.in("%s of IP", right)
	}
	if Columns(left)+Columns(right)+2+l.width/4 > l.width {
		l.between(fmt.Sprintf("%-3s %s", number, h.From+" > "+h.To), right)
		for _, line := range Wrap(h.Proto+" "+h.What, l.width-indent) {
			l.line(strings.Repeat(" ", indent) + line)
		}
		return
	}
	lines := Wrap(h.What, l.width-Columns(left)-Columns(right)-2)
	l.between(left+lines[0], right)
	for _, more := range lines[1:] {
		l.line(strings.Repeat(" ", Columns(left)) + more)
	}
}

// between sets one text at the left edge and one at the right.
func (l *layout) between(left, right string) {
	gap := max(l.width-Columns(left)-Columns(right), 2)
	l.line(left + strings.Repeat(" ", gap) + right)
}

// step sets one step of a journey. A name that is too long for its column has the line for itself.
func (l *layout) step(e *Event) {
	where, what := e.Step()
	if Columns(where) > l.width/5 {
		l.line(strings.Repeat(" ", indent) + where)
		where = ""
	}
	l.where = max(l.where, Columns(where))
	hook := fmt.Sprintf("%-*s", hookWidth, what)
	left := fmt.Sprintf("%*s%-*s ", indent, "", l.where, where)
	room := l.width - Columns(left) - hookWidth
	for i, line := range l.fill(e.clauses(l.in), room) {
		text := l.paint(line.text, sentenceColour(e))
		switch {
		case i == 0:
			l.line(left + l.paint(hook, dim) + text)
		case Columns(line.text) > room:
			l.line(strings.Repeat(" ", 2*indent) + text)
		default:
			l.line(strings.Repeat(" ", Columns(left)+hookWidth) + text)
		}
	}
}

// fill puts as many clauses on a line as there is room for. What people copy is never broken where the whole width, less
// the smaller indentation, is enough for it; what is first on its line begins a sentence's column.
func (l *layout) fill(clauses []clause, room int) []clause {
	var lines []clause
	for i, c := range clauses {
		n := len(lines)
		switch {
		case i > 0 && Columns(lines[n-1].text)+2+Columns(c.text) <= room:
			lines[n-1].text += "; " + c.text
		case Columns(c.text) <= room:
			lines = append(lines, c)
		case c.typed && i > 0 && Columns(c.text) <= l.width-2*indent:
			lines = append(lines, c)
		default:
			for _, text := range Wrap(c.text, room) {
				lines = append(lines, clause{text: text})
			}
		}
	}
	return lines
}

func (l *layout) line(s string) {
	l.out.WriteString(strings.TrimRight(s, " "))
	l.out.WriteByte('\n')
}

func (l *layout) paint(s, colour string) string {
	if !l.colour || colour == "" {
		return s
	}
	return colour + s + off
}

func sentenceColour(e *Event) string {
	switch e.Verdict {
	case Drop:
		return red
	case Rewrite:
		return yellow
	}
	return ""
}

// Wrap breaks s at spaces into lines of at most room columns, or more where a word is longer. There is one line at least.
func Wrap(s string, room int) []string {
	words := strings.Fields(s)
	if len(words) == 0 {
		return []string{""}
	}
	lines := []string{words[0]}
	for _, word := range words[1:] {
		last := &lines[len(lines)-1]
		if Columns(*last)+1+Columns(word) > room {
			lines = append(lines, word)
			continue
		}
		*last += " " + word
	}
	return lines
}

// Pad fills s up to some columns with blanks.
func Pad(s string, columns int) string { return s + strings.Repeat(" ", max(columns-Columns(s), 0)) }

// Columns counts the columns that a terminal gives to s: two for a syllable of Korean, and for what Chinese and Japanese write.
func Columns(s string) (n int) {
	for _, r := range s {
		if n++; r >= '\u1100' && unicode.In(r, unicode.Hangul, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			n++
		}
	}
	return n
}
