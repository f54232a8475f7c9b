package test

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
)

// stepper is a `uswitch step` whose keys the test presses.
type stepper struct {
	*process
	keys io.WriteCloser
}

// step starts `uswitch step` and waits until it holds packets.
func (l *lab) step(args ...string) *stepper {
	l.t.Helper()
	cmd := l.uswitch(append([]string{"step"}, args...)...)
	keys, err := cmd.StdinPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	s := &stepper{process: beginCommand(l.t, cmd), keys: keys}
	s.stderr.find(l.t, 0, "word of the keys", containing("n or space"))
	return s
}

func (s *stepper) press(key string) {
	s.t.Helper()
	if _, err := io.WriteString(s.keys, key+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

// at waits until a step of that name has been taken.
func (s *stepper) at(what string) {
	s.t.Helper()
	stop := regexp.MustCompile(`^    \S+ +` + what)
	s.stdout.find(s.t, 0, "step "+what, stop.MatchString)
}

// pinging starts a ping of one packet.
func (l *lab) pinging(host, address string) *process {
	return begin(l.t, l.in(host, "ping", "-c", "1", "-W", "25", address)...)
}

// answered reports how a ping of one packet ends.
func (p *process) answered() bool { return p.wait() == 0 }

// TestStepHolds: RED's ping is held at each hop until a key is pressed. Meanwhile BLUE's is answered.
func TestStepHolds(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, strings.Replace(threeHosts, "{uplink: none}", "{uplink: sim}", 1))
	l.up("--trace", "off")
	if !l.pings("RED", gatewayIP) || !l.pings("BLUE", gatewayIP) { // now they know each other
		t.Fatal("the gateway does not answer")
	}
	s := l.step("--from", l.ns("RED"), "--proto", "icmp")
	ping := l.pinging("RED", "8.8.8.8")
	s.at("ingress")
	for range 3 {
		if !l.pings("BLUE", "8.8.8.8") || !l.pings("BLUE", greenIP) {
			t.Fatal("BLUE's ping is not answered while RED's is held")
		}
	}
	select {
	case <-ping.ended:
		t.Fatal("RED's ping is over, and it is held")
	default:
	}
	for _, hook := range []string{"local", "prerouting", "route", "forward", "postrouting", "egress"} {
		if strings.Contains(s.stdout.String(), " "+hook+" ") {
			t.Errorf("at %s before the key", hook)
		}
		s.press("n")
		s.at(hook)
	}
	s.press("")
	if !ping.answered() {
		t.Error("RED's ping was not answered in the end")
	}
	out := strings.ReplaceAll(s.stdout.String(), l.suffix, "")
	contains(t, out, "RED > 8.8.8.8  ICMP echo request", // what it is
		"11.11.11.2 > 8.8.8.8: ICMP echo request", // as tcpdump has it
		"~ ports", "from RED: ", "? fdb", redMAC, // what it has changed, and what was to be looked up
		"? FORWARD", "-P FORWARD DROP", "? POSTROUTING", "-j MASQUERADE", "? routes", "default via",
		"~ packet      ttl 64 becomes 63", "~ packet      source 11.11.11.2 id", "+ conntrack   icmp", "src=11.11.11.2 dst=8.8.8.8")
	s.press("q")
	if status := s.wait(); status != 0 {
		t.Errorf("status %d: %s", status, s.stderr)
	}
}

// TestStepLetsGo: whoever quits, in whatever way, lets all go.
func TestStepLetsGo(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	if !l.pings("RED", blueIP) {
		t.Fatal("no answer to begin with")
	}
	for name, quit := range map[string]func(*stepper){
		"q":                    func(s *stepper) { s.press("q") },
		"the end of its input": func(s *stepper) { s.keys.Close() },
		"kill -9":              (*stepper).kill,
	} {
		s := l.step("--host", l.ns("RED"), "--proto", "icmp")
		first, second := l.pinging("RED", blueIP), l.pinging("RED", greenIP)
		s.at("ingress")
		quit(s)
		if !first.answered() || !second.answered() {
			t.Errorf("%s: a ping is held for ever", name)
		}
		s.wait()
		if !l.pings("RED", blueIP) {
			t.Errorf("%s: and afterwards", name)
		}
	}
}

// TestStepFilters: what does not match is not held, and --at lets packets run up to a hook.
func TestStepFilters(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, strings.Replace(threeHosts, "{uplink: none}", "{uplink: sim}", 1))
	l.up("--trace", "off")
	s := l.step("--host", "8.8.8.8", "--proto", "icmp", "--at", "forward")
	if !l.pings("RED", gatewayIP) || !l.pings("RED", blueIP) {
		t.Error("packets are held that were not asked for")
	}
	ping := l.pinging("RED", "8.8.8.8")
	s.at("forward")
	if out := s.stdout.String(); strings.Contains(out, "postrouting ") || !strings.Contains(out, "prerouting ") {
		t.Errorf("does not stop at forward, and nowhere before:\n%s", out)
	}
	s.press("c")    // the question runs; its answer, known by its connection, stops at the same hook
	s.press("next") // a word is as good as its first letter
	s.press("c")
	if !ping.answered() {
		t.Error("not answered")
	}
	s.stdout.find(t, 0, "the answer", func(line string) bool { return strings.Contains(line, "known by its reply tuple") }) // told behind its end
	contains(t, s.stdout.String(), "8.8.8.8 > 192.168.104.2  ICMP echo reply")
	s.press("q")
	s.wait()

	out, errs, status := l.try("step", "--at", "nowhere")
	if status != 1 || !strings.Contains(errs, `hook "nowhere": there is no such hook; there are decap, ingress`) {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// TestStepByItself: without keys, for scripts: --auto steps by itself, -c ends it, -o json tells all there is to know.
func TestStepByItself(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	if !l.pings("RED", blueIP) {
		t.Fatal("no answer to begin with")
	}
	s := beginCommand(t, l.uswitch("step", "--host", l.ns("RED"), "--proto", "icmp", "--auto", "1ms", "-c", "2", "-o", "json"))
	s.stdout.find(t, 0, "beginning", containing(`"kind":"begun"`))
	if !l.pings("RED", blueIP) {
		t.Error("not answered")
	}
	if status := s.waitOutput(); status != 0 {
		t.Fatalf("status %d: %s", status, s.stderr)
	}
	kinds := map[string]int{}
	for _, line := range strings.Split(s.stdout.String(), "\n") {
		var e struct {
			Kind string
			Step struct {
				Where, What, Text string
				Data              []byte
			}
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Kind == "stopped" && (e.Step.Text == "" || len(e.Step.Data) != 98) {
			t.Errorf("%v: %s", err, line)
		}
		kinds[e.Kind]++
	}
	if kinds["ended"] != 2 || kinds["stopped"] != 6 { // ingress, forward, egress; there and back
		t.Errorf("%v", kinds)
	}
}

// TestStepKeys: on a terminal a key is enough, and afterwards the terminal is what it was.
func TestStepKeys(t *testing.T) {
	needs(t, "tmux")
	t.Parallel()
	l := newLab(t, watchedLab)
	l.up("--sim", "--trace", "off")
	s := l.terminal(nil, "step", "--from", "RED", "--proto", "icmp")
	s.shows("Packets stop here.")
	ping := beginCommand(t, l.uswitch("exec", "RED", "ping", "-c", "1", "-W", "25", blueIP))
	s.shows("RED      ingress", "? fdb")
	s.press("n")
	s.shows("br0      forward")
	s.press("Space")
	s.shows("BLUE     egress")
	s.press("c")
	if !ping.answered() {
		t.Error("not answered")
	}
	s.press("q")
	s.shows("status 0")
	s.press("in order", "Enter")
	s.shows("in order\nin order") // the terminal shows what is typed, and cat gets it line by line

	r := l.terminal(nil, "trace", "--host", "RED", "--proto", "icmp")
	eventually(t, "a ping is traced", func() bool {
		l.do("exec", "RED", "ping", "-c", "1", blueIP)
		return strings.Contains(r.text(), "ICMP echo request")
	})
	number := regexp.MustCompile(`(?m)^#(\d+) `).FindStringSubmatch(r.tmux("capture-pane", "-p"))[1]
	r = l.terminal(nil, "replay", number)
	r.shows("(1 of 3)", "RED      ingress")
	r.press("n")
	r.shows("(2 of 3)", "br0      forward")
	r.press("p", "q")
	r.shows("status 0")
	if n := strings.Count(r.text(), "(1 of 3)"); n != 2 {
		t.Errorf("back to the first stop: %d times\n%s", n, r.text())
	}
}
