package step

import (
	"io"
	"slices"

	"uswitch/cmd/internal/control/api"
)

// Session is what a person sees of packets that are paused: one at a time, from its first step to its end, however they come.
// It is for one goroutine.
type Session struct {
	printer *printer
	mute    bool // print nothing
	id      uint64
	legs    map[uint64]*leg
	order   []uint64 // legs, oldest first
	current uint64   // the leg that is shown, 0: none
	ended   int
	begun   bool // there was a packet
}

// leg is a packet on its way.
type leg struct {
	unshown []api.StepEvent // while another packet is shown
	look    look
	waits   bool
	over    bool
	queued  bool // its last step let it wait for an answer: that was not its end
}

// NewSession returns a session that prints to out.
func NewSession(out io.Writer, width int, colour bool) *Session {
	return &Session{printer: newPrinter(out, width, colour), legs: map[uint64]*leg{}}
}

// Take takes what the lab tells, and prints what is to be seen of it now.
func (s *Session) Take(e api.StepEvent) {
	if e.Kind == api.StepBegun {
		s.id = e.Session
		return
	}
	l := s.legs[e.Leg]
	if l == nil {
		l = &leg{}
		s.legs[e.Leg], s.begun = l, true
		s.order = append(s.order, e.Leg)
	}
	l.unshown = append(l.unshown, e)
	l.waits = l.waits || e.Kind == api.StepStopped
	l.over = e.Kind == api.StepEnded
	if e.Step != nil {
		l.queued = e.Step.Verdict == "queue"
	}
	s.settle()
}

// settle shows the packet whose turn it is: the one that is shown, until its end, and then the oldest that waits.
func (s *Session) settle() {
	for {
		if s.current == 0 {
			i := slices.IndexFunc(s.order, func(id uint64) bool { return s.legs[id].waits || s.legs[id].over })
			if i < 0 {
				return
			}
			s.current = s.order[i]
		}
		l := s.legs[s.current]
		s.tell(l)
		if !l.over {
			return
		}
		if !l.queued {
			s.ended++
		}
		delete(s.legs, s.current)
		s.order = slices.DeleteFunc(s.order, func(id uint64) bool { return id == s.current })
		s.current = 0
	}
}

// Waits reports whether the packet that is shown waits to be let go on.
func (s *Session) Waits() bool { return s.current != 0 && s.legs[s.current].waits }

// Waiting returns how many packets wait, the one that is shown among them.
func (s *Session) Waiting() (n int) {
	for _, l := range s.legs {
		if l.waits {
			n++
		}
	}
	return n
}

// GoOn returns the request that lets the packet go on that is shown and waits, and takes it for gone.
func (s *Session) GoOn(run bool) api.StepRequest {
	s.legs[s.current].waits = false
	return api.StepRequest{Session: s.id, Leg: s.current, Run: run}
}

// tell prints what is known of a packet and was not printed.
func (s *Session) tell(l *leg) {
	for _, e := range l.unshown {
		if !s.mute {
			s.printer.event(&e, &l.look)
		}
	}
	l.unshown = nil
}
