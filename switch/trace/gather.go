package trace

import (
	"slices"
	"time"
)

// A Teller writes journeys down.
type Teller interface {
	// Journey tells of a stretch of a journey that has come to rest. What it gets is lent until it returns.
	Journey(*Stretch) error
	// Note is a line between journeys: what was folded, or lost.
	Note(line string) error
}

// Stretch is a journey from where somebody begins to tell of it to where it comes to rest: most have one, those that wait for an ARP
// answer, for instance, a second.
type Stretch struct {
	Packet uint64
	GoesOn bool // there was a stretch before this one
	Head   Head
	Steps  []Event
}

// Journeys is a Sink that tells of journeys, one behind the other. Steps of packets that travelled at the same time come mixed;
// Journeys keeps a journey until it has come to rest, so that each is told as a whole, in the order in which they began, and folds
// bursts of packets that are alike. What is told depends on the events and their times alone.
type Journeys struct {
	to    Teller
	names Names
	in    Language
	dedup *deduplicator // nil: nothing is folded

	open  []*journey // oldest first
	spare []*journey // to be used again
	shown recent     // journeys that were told of already
	tcp   sequences
	turn  func(time.Time)
	at    uint64    // see Mark
	lost  uint64    // events that nobody has been told of
	told  time.Time // when somebody was told last
}

// NewJourneys returns Journeys that are told to a Teller, with those of the options that are no Printer's own.
func NewJourneys(to Teller, o TextOptions) *Journeys {
	j := &Journeys{to: to, names: o.Names, in: o.language(), turn: o.Turn}
	if j.turn == nil {
		j.turn = func(time.Time) {}
	}
	if !o.NoFold {
		j.dedup = newDeduplicator(j.in)
	}
	return j
}

const (
	maxOpen = 32                    // journeys that may be under way at once before the oldest is told as it is
	settled = 10 * time.Millisecond // a journey takes microseconds: after this long it has come to rest
	tellGap = time.Second           // between two notices of lost events
)

// Mark says which place the next event has in the order of all events.
func (p *Journeys) Mark(at uint64) { p.at = at }

// Unreported returns the place of the first event that was not told of yet, among those that were marked; 0: all were.
func (p *Journeys) Unreported() (at uint64) {
	for _, j := range p.open {
		at = earlier(at, j.at)
	}
	if p.dedup != nil {
		for _, b := range p.dedup.order {
			at = earlier(at, b.at)
		}
	}
	return at
}

// earlier returns the lower of two places; 0 is none.
func earlier(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// Event implements Sink.
func (p *Journeys) Event(e *Event) error {
	j := p.journeyOf(e)
	j.add(e)
	for len(p.open) > maxOpen {
		if err := p.finish(); err != nil {
			return err
		}
	}
	return p.tick(e.Time)
}

// finish tells of the oldest journey, or folds it.
func (p *Journeys) finish() error {
	j := p.open[0]
	p.open = slices.Delete(p.open, 0, 1)
	p.spare = append(p.spare, j)
	tcp := p.tcp.see(p.in, j)
	p.turn(j.time)
	if p.dedup == nil {
		return p.tell(j, tcp)
	}
	note, fold := p.dedup.see(j, p.names)
	if err := p.line(note); err != nil || fold {
		return err
	}
	return p.tell(j, tcp)
}

// tell tells of a journey; tcp is what its head says of a segment whose connection is known.
func (p *Journeys) tell(j *journey, tcp string) error {
	s := Stretch{Packet: j.packet, GoesOn: p.shown.has(j.packet), Head: j.steps[0].Head(p.in, p.names), Steps: j.steps}
	s.Head.What = or(tcp, s.Head.What)
	p.shown.add(j.packet)
	return p.to.Journey(&s)
}

// line tells of a line; an empty one is not told.
func (p *Journeys) line(s string) error {
	if s == "" {
		return nil
	}
	return p.to.Note(s)
}

// Lost implements Sink. Losses come in crowds: they are told once a second.
func (p *Journeys) Lost(n uint64) error {
	p.lost += n
	return nil
}

// Idle implements Sink: journeys that have come to rest are told of, and bursts that are over.
func (p *Journeys) Idle(now time.Time) error {
	for len(p.open) > 0 && now.Sub(p.open[0].time) >= settled {
		if err := p.finish(); err != nil {
			return err
		}
	}
	p.turn(now.Add(-settled))
	return p.tick(now)
}

// tick says what has been waiting for its time to come.
func (p *Journeys) tick(now time.Time) error {
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

func (p *Journeys) tellLost() error {
	n := p.lost
	p.lost = 0
	return p.line(lossText(p.in, n))
}

// Flush implements Sink.
func (p *Journeys) Flush() error {
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
