package test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadmeShowsWhatHappens: the README's trace is what the simulator prints for red-blue, to the letter.
func TestReadmeShowsWhatHappens(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)<!-- trace -->\n```\n(.*?)```").FindSubmatch(readme)
	if block == nil || len(block[1]) < 500 {
		t.Fatal("the README has no trace behind <!-- trace -->")
	}
	out, err := exec.Command(uswitch, "run", "--sim", "red-blue").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), string(block[1])) {
		t.Errorf("the README shows\n%s\nbut uswitch run --sim red-blue prints\n%s", block[1], out)
	}
}

// TestReadmesOwnLabEnds: the lab file that the README shows ends with its commands, as it says, in memory too.
func TestReadmesOwnLabEnds(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(name: hello\n.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("the README has no lab called hello")
	}
	l := newLab(t, string(block[1]))
	text, errs, status := l.try("run", "--sim", "--trace", "off", l.file)
	if status != 0 || !strings.Contains(text, "1 packets transmitted, 1 received") {
		t.Errorf("status %d\n%s%s", status, text, errs)
	}
}

// TestReadmeNamesRealCommands: every uswitch command that the README shows in a code block exists, with its flags.
func TestReadmeNamesRealCommands(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	flag := regexp.MustCompile(`--[a-z-]+`)
	for _, block := range regexp.MustCompile("(?s)```\n(.*?)```").FindAllSubmatch(readme, -1) {
		for line := range strings.Lines(string(block[1])) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "uswitch" {
				continue
			}
			command := words[1:2]
			if words[1] == "docker" {
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
				if !strings.Contains(string(help), f) {
					t.Errorf("%q: uswitch %s has no %s", strings.TrimSpace(line), words[1], f)
				}
			}
		}
	}
}
