package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What people read first is README and the topics of uswitch help. Both are held to what they say, in the same way: what they
// show happens, what they tell people to type exists, with its flags, and works as it stands.

// readme is README.md.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// topics are the texts of uswitch help, by their names.
func topics(t *testing.T) map[string]string {
	t.Helper()
	complaint, err := exec.Command(uswitch, "help", "nosuch").CombinedOutput()
	_, names, found := strings.Cut(strings.TrimSpace(string(complaint)), "topics: ")
	if err == nil || !found {
		t.Fatalf("uswitch help nosuch: %v: %s", err, complaint)
	}
	all := map[string]string{}
	for _, name := range strings.Split(names, ", ") {
		text, err := exec.Command(uswitch, "help", name).Output()
		if err != nil {
			t.Fatalf("uswitch help %s: %v", name, err)
		}
		all[name] = string(text)
	}
	return all
}

// shown matches what README and topics show as typed: a block of lines each.
var (
	fenced   = regexp.MustCompile("(?s)```\n(.*?)```")
	inline   = regexp.MustCompile("`(uswitch [a-z-]+ [^`]+)`")
	indented = regexp.MustCompile(`(?m)(?:^    \S.*\n)+`)
)

// typed are the blocks of commands that README (where name is empty) or a topic shows.
func typed(t *testing.T, name, text string) (blocks []string) {
	t.Helper()
	if name != "" {
		return []string{strings.Join(indented.FindAllString(text, -1), "")} // one after the other, on the same lab
	}
	for _, m := range slices.Concat(fenced.FindAllStringSubmatch(text, -1), inline.FindAllStringSubmatch(text, -1)) {
		blocks = append(blocks, m[1]+"\n")
	}
	return blocks
}

// TestReadmeShowsWhatHappens: the README's trace is what the simulator prints for red-blue, to the letter.
func TestReadmeShowsWhatHappens(t *testing.T) {
	block := regexp.MustCompile("(?s)<!-- trace -->\n```\n(.*?)```").FindStringSubmatch(readme(t))
	if block == nil || len(block[1]) < 500 {
		t.Fatal("the README has no trace behind <!-- trace -->")
	}
	out, err := exec.Command(uswitch, "run", "--sim", "red-blue").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), block[1]) {
		t.Errorf("the README shows\n%s\nbut uswitch run --sim red-blue prints\n%s", block[1], out)
	}
}

// TestReadmesOwnLabEnds: the lab file that README and help show ends with its commands, as they say, in memory too.
func TestReadmesOwnLabEnds(t *testing.T) {
	t.Parallel()
	for where, file := range map[string][]string{
		"README.md": regexp.MustCompile("(?s)```yaml\n(name: hello\n.*?)```").FindStringSubmatch(readme(t)),
		"lab-files": regexp.MustCompile(`(?s)(    name: hello\n.*?\n)\n`).FindStringSubmatch(topics(t)["lab-files"]),
	} {
		if file == nil {
			t.Fatalf("%s has no lab called hello", where)
		}
		l := newLab(t, strings.TrimPrefix(strings.ReplaceAll(file[1], "\n    ", "\n"), "    "))
		text, errs, status := l.try("run", "--sim", "--trace", "off", l.file)
		if status != 0 || !strings.Contains(text, "1 packets transmitted, 1 received") {
			t.Errorf("%s: status %d\n%s%s", where, status, text, errs)
		}
	}
}

// TestReadmeIsShort: it is for a newcomer, and leads to every topic with the words of the topic.
func TestReadmeIsShort(t *testing.T) {
	text := readme(t)
	if n := strings.Count(text, "\n"); n > 150 {
		t.Errorf("README.md has %d lines", n)
	}
	var rows []string
	for name, text := range topics(t) {
		about, _, _ := strings.Cut(text, "\n")
		rows = append(rows, "| `"+name+"` | "+about+" |")
	}
	got := regexp.MustCompile("(?m)^\\| `.*\\|$").FindAllString(text, -1)
	slices.Sort(rows)
	slices.Sort(got)
	if !slices.Equal(got, rows) {
		t.Errorf("the topics in README.md are\n%s\nin uswitch help\n%s", strings.Join(got, "\n"), strings.Join(rows, "\n"))
	}
}

// TestReadmeNamesRealCommands: every uswitch command that README or a topic shows exists, with its flags.
func TestReadmeNamesRealCommands(t *testing.T) {
	all := topics(t)
	all[""] = readme(t)
	flag := regexp.MustCompile(`--[a-z-]+`)
	seen := 0
	for name, text := range all {
		for line := range strings.Lines(strings.Join(typed(t, name, text), "")) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "uswitch" {
				continue
			}
			seen++
			command := words[1:2]
			if slices.Contains([]string{"docker", "compare", "show", "set", "publish"}, words[1]) && len(words) > 2 {
				command = words[1:3]
			}
			help, err := exec.Command(uswitch, append(slices.Clone(command), "--help")...).CombinedOutput()
			if err != nil || !strings.Contains(string(help), "uswitch "+strings.Join(command, " ")) {
				t.Errorf("%q: uswitch %s --help: %v", strings.TrimSpace(line), strings.Join(command, " "), err)
			}
			own, _, _ := strings.Cut(line, " -- ")
			if words[1] == "iptables" {
				continue // its flags are iptables'
			}
			for _, f := range flag.FindAllString(own, -1) {
				if !strings.Contains(string(help), f) && f != "--lang" { // which every command has
					t.Errorf("%q: uswitch %s has no %s", strings.TrimSpace(line), words[1], f)
				}
			}
		}
	}
	if seen < 80 {
		t.Errorf("%d commands are shown", seen)
	}
}

