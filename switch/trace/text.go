package trace

import (
	"io"
	"time"
)

// TextOptions say how a Printer prints. The zero value is 100 columns without colour and without names, bursts folded.
type TextOptions struct {
	Width  int   // in columns; 0 means 100, less than 60 means 60
	Colour bool  // help for the eye; nothing is said by colour alone
	NoFold bool  // print every packet of a burst
	Names  Names // the names of hosts for the heads; nil means addresses
	// Turn, if there is one, is called before anything is written of what began at that time, and when all that began before it
	// has been written: so that what others write on the same screen stands where it happened.
	Turn func(time.Time)
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
	return &Printer{NewJourneys(&textTeller{w, layout{width: max(width, 60), colour: o.Colour, where: 8}}, o)}
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
