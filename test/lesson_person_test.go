package test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// solution is what somebody answers who knows, and what the lesson must say about it.
type solution struct {
	right   []string
	because string
}

// solutions are those of all questions of all lessons, in their order. They are not the switch's: that is what is tested.
var solutions = map[string][]solution{
	"cable":         {{[]string{"RED"}, "interface is down"}},
	"switch":        {{[]string{"BLUE", "GREEN", "gateway"}, "a broadcast goes to everyone but its sender"}, {[]string{"BLUE"}, "to BLUE only: learned"}, {[]string{"RED", "GREEN"}, "nobody has told us yet where 02:42:0b:0b:0b:02 is"}},
	"arp":           {{[]string{"no"}, "neighbour table says that 11.11.11.3 is at"}},
	"gateway":       nil,
	"default-route": {{[]string{"no"}, "RED has no route to 192.168.104.2"}},
	"masquerade":    {{[]string{"11.11.11.2"}, "nothing translates it"}, {[]string{"192.168.104.2"}, "becomes 192.168.104.2"}},
	"forward":       {{[]string{"-A FORWARD -s 11.11.11.0/24 -j ACCEPT"}, "rule 1"}, {[]string{"-P FORWARD DROP"}, "policy"}},
	"conntrack":     {{[]string{"11.11.11.2"}, "becomes 11.11.11.2"}},
	"docker0":       {{[]string{"-A DOCKER-FORWARD -i docker0 -j ACCEPT"}, "gateway forward"}},
	"modes":         nil,
	"compose":       {{[]string{"no"}, "a rule says DROP"}, {[]string{"-A PREROUTING -d 172.19.0.2/32 ! -i back -j DROP"}, "gateway prerouting"}},
	"publish":       {{[]string{"172.17.0.3"}, "192.168.104.2:8080 becomes 172.17.0.3:80"}, {[]string{"172.17.0.1"}, "becomes 172.17.0.1"}},
	"mtu":           {{[]string{"-A OUTPUT -p icmp -m icmp --icmp-type 3/4 -j DROP"}, "gateway output"}},
	"discovery":     {{[]string{"BLUE", "MALLORY", "gateway"}, "a frame to a group goes to everyone but its sender"}},
	"families":      nil,
	"attacker":      {{[]string{"MALLORY"}, "to MALLORY only: learned"}, {[]string{"BLUE", "MALLORY"}, "nobody has told us yet where 02:42:0b:0b:0b:03 is"}},
}

// TestQuestions is a person who answers every question of every lesson: all of them rightly, then all of them wrongly. The
// lesson must say which it was, and name what is right and why.
func TestQuestions(t *testing.T) {
	t.Parallel()
	for _, l := range lessons(t, "en") {
		for _, know := range []bool{true, false} {
			t.Run(l.name+map[bool]string{true: "/right", false: "/wrong"}[know], func(t *testing.T) {
				t.Parallel()
				p := &student{know: know, answers: solutions[l.name]}
				text, status := p.play(t, "learn", l.name, "--sim", "--lang", "en")
				if status != 0 || p.asked != len(p.answers) {
					t.Fatalf("status %d after %d questions of %d\n%s", status, p.asked, len(p.answers), text)
				}
				right := 0
				if know {
					right = p.asked
				}
				if p.asked > 0 && !strings.Contains(text, strconv.Itoa(right)+"/"+strconv.Itoa(p.asked)+" questions answered rightly") {
					t.Errorf("want %d of %d questions answered rightly\n%s", right, p.asked, text)
				}
				blanks := func(s string) string { return strings.Join(strings.Fields(s), " ") }
				read := regexp.MustCompile(`(?s)(Right\.|Not quite\.)\n  The switch says: (.*?)\n    \((.*?)\)\n`).FindAllStringSubmatch(text, -1)
				if len(read) != p.asked {
					t.Fatalf("%d of %d answers are judged\n%s", len(read), p.asked, text)
				}
				for i, said := range read {
					s := p.answers[i]
					if said[1] != map[bool]string{true: "Right.", false: "Not quite."}[know] || blanks(said[2]) != strings.Join(s.right, ", ") || !strings.Contains(blanks(said[3]), s.because) {
						t.Errorf("question %d: %q\nwant %q, because of %q", i+1, said[0], s.right, s.because)
					}
				}
			})
		}
	}
}

// student plays a lesson: Enter at each command, and an answer to each question.
type student struct {
	know    bool
	answers []solution
	asked   int
	own     map[string][]string // what to type at a command of the lesson's, one line each time that it is offered
}

// choice is a line of a question.
var choice = regexp.MustCompile(`(?m)^  (\d+)\) (.*)$`)

