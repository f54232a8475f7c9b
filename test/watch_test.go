package test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the screens anew")

// screen is a terminal of 80 columns and 24 lines, in which uswitch runs.
type screen struct {
	t      *testing.T
	socket string // tmux's own, in a directory that is the test's alone
	l      *lab
}

// watch starts uswitch watch in a terminal of its own.
func (l *lab) watch(environment ...string) *screen { return l.terminal(environment, "watch") }

// terminal starts uswitch in a terminal of its own, and behind it cat, which shows whether the terminal is in order.
func (l *lab) terminal(environment []string, args ...string) *screen {
	l.t.Helper()
	dir, err := os.MkdirTemp("", "tmux-") // t.TempDir's names can be longer than a socket's may be
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { os.RemoveAll(dir) })
	s := &screen{l.t, filepath.Join(dir, "socket"), l}
	l.t.Cleanup(func() { _, _ = s.try("kill-server") })
	command := append(append([]string{"env", "USWITCH_LAB=" + l.name}, environment...), uswitch)
	s.tmux("new-session", "-d", "-x", "80", "-y", "24", strings.Join(append(command, args...), " ")+"; echo status $?; cat")
	return s
}

func (s *screen) try(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-S", s.socket, "-f", "/dev/null", "-u"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *screen) tmux(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// press sends keys, by their names in tmux.
func (s *screen) press(keys ...string) {
	s.t.Helper()
	s.tmux(append([]string{"send-keys"}, keys...)...)
}

// text is what the screen shows, without what is another at each time.
func (s *screen) text() string {
	s.t.Helper()
	text := strings.ReplaceAll(s.tmux("capture-pane", "-p"), s.l.name, "LAB")
	text = regexp.MustCompile(`(?m)^(uswitch watch: LAB) +`).ReplaceAllString(text, "$1   ")
	for from, to := range map[string]string{`id \d+`: "id 7", `learned (just now|[\d.]+ m?s ago)`: "learned just now", `(?m)^#\d+ +`: "#1 ", `(?m) +(\d+ bytes)`: "  $1",
		`(icmp [\d.]+):\d+`: "$1:7", `\d+ packets, was \d+`: "8 packets, was 7"} {
		text = regexp.MustCompile(from).ReplaceAllString(text, to)
	}
	return text
}

// shows waits until the screen shows all of these.
func (s *screen) shows(texts ...string) {
	s.t.Helper()
	last := ""
	defer func() {
		if s.t.Failed() && last != "" {
			s.t.Logf("the screen:\n%s", last)
		}
	}()
	eventually(s.t, fmt.Sprintf("the screen shows %q", texts), func() bool {
		last = s.text()
		for _, text := range texts {
			if !strings.Contains(last, text) {
				return false
			}
		}
		last = ""
		return true
	})
}

// golden compares the screen with a file.
func (s *screen) golden(name string) {
	s.t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(s.text()), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	got := ""
	defer func() {
		if s.t.Failed() {
			s.t.Logf("%s: the screen is\n%s\nwant\n%s", name, got, want)
		}
	}()
	eventually(s.t, "the screen is "+name, func() bool { // it may still be drawn
		got = s.text()
		return got == string(want)
	})
}

// watchedLab is simulated: its hosts have the same names on every run, and its screens are the same.
const watchedLab = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  RED: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE: {networks: {br0: {ipv4_address: 11.11.11.3}}}
x-uswitch: {uplink: sim}
`

// colour is a foreground or background that is not the terminal's own (ECMA-48 8.3.117).
var colour = regexp.MustCompile(`\x1b\[(\d+;)*(3[0-8]|4[0-8]|9[0-7])(;\d+)*m`)

// TestWatch looks at packets, at tables, and holds a packet; then at a terminal without colours, and at one that can do
// nothing.
func TestWatch(t *testing.T) {
	needs(t, "tmux")
	t.Parallel()
	for name, environment := range map[string][]string{"colours": {"TERM=xterm-256color"}, "NO_COLOR": {"NO_COLOR=1"}, "dumb": {"TERM=dumb"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, watchedLab)
			l.up("--sim", "--trace", "off")
			eventually(t, "the gateway has told its address twice (RFC 5227), which is not to be on the screens", func() bool {
				return l.port("gateway").Received == 2
			})
			s := l.watch(environment...)
			s.shows("uswitch watch: LAB", "RED  11.11.11.2 --+", "[fdb]", "q: quit")
			s.press("/")
			s.press("RED icmp")
			s.shows("filter: RED icmp_")
			s.press("Enter")
			s.shows("following: RED icmp")
			l.do("exec", "RED", "ping", "-c", "1", blueIP)
			s.shows("ICMP echo reply", "dev BLUE")
			s.golden("watch-1-following")

			s.press("Tab", "Tab")
			s.shows("[conntrack]")
			l.do("exec", "RED", "ping", "-c", "1", "8.8.8.8")
			s.shows("icmp 11.11.11.2", "MASQUERADE")
			s.golden("watch-2-conntrack")
			if has := colour.MatchString(s.tmux("capture-pane", "-p", "-e")); has != (name == "colours") {
				t.Errorf("the screen has colours: %v", has)
			}

			s.press("s")
			s.shows("holding, none has come")
			ping := beginCommand(t, l.uswitch("exec", "RED", "ping", "-c", "1", "-W", "25", blueIP))
			s.shows("holding, 1 waiting", "*RED")
			s.golden("watch-3-holding")
			l.do("exec", "BLUE", "ping", "-c", "1", "8.8.8.8") // others go on
			s.press("n")
			s.shows("*br0", "to BLUE only")
			s.golden("watch-4-next")
			s.press("q")
			s.shows("status 0")
			if !ping.answered() {
				t.Errorf("the packet that was held did not go on:\n%s", ping.stdout)
			}
		})
	}
}

// TestWatchEnds: a lab that goes says so; what is no terminal is refused.
func TestWatchEnds(t *testing.T) {
	needs(t, "tmux")
	t.Parallel()
	l := newLab(t, watchedLab)
	l.up("--sim", "--trace", "off")
	if _, errs, status := l.try("watch"); status != 1 || !strings.Contains(errs, "this is no terminal; uswitch trace") {
		t.Errorf("status %d: %s", status, errs)
	}
	s := l.watch()
	s.shows("following")
	l.stop()
	s.shows("the lab is gone")
	s.press("q")
	s.shows("status 0")
}
