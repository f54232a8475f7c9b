package session

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/world"
)

// screen is where a run writes. Hosts, the trace and reports take turns: what one writes at once stands together.
type screen struct {
	mu     sync.Mutex // held for one write; guards width and log
	out    *os.File   // the trace
	hosts  *os.File   // the hosts' lines
	errs   *os.File
	onGone func() // called when out or hosts is read by nobody any more

	width  int // of a host's name
	colour bool
	log    *logFile // of a lab in the background, to which all of the files lead; nil: there is none

	ordered bool // next to a trace, a host's lines wait for the packets that came before them
	waiting []late
	bytes   int // of waiting
}

// late is what a host has written, and when.
type late struct {
	at   time.Time
	text []byte
}

// maxWaiting bounds what hosts have written and nobody has seen, in bytes: what is more is written at once.
const maxWaiting = 1 << 20

// newScreen prepares the screen. Next to a trace in JSON the hosts' lines go to stderr, so that stdout is JSON alone.
func newScreen(o Options) *screen {
	s := &screen{out: o.Stdout, hosts: o.Stdout, errs: o.Stderr, onGone: func() {}}
	if o.Trace == "json" {
		s.hosts = o.Stderr
	}
	_, s.colour = view.Terminal(s.hosts)
	for _, h := range o.Plan.Hosts {
		if len(h.Command) > 0 {
			s.width = max(s.width, len(h.Name))
		}
	}
	return s
}

// report writes a line for the person.
func (s *screen) report(line string) { s.write(s.errs, []byte("uswitch: "+line+"\n")) }

// Write implements io.Writer for the trace.
func (s *screen) Write(b []byte) (int, error) { return s.write(s.out, b) }

func (s *screen) write(f *os.File, b []byte) (int, error) {
	s.mu.Lock()
	n, err := s.writeLocked(f, b)
	s.mu.Unlock()
	if errors.Is(err, syscall.EPIPE) && f != s.errs {
		s.onGone()
	}
	return n, err
}

func (s *screen) writeLocked(f *os.File, b []byte) (int, error) {
	n, err := f.Write(b)
	if s.log != nil {
		s.log.grow(n)
	}
	return n, err
}

// order makes hosts' lines wait for turn, or not any more; then those that have waited are written.
func (s *screen) order(on bool) {
	s.mu.Lock()
	s.ordered = on
	s.mu.Unlock()
	if !on {
		s.turn(time.Now())
	}
}

// turn writes what hosts have written before a time: everything that the trace tells of what happened until then is written.
func (s *screen) turn(until time.Time) {
	var err error
	s.mu.Lock()
	for len(s.waiting) > 0 && (!s.waiting[0].at.After(until) || s.bytes > maxWaiting || !s.ordered) {
		_, err = s.writeLocked(s.hosts, s.waiting[0].text)
		s.bytes -= len(s.waiting[0].text)
		s.waiting = s.waiting[1:]
	}
	s.mu.Unlock()
	if errors.Is(err, syscall.EPIPE) {
		s.onGone()
	}
}

// later writes what a host has written, when its turn comes.
func (s *screen) later(text []byte) {
	s.mu.Lock()
	if !s.ordered {
		s.mu.Unlock()
		_, _ = s.write(s.hosts, text)
		return
	}
	s.waiting = append(s.waiting, late{time.Now(), text})
	s.bytes += len(text)
	over := s.bytes > maxWaiting
	s.mu.Unlock()
	if over {
		s.turn(time.Time{})
	}
}

// host returns where the output of a host's command goes: whole lines, with the host's name in front. A line that nobody can
// read any more is no fault of the command's.
func (s *screen) host(name string) io.WriteCloser {
	s.mu.Lock()
	s.width = max(s.width, len(name))
	prefix := view.HostPrefix(name, s.width, s.colour)
	s.mu.Unlock()
	return world.Lines(func(lines []string) {
		var text []byte
		for _, line := range lines {
			text = append(append(append(text, prefix...), line...), '\n')
		}
		s.later(text)
	})
}
