package lesson

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// On real interfaces, hosts have the programs of this machine. What its lessons type and they do not know is said before a lesson
// begins, not in the middle of it.

// typed is a command as a shell's line has it: what it is typed into, a host or this machine, is in front.
var typed = regexp.MustCompile(`(?:^|[;&|]\s*)(?:uswitch (?:docker )?exec (?:-\S+ )*\S+ (?:-- )?)?([a-z][\w.-]*)([^;&|]*)`)

// dialects are what only some programs of a name know; busybox has others. A program that knows it says has of itself.
var dialects = []struct {
	program string
	words   *regexp.Regexp // of a command line
	ask     string
	has     string
	wanted  string
}{
	{"ip", regexp.MustCompile(` -br| neigh(bour)? (add|del|replace|change)`), "ip -V", "iproute2", "the ip of iproute2"},
	{"ping", regexp.MustCompile(` -M `), "ping -h", "-M ", "a ping that knows -M, as that of iputils does"},
}

// lacks returns what a lesson types and this machine's programs do not know, each with the first command that wants it.
func (l *Lesson) lacks() (all []string) {
	var seen []string
	for _, line := range l.typed() {
		for _, m := range typed.FindAllStringSubmatch(line, -1) {
			if want := lacking(m[1], m[2]); want != "" && !slices.Contains(seen, want) {
				seen, all = append(seen, want), append(all, fmt.Sprintf("%s, for `%s`", want, line))
			}
		}
	}
	return all
}

// typed returns the commands of a lesson and of its checks.
func (l *Lesson) typed() (all []string) {
	for _, s := range l.Steps {
		for _, c := range s.Commands {
			all = append(all, c.Text)
		}
	}
	for _, c := range l.Plan.Checks {
		if c.Command != nil {
			all = append(all, strings.Join(c.Command.Argv, " "))
		}
	}
	return all
}

// lacking returns what a command wants that there is not, or nothing.
func lacking(program, args string) string {
	if program == "uswitch" { // this one
		return ""
	}
	if exec.Command("sh", "-c", "command -v "+program).Run() != nil { // or a word of the shell's own
		return "the program " + program
	}
	for _, d := range dialects {
		if d.program == program && d.words.MatchString(args) {
			if says, _ := exec.Command("sh", "-c", d.ask).CombinedOutput(); !strings.Contains(string(says), d.has) {
				return d.wanted
			}
		}
	}
	return ""
}

// ready returns an error if the programs of this machine do not do for the lesson on real interfaces.
func (l *Lesson) ready() error {
	lacks := l.lacks()
	if len(lacks) == 0 {
		return nil
	}
	way := ""
	if l.Order > 0 {
		way = "\nin memory every host has it: uswitch learn --sim " + l.Name
	}
	return fmt.Errorf("lesson %s wants what this machine does not have:\n  %s%s", l.Name, strings.Join(lacks, "\n  "), way)
}
