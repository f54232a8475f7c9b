package test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// terminal is a person at a terminal of 24 rows and 80 columns, in front of a command.
type terminal struct {
	*process
	near *os.File
	said *lines
}

// sit starts `uswitch docker` at a terminal.
func (l *lab) sit(line string) *terminal {
	l.t.Helper()
	near, far, err := pty.Open()
	if err != nil {
		l.t.Fatal(err)
	}
	defer far.Close()
	if err := pty.Setsize(near, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		l.t.Fatal(err)
	}
	cmd := l.uswitch(append([]string{"docker"}, strings.Fields(l.own(line))...)...)
	cmd.Stdin, cmd.Stdout = far, far
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s := &terminal{process: beginCommand(l.t, cmd), near: near, said: newLines()}
	go s.said.read(near)
	l.t.Cleanup(func() { near.Close() })
	return s
}

func (s *terminal) types(text string) {
	s.t.Helper()
	if _, err := s.near.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// sees waits for a line that ends so.
func (s *terminal) sees(what string) {
	s.t.Helper()
	s.said.find(s.t, 0, what, func(line string) bool { return strings.HasSuffix(strings.TrimRight(line, "\r"), what) })
}

// TestDockerTerminal: docker run -it is a shell at a terminal, whose Ctrl-C is its own, and whose status is its own.
func TestDockerTerminal(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startDocker(t)
	s := l.sit("run --rm -it --name shell@ busybox sh")
	s.types("stty size; tty; echo I am $((6*7))\n")
	s.sees("I am 42")
	s.sees("24 80")
	s.types("sleep 1000 || echo interrupted\n")
	eventually(t, "the sleeper runs", func() bool {
		return strings.Contains(l.docker("exec shell@ /usr/bin/ps -o args= -C sleep"), "sleep 1000")
	})
	s.types("\x03")
	s.types("echo still here $?\n")
	s.sees("still here 130")
	s.types("exit 5\n")
	if status := s.wait(); status != 5 {
		t.Errorf("status %d, want the shell's", status)
	}
	if ps := l.docker("ps -aq"); ps != "" {
		t.Errorf("--rm has left %s", ps)
	}

	// Ctrl-P Ctrl-Q leaves it alone.
	s = l.sit("run -it --name left@ busybox sh")
	s.types("echo here $((1+1))\n")
	s.sees("here 2")
	s.types("\x10\x11")
	if status := s.wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	contains(t, l.docker("ps"), "left\n")
	contains(t, l.docker("logs left@"), "here 2")
	l.docker("rm -f left@")
}

// TestDockerForeground: pipes both ways, both outputs, signals, and the statuses that docker run has.
func TestDockerForeground(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startDocker(t)
	cmd := l.uswitch("docker", "run", "--rm", "-i", "busybox", "sh", "-c", "cat; echo err >&2; exit 3")
	cmd.Stdin = strings.NewReader(strings.Repeat("0123456789abcdef\n", 20000))
	p := beginCommand(t, cmd)
	if status := p.waitOutput(); status != 3 || p.stdout.count() != 20000 || !strings.HasSuffix(p.stderr.String(), "\nerr") {
		t.Errorf("status %d, %d lines, %s", status, p.stdout.count(), p.stderr)
	}

	p = beginCommand(t, l.uswitch("docker", "run", "--rm", "--name", l.own("sleeper@"), "busybox", "sleep", "1000"))
	eventually(t, "it runs", func() bool { return strings.Contains(l.docker("ps"), "sleeper") })
	p.signal(syscall.SIGINT)
	if status := p.wait(); status != 128+int(syscall.SIGINT) {
		t.Errorf("Ctrl-C: status %d", status)
	}

	if _, errs, status := l.tryDocker("run --rm -it busybox sh"); status != 1 || errs != "the input device is not a TTY\n" {
		t.Errorf("run -it without a terminal: status %d: %s", status, errs)
	}
	for line, want := range map[string]int{"run --rm busybox true": 0, "run --rm busybox no-such-program": 127, "run --rm busybox /etc/passwd": 126,
		"run --rm --network nowhere busybox true": 125, "run --rm --name -x busybox true": 125, "run no-such-image-here": 125} {
		if _, errs, status := l.tryDocker(line); status != want {
			t.Errorf("%s: status %d, want %d: %s", line, status, want, errs)
		}
	}
	contains(t, l.docker("ps -a"), "NAMES\n")
	if ps := l.docker("ps -aq"); ps != "" {
		t.Errorf("left: %s", ps)
	}
}
