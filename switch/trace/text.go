package trace

import (
	"io"
	"slices"
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

// Printer is a Sink that writes journeys for a person: a head line, then a line or a few for every step, then an empty
// line. Steps of packets that travelled at the same time come mixed; the Printer keeps a journey until it has come to
// rest, so that each stands in one block, in the order in which they began. A journey that goes on later, after an ARP
// answer for instance, gets a second block. Output depends on the events and their times alone.
type Printer struct {
	w      io.Writer
	names  Names
	layout layout
	dedup  *deduplicator // nil with NoFold

	open  []*journey // oldest first
	spare []*journey // to be used again
	shown recent     // journeys that have a block already
	tcp   sequences
	turn  func(time.Time)
	lost  uint64    // events that nobody has been told of
	told  time.Time // when somebody was told last
}

// NewPrinter returns a Printer that writes to w, one Write a block.
func NewPrinter(w io.Writer, o TextOptions) *Printer {
	width := o.Width
	if width == 0 {
		width = 100
	}
	p := &Printer{w: w, names: o.Names, turn: o.Turn, layout: layout{width: max(width, 60), colour: o.Colour, where: 8}}
	if p.turn == nil {
		p.turn = func(time.Time) {}
	}
	if !o.NoFold {
		p.dedup = newDeduplicator()
	}
	return p
}

const (
	maxOpen = 32                    // journeys that may be under way at once before the oldest is printed as it is
	settled = 10 * time.Millisecond // a journey takes microseconds: after this long it has come to rest
	tellGap = time.Second           // between two notices of lost events
)

// Event implements Sink.
func (p *Printer) Event(e *Event) error {
	j := p.journeyOf(e)
	j.add(e)
	for len(p.open) > maxOpen {
		if err := p.finish(); err != nil {
			return err
		}
	}
	return p.tick(e.Time)
}

// finish prints or folds the oldest journey.
func (p *Printer) finish() error {
	j := p.open[0]
	p.open = slices.Delete(p.open, 0, 1)
	p.spare = append(p.spare, j)
	tcp := p.tcp.see(j)
	p.turn(j.time)
	if p.dedup == nil {
		return p.block(j, tcp)
	}
	note, fold := p.dedup.see(j, p.names)
	if err := p.line(note); err != nil || fold {
		return err
	}
	return p.block(j, tcp)
}

// block writes a journey; tcp is what its head says of a segment whose connection is known.
func (p *Printer) block(j *journey, tcp string) error {
	first := &j.steps[0]
	p.layout.begin()
	head := first.Head(p.names)
	head.What = or(tcp, head.What)
	p.layout.head(first.Packet, p.shown.has(j.packet), head)
	p.shown.add(j.packet)
	for i := range j.steps {
		p.layout.step(&j.steps[i])
	}
	return p.layout.end(p.w)
}

// line writes one line as a block of its own; an empty one is not written.
func (p *Printer) line(s string) error {
	if s == "" {
		return nil
	}
	p.layout.begin()
	p.layout.line(s)
	return p.layout.end(p.w)
}

// Lost implements Sink. Losses come in crowds: they are told once a second.
func (p *Printer) Lost(n uint64) error {
	p.lost += n
	return nil
}

// Idle implements Sink: journeys that have come to rest are printed, and bursts that are over.
func (p *Printer) Idle(now time.Time) error {
	for len(p.open) > 0 && now.Sub(p.open[0].time) >= settled {
		if err := p.finish(); err != nil {
			return err
		}
	}
	p.turn(now.Add(-settled))
	return p.tick(now)
}

// tick says what has been waiting for its time to come.
func (p *Printer) tick(now time.Time) error {
	if p.lost > 0 && now.Sub(p.told) >= tellGap {
		p.told = now
		if err := p.tellLost(); err != nil {
			return err
		}
	}
	if p.dedup == nil {
		return nil
	}
	for _, note := range p.dedup.due(now) {
		if err := p.line(note); err != nil {
			return err
		}
	}
	return nil
}

func (p *Printer) tellLost() error {
	n := p.lost
	p.lost = 0
	return p.line(lossText(n))
}

// Flush implements Sink.
func (p *Printer) Flush() error {
	for len(p.open) > 0 {
		if err := p.finish(); err != nil {
			return err
		}
	}
	if p.lost > 0 {
		if err := p.tellLost(); err != nil {
			return err
		}
	}
	if p.dedup == nil {
		return nil
	}
	for _, note := range p.dedup.rest() {
		if err := p.line(note); err != nil {
			return err
		}
	}
	return nil
}
