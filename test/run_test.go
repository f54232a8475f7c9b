package test

import (
	"os"
	"strings"
	"testing"
)

// The lab red-blue on names of its own, end to end:
//
//	RED 11.11.11.2 ──┐
//	                 ├── br0 ── gateway 11.11.11.1 ── uplink ── 8.8.8.8
//	BLUE 11.11.11.3 ─┘
const redBlue = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24, gateway: 11.11.11.1}]}}
services:
  RED@:
    command: uswitch ping -c 1 11.11.11.3 11.11.11.1 8.8.8.8
    networks: {br0: {ipv4_address: 11.11.11.2}}
  BLUE@:
    networks: {br0: {ipv4_address: 11.11.11.3}}
    x-uswitch: {passive: true}
x-uswitch: {uplink: sim}
`

// resting is the same lab, which stays up and does nothing by itself.
var resting = strings.ReplaceAll(redBlue, "    command: uswitch ping -c 1 11.11.11.3 11.11.11.1 8.8.8.8\n", "")

// stubborn is a lab whose RED ignores requests to end, and leaves something behind in its namespace.
var stubborn = strings.ReplaceAll(redBlue, "uswitch ping -c 1 11.11.11.3 11.11.11.1 8.8.8.8",
	`["sh", "-c", "sleep 1000 & setsid sleep 2 & echo ready; sleep 1000"]`)

func TestRun(t *testing.T) {
	t.Parallel()
	needs(t)
	l := newLab(t, redBlue)
	out, errs, status := l.try("run", l.file)
	if status != 0 {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	contains(t, out,
		l.ns("RED")+" | 64 bytes from 11.11.11.3: icmp_seq=1 ttl=64",
		l.ns("RED")+" | 64 bytes from 8.8.8.8: icmp_seq=1 ttl=61",
		"who has 11.11.11.3? tell 11.11.11.2",
		"flood        to "+l.ns("BLUE")+" and the gateway",
		"02:42:0b:0b:0b:02 lives behind "+l.ns("RED"),
		"MASQUERADE: 11.11.11.2 id",
		"the answer of connection 2, known by its reply tuple")
}

func TestRunEndsWithTheStatusOf(t *testing.T) {
	t.Parallel()
	needs(t)
	for name, c := range map[string]struct {
		command string // of RED
		args    []string
		want    int
	}{
		"the first command that fails":     {"sh -c 'exit 7'", nil, 7},
		"a signal":                         {"sh -c 'kill -KILL $$$$'", nil, 137},
		"a command that is not there":      {"no-such-program", nil, 127},
		"a file that is no program":        {"/etc/passwd", nil, 126},
		"COMMAND and of nothing else":      {"sh -c 'exit 7'", []string{"--", "sh", "-c", "exit 9"}, 9},
		"a COMMAND that a signal ends":     {"uswitch ping 11.11.11.3", []string{"--", "sh", "-c", "kill -TERM $$"}, 143},
		"COMMAND, which knows of its lab":  {"uswitch ping 11.11.11.3", []string{"--", "uswitch", "show", "hosts"}, 0},
		"nothing: everything went well":    {"'true'", nil, 0},
		"nothing that was left running":    {"sh -c 'sleep 1000 & exit 0'", nil, 0},
		"nothing that still holds outputs": {"sh -c 'setsid sleep 3 & exit 0'", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, strings.ReplaceAll(redBlue, "uswitch ping -c 1 11.11.11.3 11.11.11.1 8.8.8.8", c.command))
			cmd := append([]string{"run", "--trace", "off", l.file}, c.args...)
			if out, errs, status := l.try(cmd...); status != c.want {
				t.Errorf("status %d, want %d\n%s%s", status, c.want, out, errs)
			}
		})
	}
}

func TestAdopted(t *testing.T) {
	t.Parallel()
	needs(t, "ip")
	l := newLab(t, redBlue)
	must(t, "ip", "netns", "add", l.ns("RED"))
	t.Cleanup(func() { must(t, "ip", "netns", "del", l.ns("RED")) })
	if out, errs, status := l.try("run", "--trace", "off", l.file); status == 0 || !strings.Contains(errs, "netns: "+l.ns("RED")) || !strings.Contains(errs, "--adopt") {
		t.Errorf("somebody else's namespace: status %d\n%s%s", status, out, errs)
	}
	if out, errs, status := l.try("run", "--adopt", "--trace", "off", l.file); status != 0 {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if _, err := os.Stat("/run/netns/" + l.ns("RED")); err != nil {
		t.Error("the namespace that was there before is gone")
	}
}

func TestSimulated(t *testing.T) {
	t.Parallel()
	l := newLab(t, redBlue)
	first := l.do("run", "--sim", l.file)
	contains(t, first, l.ns("RED")+" | 64 bytes from 8.8.8.8: icmp_seq=1 ttl=61", "MASQUERADE: 11.11.11.2 id")
	if second := l.do("run", "--sim", l.file); second != first {
		t.Error("two simulated runs differ")
	}
}

// TestEveryHelpEndsWithAnExample looks at the end of each command's help: the last thing on the screen works as it stands.
func TestEveryHelpEndsWithAnExample(t *testing.T) {
	t.Parallel()
	l := newLab(t, redBlue)
	help := l.do("-h")
	commands := 0
	for line := range strings.Lines(help) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(line, "  ") || name == "" || name == "uswitch" || strings.HasPrefix(name, "-") {
			continue
		}
		commands++
		text := l.do(name, "-h")
		_, example, found := strings.Cut(text, "\nExample:\n")
		if !found || !strings.HasPrefix(example, "  uswitch ") || strings.Count(example, "\n") != 1 {
			t.Errorf("uswitch %s -h does not end with an example:\n%s", name, text)
		}
	}
	if commands < 18 {
		t.Errorf("only %d commands in:\n%s", commands, help)
	}
}
