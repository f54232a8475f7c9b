package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// TestMistakes reads what a mistyped command line is told.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no such command":      {[]string{"nosuch"}, "nosuch: there is no such command; try uswitch -h"},
		"with flags":           {[]string{"netsta", "-nlp"}, "netsta: there is no such command; did you mean netstat?; try uswitch -h"},
		"with flags, below":    {[]string{"docker", "pss", "-a"}, "pss: there is no such command; did you mean ps?; try uswitch docker -h"},
		"nearly a table":       {[]string{"show", "fbd"}, "fbd: there is no such command; did you mean fdb?; try uswitch show -h"},
		"an unknown shell":     {[]string{"completion", "foo"}, "completion foo: want bash, zsh or fish"},
		"no number of hosts":   {[]string{"run", "red-blue", "--scale", "RED=x"}, `run: --scale "RED=x": want NAME=NUMBER, as in web=3; try uswitch run -h`},
		"no number":            {[]string{"ping", "-c", "x", "127.0.0.1"}, `ping: --count "x": want a whole number; try uswitch ping -h`},
		"no port":              {[]string{"serve", "-p", "99999"}, `serve: --port "99999": want a number from 0 to 65535; try uswitch serve -h`},
		"two labs to stop":     {[]string{"stop", "a", "--lab", "b"}, "stop: a and --lab b: want one of them"},
		"a capture on the way": {[]string{"run", "web", "--pcap", "-"}, "--pcap -: standard output has the trace: want a file, or uswitch capture -w - beside the lab"},
	} {
		t.Run(name, func(t *testing.T) {
			root := newRoot()
			root.SetArgs(c.args)
			if err := root.Execute(); err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestHelp: help tells of topics and of commands, and says what it does not know.
func TestHelp(t *testing.T) {
	for args, want := range map[string]string{"limits": "A published TCP port is a listening socket", "show fdb": "uswitch show fdb", "": "A lab:"} {
		root, out := newRoot(), new(strings.Builder)
		root.SetOut(out)
		root.SetArgs(append([]string{"help"}, strings.Fields(args)...))
		if err := root.Execute(); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("help %s: %v: %s", args, err, out)
		}
	}
	root := newRoot()
	root.SetArgs([]string{"help", "nosuch"})
	if err := root.Execute(); err == nil || !strings.Contains(err.Error(), "help nosuch: there is no such command, and no such topic; topics: lessons, ") {
		t.Errorf("help nosuch: %v", err)
	}
}

// TestHelpFitsATerminal: the help of every command, and every topic, is at most 80 columns wide, and each has its example.
func TestHelpFitsATerminal(t *testing.T) {
	narrow := func(what, text string) {
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s: %d columns: %s", what, n, line)
			}
		}
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		out := new(strings.Builder)
		c.SetOut(out)
		if err := c.Help(); err != nil {
			t.Error(err)
		}
		narrow(c.CommandPath(), out.String())
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
	files, err := topics.ReadDir("topics")
	if err != nil || len(files) != len(topicNames) {
		t.Errorf("%v: %d files for the topics %v", err, len(files), topicNames)
	}
	for _, name := range topicNames {
		text := topic(name)
		narrow("help "+name, text)
		if c, _, err := newRoot().Find([]string{name}); text == "" || err == nil && c.Name() == name {
			t.Errorf("help %s: no text, or a command of that name", name)
		}
	}
}
