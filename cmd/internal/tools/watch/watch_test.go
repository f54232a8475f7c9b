package watch_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/watch"
	"uswitch/switch/trace"
)

var update = flag.Bool("update", false, "write the golden files anew")

func host(name string, nics ...string) api.Host {
	h := api.Host{Name: name}
	for _, nic := range nics {
		network, address, _ := strings.Cut(nic, " ")
		h.Interfaces = append(h.Interfaces, api.Interface{Network: network, Address: netip.MustParsePrefix(address + "/24")})
	}
	return h
}

var (
	three = []api.Host{host("RED", "br0 11.11.11.2"), host("BLUE", "br0 11.11.11.3"), host("GREEN", "br0 11.11.11.4")}
	br0   = []api.Network{{Name: "br0"}}
)

func TestDraw(t *testing.T) {
	var many []api.Host
	for i := range 20 {
		many = append(many, host(fmt.Sprint("H", i), fmt.Sprintf("br0 10.0.0.%d", i+2)))
	}
	for name, c := range map[string]struct {
		hosts         []api.Host
		networks      []api.Network
		uplink, at    string
		width, height int
		want          string
	}{
		"one network": {three, br0, "sim", "BLUE", 80, 10, `
 RED   11.11.11.2 --+
*BLUE  11.11.11.3 --+
 GREEN 11.11.11.4 --+- br0 -+- gateway -- uplink`},
		"two networks, one host in both, one in none, no way out": {
			[]api.Host{host("WEB", "front 10.0.1.2", "back 10.0.2.2"), host("DB", "back 10.0.2.3"), host("ALONE")},
			[]api.Network{{Name: "front"}, {Name: "back"}, {Name: "spare"}}, "none", "gateway", 80, 10, `
 WEB   10.0.1.2 --+- front -+
 WEB   10.0.2.2 --+         |
 DB    10.0.2.3 --+- back  -+
                  +- spare -+-*gateway
 ALONE (no network)`},
		"more than there is room for": {many, br0, "host", "", 20, 3, `
 H0  10.0.0.2  --+
 H1  10.0.0.3  --+
 ... and 18 more l..`},
		"nothing": {nil, nil, "", "", 80, 10, ``},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(watch.Draw(c.hosts, c.networks, c.uplink, c.at, c.width, c.height), "\n")
			if want := strings.TrimPrefix(c.want, "\n"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestFilter(t *testing.T) {
	for text, want := range map[string]trace.FilterSpec{
		"":                          {},
		"RED icmp":                  {Hosts: []string{"RED"}, Proto: "icmp"},
		"forward 8.8.8.8 tcp 80":    {Hosts: []string{"8.8.8.8"}, Proto: "tcp", Port: "80", Hooks: []string{"forward"}},
		"drops BLUE RED":            {Hosts: []string{"BLUE", "RED"}, Drops: true},
		"PINK is left to the lab":   {Hosts: []string{"PINK", "is", "left", "to", "the", "lab"}},
		"0 is no port, 65536 too":   {Hosts: []string{"0", "is", "no", "port,", "65536", "too"}},
		"postrouting   prerouting ": {Hooks: []string{"postrouting", "prerouting"}},
	} {
		got, err := watch.ParseFilter(text, three)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v %+v, want %+v", text, err, got, want)
		}
	}
	if _, err := watch.ParseFilter("tcp udp", nil); err == nil || !strings.Contains(err.Error(), "one protocol") {
		t.Errorf("two protocols: %v", err)
	}
}

// screen is a model without a lab behind it: nobody runs its commands.
type screen struct {
	*watch.Model
	t *testing.T
}

func newScreen(t *testing.T, width, height int) *screen {
	s := &screen{watch.New(context.Background(), nil, "red-blue", func(tea.Msg) {}), t}
	s.Update(tea.WindowSizeMsg{Width: width, Height: height})
	s.SetLab(three, br0, "sim")
	s.SetRows("02:42:0b:0b:0b:01 dev br0", "02:42:0b:0b:0b:02 dev RED")
	return s
}

// press presses keys: a letter each, or names in angle brackets.
func (s *screen) press(keys string) {
	for _, key := range regexp.MustCompile(`<\w+>|.`).FindAllString(keys, -1) {
		code := map[string]rune{"<tab>": tea.KeyTab, "<enter>": tea.KeyEnter, "<esc>": tea.KeyEscape, "<up>": tea.KeyUp, "<down>": tea.KeyDown,
			"<end>": tea.KeyEnd, "<pgup>": tea.KeyPgUp, "<back>": tea.KeyBackspace}[key]
		if code != 0 {
			s.Update(tea.KeyPressMsg{Code: code})
			continue
		}
		s.Update(tea.KeyPressMsg{Code: []rune(key)[0], Text: key})
	}
}

var styles = regexp.MustCompile("\x1b\\[[0-9;]*m")

// lines returns the screen without its styles, and checks its size.
func (s *screen) lines(width, height int) []string {
	s.t.Helper()
	text := s.View().Content
	lines := strings.Split(styles.ReplaceAllString(text, ""), "\n")
	if len(lines) != height {
		s.t.Errorf("%d lines, want %d", len(lines), height)
	}
	for i, line := range lines {
		if n := len([]rune(line)); n > width {
			s.t.Errorf("line %d has %d columns: %s", i, n, line)
		}
	}
	return lines
}

// golden compares the screen with a file.
func (s *screen) golden(name string, width, height int) {
	s.t.Helper()
	got := strings.Join(s.lines(width, height), "\n") + "\n"
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if got != string(want) {
		s.t.Errorf("%s: got:\n%s\nwant:\n%s", name, got, want)
	}
}

// journey is lines of a trace.
func journey(n int) []string {
	return []string{
		fmt.Sprintf("#%-2d RED > BLUE       ICMP echo request, id 7 seq %d, ttl 64            98 bytes", n, n),
		"    RED      ingress      02:42:0b:0b:0b:02 > 02:42:0b:0b:0b:03",
		"    br0      forward      to BLUE only: learned just now",
		"    BLUE     egress       sent", "",
	}
}

// TestScreens walks through what a person does, at 80 by 24 and where there is less room.
func TestScreens(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {40, 10}} {
		width, height := size[0], size[1]
		s := newScreen(t, width, height)
		look := func(name string) { t.Helper(); s.golden(fmt.Sprintf("%s-%dx%d", name, width, height), width, height) }
		look("1-begin")
		for n := range 10 {
			s.AddLines(journey(n + 1)...)
		}
		look("2-following")
		s.press("<tab><tab>")
		s.SetRows("icmp 11.11.11.2:7 > 8.8.8.8 as 192.168.104.2", "tcp 11.11.11.2:40000 > 8.8.8.8:80 as 192.168.104.2:40000 [UNREPLIED]")
		s.press("p")
		s.AddLines(journey(11)...)
		look("3-paused")
		s.press("p<up><up>")
		look("4-scrolled")
		s.press("<end>/RED icmq<back>p")
		look("5-filter")
		s.press("<enter>")
		look("6-filtered")
	}
}

// TestHolding: the screen of packets that are held, their place in the drawing, and the way back.
func TestHolding(t *testing.T) {
	s := newScreen(t, 80, 24)
	s.AddLines(journey(1)...)
	s.press("s")
	s.golden("7-holding", 80, 24)
	stop := func(hop uint32, where, what, text string) api.StepEvent {
		return api.StepEvent{Kind: api.StepStopped, Leg: 1, Held: 1, Step: &api.Step{Packet: 3, Hop: hop, Where: where, What: what, Text: text,
			Summary: "RED > BLUE  ARP who has 11.11.11.3? tell 11.11.11.2", Length: 42, Data: make([]byte, 42)}}
	}
	s.AddStep(api.StepEvent{Kind: api.StepBegun, Session: 5})
	s.AddStep(stop(1, "RED", "ingress", "02:42:0b:0b:0b:02 > ff:ff:ff:ff:ff:ff"))
	s.golden("8-stopped", 80, 24)
	if _, cmd := s.Update(tea.KeyPressMsg{Code: 'n', Text: "n"}); cmd == nil {
		t.Error("n asks the lab for nothing")
	}
	if _, cmd := s.Update(tea.KeyPressMsg{Code: 'n', Text: "n"}); cmd != nil {
		t.Error("n asks for a packet that does not wait")
	}
	s.AddStep(stop(2, "br0", "learn", "02:42:0b:0b:0b:02 lives behind RED"))
	s.golden("9-next", 80, 24)
	s.press("s")
	if lines := s.lines(80, 24); !strings.Contains(lines[0], "following") || !slices.Contains(lines, journey(1)[0]) {
		t.Errorf("after letting go:\n%s", strings.Join(lines, "\n"))
	}
	s.End(errors.New("EOF"))
	if lines := s.lines(80, 24); !strings.Contains(lines[0], "the lab is gone") {
		t.Errorf("after its end: %s", lines[0])
	}
}

// TestWrongFilter: a word that the lab does not know is told with what the lab says of it, can be mended, and stops nothing.
func TestWrongFilter(t *testing.T) {
	s := newScreen(t, 80, 24)
	s.SetLab(three, br0, "sim")
	typed := func(text string) {
		for _, r := range text {
			s.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	typed("/RED")
	s.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	typed("/")
	s.Update(tea.KeyPressMsg{Code: 'u', Mod: tea.ModCtrl})
	typed("BLEU")
	s.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	s.End(&api.Error{Message: "host BLEU: want a host or an address"})
	screen := strings.Join(s.lines(80, 24), "\n")
	for _, want := range []string{"following: RED", "host BLEU: want a host or an address"} {
		if !strings.Contains(screen, want) {
			t.Errorf("no %q in\n%s", want, screen)
		}
	}
	if strings.Contains(screen, "gone") {
		t.Errorf("the lab is there:\n%s", screen)
	}
	s.Update(tea.KeyPressMsg{Code: 'u', Mod: tea.ModCtrl})
	typed("BLUE")
	s.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	if lines := s.lines(80, 24); !strings.Contains(lines[0], "following: BLUE") {
		t.Errorf("after mending it: %s", lines[0])
	}
}
