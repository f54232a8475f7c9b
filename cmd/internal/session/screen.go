package session

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"

	"uswitch/cmd/internal/view"
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
}

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
	n, err := f.Write(b)
	if s.log != nil {
		s.log.grow(n)
	}
	s.mu.Unlock()
	if errors.Is(err, syscall.EPIPE) && f != s.errs {
		s.onGone()
	}
	return n, err
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
		_, _ = s.write(s.hosts, text)
	})
}