// play plays it to the end, in a state and with sockets of its own.
func (p *student) play(t *testing.T, args ...string) (text string, status int) {
	t.Helper()
	dir := t.TempDir()
	argv := []string{uswitch}
	if os.Geteuid() == 0 {
		argv = privately()
	}
	cmd := exec.Command(argv[0], append(argv[1:], args...)...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "XDG_STATE_HOME="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait(); w.Close() }()
	var all, since strings.Builder
	for out := bufio.NewReader(r); ; {
		b, err := out.ReadByte()
		if err != nil {
			break
		}
		all.WriteByte(b)
		since.WriteByte(b)
		if strings.HasSuffix(since.String(), " quit] ") {
			io.WriteString(in, p.reply(since.String())+"\n")
			since.Reset()
		}
	}
	var exit *exec.ExitError
	if err := <-done; err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return all.String(), cmd.ProcessState.ExitCode()
}

// reply is what the student types at a prompt, having read what came before it.
func (p *student) reply(text string) string {
	choices := choice.FindAllStringSubmatch(text, -1)
	if !strings.Contains(text, "[Your answer") || len(choices) == 0 {
		for command, own := range p.own {
			if strings.Contains(text, "$ "+command+"\n") && len(own) > 0 {
				p.own[command] = own[1:]
				return own[0]
			}
		}
		return ""
	}
	p.asked++
	if p.asked > len(p.answers) {
		return "quit"
	}
	var numbers []string
	for _, c := range choices {
		if is := slices.Contains(p.answers[p.asked-1].right, c[2]); is == p.know {
			numbers = append(numbers, c[1])
		}
	}
	return strings.Join(numbers, " ")
}

// TestLessonGoesOn is a learner who does more than the lesson asks for. What runs in the background is not waited for, is
// shown, ends with the lesson, and is not taken for the frame that a question is about; nor is what the learner sends before.
func TestLessonGoesOn(t *testing.T) {
	t.Parallel()
	p := &student{know: true, answers: solutions["switch"], own: map[string][]string{
		"uswitch show fdb":                              {"sleep 1000 & echo it sleeps as $!.", "{ while :; do uswitch exec RED -- ping -c 1 11.11.11.4; done; } & echo pings"},
		"uswitch exec RED -- ping -c 1 11.11.11.3":      {"", "uswitch exec RED -- ping -c 1 11.11.11.4"},
		"uswitch exec BLUE -- ping -c 1 11.11.11.2":     {"uswitch exec BLUE -- ping -c 1 11.11.11.4"},
		"uswitch exec RED -- ping -c 1 -W 1 11.11.11.9": {"uswitch exec RED -- ping -c 1 11.11.11.3", "uswitch exec RED -- ping -c 1 -W 1 11.11.11.8"},
	}}
	text, status := p.play(t, "learn", "switch", "--sim", "--lang", "en")
	contains(t, text, "64 bytes from 11.11.11.4", "3/3 questions answered rightly", "Done. The next one: uswitch learn arp")
	if status != 0 {
		t.Errorf("status %d\n%s", status, text)
	}
	pid := regexp.MustCompile(`it sleeps as (\d+)\.`).FindStringSubmatch(text)
	if pid == nil {
		t.Fatalf("nobody sleeps:\n%s", text)
	}
	eventually(t, "what the lesson's shell had in the background has ended with the lesson", func() bool {
		name, err := os.ReadFile("/proc/" + pid[1] + "/comm")
		return err != nil || string(name) != "sleep\n"
	})
}

// TestSkip always gets through: also where what the learner did before keeps the lesson's own commands from mending anything,
// and where a question cannot be asked any more.
func TestSkip(t *testing.T) {
	t.Parallel()
	for lesson, foreign := range map[string]string{
		"gateway":    "uswitch ip addr add 11.11.11.9/24 dev br0",
		"switch":     "uswitch exec RED -- ip addr flush dev eth0",
		"masquerade": "uswitch ip route del default",
		"forward":    "uswitch iptables -P FORWARD ACCEPT; uswitch iptables -F",
		"cable":      "uswitch exec BLUE -- ip link set eth0 down",
		"arp":        "uswitch exec RED -- ip neigh replace 11.11.11.3 lladdr 02:42:0b:0b:0b:03 dev eth0 nud permanent",
	} {
		t.Run(lesson, func(t *testing.T) {
			t.Parallel()
			text, status := simulated(t, foreign+"\n"+strings.Repeat("skip\n", 100), "learn", lesson, "--sim", "--lang", "en")
			contains(t, text, "Done. The next one: uswitch learn")
			if status != 0 {
				t.Errorf("status %d\n%s", status, text)
			}
		})
	}
}
