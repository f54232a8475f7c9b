package test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The commands of hosts, and the command behind --.
//
//	F91  TestF91Grandchildren   what a command leaves behind is ended, and holds up nothing
//	F91  TestF91StdinClosed     nobody needs it
//	F91  TestF91SetUser         a command that is somebody else by now
//	     TestOutputPrefixes     whole lines, with names of one width
//	     TestCommandsSurroundings  environment, directory, order
//
// The statuses are in TestRunEndsWithTheStatusOf.

// withCommands is two hosts of which each runs a command, given as a list in YAML.
func withCommands(red, blue string) string {
	return `
name: lab@
networks: {br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}}
services:
  RED@: {networks: [br0], command: ` + red + `}
  LONGER@: {networks: [br0], command: ` + blue + `}
x-uswitch: {uplink: none}
`
}

func TestOutputPrefixes(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, withCommands(`["sh", "-c", "echo one; printf 'two\nno end'"]`, `["sh", "-c", "echo to stderr >&2; printf '%020000d\n' 7"]`))
	out, _, status := l.try("run", "--trace", "off", l.file)
	if status != 0 {
		t.Errorf("status %d", status)
	}
	long := 0
	for line := range strings.Lines(strings.ReplaceAll(out, l.suffix, "")) {
		switch line {
		case "RED    | one\n", "RED    | two\n", "RED    | no end\n", "LONGER | to stderr\n":
			continue
		}
		if digits, ok := strings.CutPrefix(line, "LONGER | "); ok && strings.Trim(digits, "0\n7") == "" {
			long += len(digits) - 1
			continue
		}
		t.Errorf("a line of nobody: %q", line)
	}
	if strings.Count(out, "\n") < 5 || long != 20000 {
		t.Errorf("%d lines, %d digits of a line of 20,000:\n%s", strings.Count(out, "\n"), long, out[:min(len(out), 1000)])
	}
}

func TestF91Grandchildren(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, withCommands(`["sh", "-c", "sleep 1000 & sh -c 'sleep 1000 & sleep 1000' & exit 3"]`, `["sh", "-c", "trap '' HUP; sleep 1000 </dev/null >/dev/null 2>&1 & exit 4"]`))
	_, text, status := l.try("run", "--trace", "off", l.file)
	if status != 3 && status != 4 {
		t.Errorf("status %d, want 3 or 4: %s", status, text)
	}
	beside := newLab(t, threeHosts)
	if _, text, status := beside.try("run", "--trace", "off", beside.file, "--", "sh", "-c", "exit 5"); status != 5 {
		t.Errorf("behind --: status %d, want 5: %s", status, text)
	}
}

func TestF91StdinClosed(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, withCommands(`["sh", "-c", "cat; echo read"]`, `"true"`))
	for name, redirect := range map[string]string{"closed": "<&-", "at its end": "</dev/null", "full": "</dev/zero"} {
		text, status := output(t, "sh", "-c", `exec "$0" run --trace off "$1" `+redirect, uswitch, l.file)
		if status != 0 || !strings.Contains(text, "read") {
			t.Errorf("standard input %s: status %d: %s", name, status, text)
		}
	}
	cmd := exec.Command(uswitch, "run", "--trace", "off", l.file, "--", "cat")
	cmd.Stdin = strings.NewReader("for the command\n")
	if text, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(text), "for the command\n") {
		t.Errorf("the command behind -- has no standard input: %v: %s", err, text)
	}
}

func TestF91SetUser(t *testing.T) {
	needs(t, "setpriv")
	t.Parallel()
	l := newLab(t, withCommands(`[setpriv, --reuid, "65534", --clear-groups, sleep, "1000"]`, `["sleep", "1000"]`))
	l.up("--trace", "off")
	eventually(t, "both commands run", func() bool { return l.host("RED").PID != 0 && l.host("LONGER").PID != 0 })
	l.do("stop")
	if status := l.wait(); status != 0 && status < 128 {
		t.Errorf("status %d", status)
	}
}

func TestCommandsSurroundings(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, `
name: lab@
networks: {br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}}
services:
  LAST@:
    networks: [br0]
    command: ["sh", "-c", "echo $$GREETING from $$USWITCH_HOST in $$USWITCH_LAB at $$PWD; ip -o -4 addr show eth0"]
    environment: {GREETING: "hello you"}
    working_dir: /usr
    depends_on: {FIRST@: {condition: service_completed_successfully}}
  FIRST@: {networks: [br0], command: ["sh", "-c", "echo first"]}
x-uswitch: {uplink: none}
`)
	out := l.do("run", "--trace", "off", l.file)
	first, last := strings.Index(out, "first"), strings.Index(out, "hello you from "+l.ns("LAST")+" in "+l.name+" at /usr")
	if first < 0 || last < first {
		t.Errorf("want FIRST's line, then LAST's:\n%s", out)
	}
	contains(t, out, "11.11.11.3/24")
	if _, err := os.Stat("/run/netns/" + l.ns("FIRST")); err == nil {
		t.Error("FIRST is still there")
	}
}