// TestReadmesCommandsWork types what README and the topics show, in their order, and all of it succeeds. What goes on until
// Ctrl-C gets that once it has seen traffic; what wants a person at a terminal is played by tests of its own.
func TestReadmesCommandsWork(t *testing.T) {
	needs(t, "unshare", "nsenter", "tshark")
	all := topics(t)
	all["README"] = ""
	for name, text := range all {
		blocks := []string{}
		if name == "README" {
			blocks = typed(t, "", readme(t))
		} else {
			blocks = typed(t, name, text)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newPrivateMachine(t)
			for _, block := range blocks {
				m.typeAll(block)
			}
		})
	}
}

var (
	typable  = regexp.MustCompile(`^(uswitch|curl|tshark) `)
	person   = regexp.MustCompile(`^uswitch (shell|watch|web|learn (\d|masquerade)|run hello.yaml|help TOPIC)|wireshark -k`)
	endless  = regexp.MustCompile(`^uswitch (trace|capture|drops -f|logs -f|tcpdump|step|run web)\b`)
	beginner = regexp.MustCompile(`(?m)^ *uswitch (up|run|docker run|learn|compare|check)\b`)
	refuses  = regexp.MustCompile(`^uswitch (explain|why-not|reach|break)\b`) // the status is the answer: 0 or 1
)

// typeAll types a block of lines. If none of them begins a lab, red-blue is up.
func (m *privateMachine) typeAll(block string) {
	m.t.Helper()
	if !beginner.MatchString(block) && strings.Contains(block, "uswitch ") {
		m.do("uswitch up -d red-blue")
	}
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " # ")
		switch {
		case !typable.MatchString(line) || person.MatchString(line):
		case endless.MatchString(line):
			m.follow(line)
		default:
			if out, status := m.sh(line); status != 0 && !(status == 1 && refuses.MatchString(line)) {
				m.t.Errorf("%s: status %d\n%s", line, status, out)
			}
		}
	}
	m.downAll()
}

// TestLabFilesKeys: the keys under x-uswitch that the topic lists are those that a lab file may have, at each place.
func TestLabFilesKeys(t *testing.T) {
	t.Parallel()
	text := topics(t)["lab-files"]
	const file = "name: keys\nnetworks: {br0: {X0}}\nservices: {RED: {networks: {br0: {X1}}X2}}\nX3\n"
	wrong := "x-uswitch: {nosuch: 1}"
	const ports = "mtu learning flood mcast_flood bcast_flood isolated ra_guard nd_guard dhcp_guard storm_limit"
	for place, c := range map[string]struct{ file, also string }{
		"At the top level:":   {strings.NewReplacer("X0", "", "X1", "", "X2", "", "X3", wrong).Replace(file), ""},
		"A network:":          {strings.NewReplacer("X0", wrong, "X1", "", "X2", "", "X3", "").Replace(file), ports},
		"A service:":          {strings.NewReplacer("X0", "", "X1", "", "X2", ", "+wrong, "X3", "").Replace(file), ""},
		"A service's network": {strings.NewReplacer("X0", "", "X1", wrong, "X2", "", "X3", "").Replace(file), ""},
	} {
		path := filepath.Join(t.TempDir(), "lab.yaml")
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ := exec.Command(uswitch, "run", "--sim", path).CombinedOutput()
		_, list, found := strings.Cut(strings.TrimSpace(string(out)), "no such key: want one of ")
		_, table, listed := strings.Cut(text, "\n"+place)
		if !found || !listed {
			t.Fatalf("%s: %s", place, out)
		}
		want := strings.Split(list, ", ")
		table, _, _ = strings.Cut(table, "\n\n")
		got := strings.Fields(c.also)
		for _, m := range regexp.MustCompile(`(?m)^  ([a-z0-9_]+)  `).FindAllStringSubmatch(table, -1) {
			got = append(got, m[1])
		}
		slices.Sort(got)
		slices.Sort(want)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("%s the topic lists\n%v\nand a lab file may have\n%v", place, got, want)
		}
	}
}

// TestRulesTopic: the matches and targets that the topic lists are those that the gateway has.
func TestRulesTopic(t *testing.T) {
	needs(t, "unshare", "nsenter")
	t.Parallel()
	text := topics(t)["rules"]
	m := newPrivateMachine(t)
	m.do("uswitch up -d --sim red-blue")
	for title, line := range map[string]string{"Matches": "-m nosuch -j ACCEPT", "Targets": "-j AUDIT"} {
		out, _ := m.sh("uswitch iptables -A FORWARD " + line)
		_, list, found := strings.Cut(strings.TrimSpace(out), "not supported here; there are ")
		_, shown, listed := strings.Cut(text, "\n"+title+" ")
		if !found || !listed {
			t.Fatalf("%s: %s", title, out)
		}
		shown, _, _ = strings.Cut(shown, "\n\n")
		shown, _, _ = strings.Cut(shown, "\nMatches")
		shown, _, _ = strings.Cut(shown, ", and chains")
		if got := strings.Join(strings.Fields(shown), " "); got != list {
			t.Errorf("%s: the topic lists\n%s\nand there are\n%s", title, got, list)
		}
	}
}
