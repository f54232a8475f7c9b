package session

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"

	"uswitch/cmd/internal/view"
)

// screen is where a run writes. Hosts, the trace and reports take turns: what one writes at once stands together.
type screen struct {
	mu     sync.Mutex // held for one write
	out    *os.File   // the trace
	hosts  *os.File   // the hosts' lines
	errs   *os.File
	onGone func() // called when out or hosts is read by nobody any more

	width  int // of a host's name
	colour bool
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
	s.mu.Unlock()
	if errors.Is(err, syscall.EPIPE) && f != s.errs {
		s.onGone()
	}
	return n, err
}

// host returns where the output of a host's command goes.
func (s *screen) host(name string) io.WriteCloser {
	return &prefixed{screen: s, prefix: view.HostPrefix(name, s.width, s.colour)}
}

// prefixed writes whole lines with a host's name in front.
type prefixed struct {
	screen *screen
	prefix string
	rest   []byte // the beginning of a line whose end has not come yet
}

// maxLine is how much of a line without end is kept before it is written as one.
const maxLine = 8 << 10

// Write implements io.Writer. A line that nobody can read any more is no fault of the command's.
func (p *prefixed) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	var text []byte
	for {
		end := lineEnd(p.rest)
		if end == 0 {
			break
		}
		text = append(append(text, p.prefix...), p.rest[:end]...)
		if text[len(text)-1] != '\n' {
			text = append(text, '\n')
		}
		p.rest = p.rest[end:]
	}
	if len(text) > 0 {
		_, _ = p.screen.write(p.screen.hosts, text)
	}
	return len(b), nil
}

// lineEnd returns where the first line ends, 0 if it does not yet.
func lineEnd(b []byte) int {
	for i, c := range b {
		if c == '\n' || i+1 == maxLine {
			return i + 1
		}
	}
	return 0
}

// Close writes what is left.
func (p *prefixed) Close() error {
	if len(p.rest) > 0 {
		_, _ = p.Write([]byte{'\n'})
	}
	return nil
}
