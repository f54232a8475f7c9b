package test

import (
	"path/filepath"
	"strings"
	"testing"
)

// alone runs uswitch where namespaces and labs have names of their own, so that two lessons may both have a RED: in a mount
// namespace with an empty /run, and with a network of their own for what a lesson does on the machine itself.
func alone(t *testing.T, args ...string) (text string, status int) {
	t.Helper()
	return output(t, append([]string{"unshare", "-mn", "sh", "-c", `mount -t tmpfs none /run && ip link set lo up && exec "$0" "$@"`, uswitch}, args...)...)
}

// TestLessons plays every lesson without a person on real cards: it ends well only if every check fails before the step that
// mends it and holds after it, and every command ends as the lesson says.
func TestLessons(t *testing.T) {
	needs(t, "unshare", "nsenter")
	t.Parallel()
	for _, l := range lessons(t, "en") {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			text, status := alone(t, "learn", l.name, "--auto", "--lang", "en")
			if status != 0 {
				t.Fatalf("status %d\n%s", status, text)
			}
			if !strings.HasPrefix(text, l.title+"\n") || !strings.Contains(text, "✓") {
				t.Errorf("the lesson does not begin with its title %q, or mends nothing:\n%s", l.title, text)
			}
		})
	}
}

// lesson is a line of the list of lessons.
type lesson struct{ name, title string }

// lessons returns the built-in lessons as uswitch lists them.
func lessons(t *testing.T, lang string) (all []lesson) {
	t.Helper()
	for line := range strings.Lines(must(t, "env", "XDG_STATE_HOME="+t.TempDir(), uswitch, "learn", "--lang", lang)) {
		fields := strings.Fields(line)
		all = append(all, lesson{fields[1], strings.Join(fields[2:], " ")})
	}
	if len(all) != lastLesson {
		t.Fatalf("%d lessons, want %d", len(all), lastLesson)
	}
	return all
}

// lastLesson is the number of the last built-in lesson.
const lastLesson = 14

// TestCheckCommand holds uswitch check to its exit statuses: on a lab that it brings up, and on one that is up.
func TestCheckCommand(t *testing.T) {
	needs(t)
	t.Parallel()
	const file = `
name: lab@
networks: {br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}}
x-uswitch:
  uplink: sim
  rules: ["-P FORWARD DROP", "-A FORWARD -s 11.11.11.0/24 -j ACCEPT", "-t nat -A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE"]
  checks:
    - {name: neighbours, from: RED@, to: BLUE@}
    - {name: pings, host: RED@, command: ping -c 1 -W 5 11.11.11.3, has: 1 received}
    - {name: out, from: RED@, to: 8.8.8.8}
`
	l := newLab(t, file)
	out, status := output(t, uswitch, "check", l.file)
	contains(t, out, "FAILS  out", "try   uswitch iptables -A FORWARD -d 11.11.11.0/24 -j ACCEPT", "2 hold, 1 fail")
	if status != 1 {
		t.Errorf("status %d, want 1: one check fails", status)
	}

	l.run()
	l.waitUp()
	l.iptables("-A FORWARD -d 11.11.11.0/24 -j ACCEPT")
	out, status = output(t, uswitch, "check", l.file, "-o", "junit")
	contains(t, out, `tests="3" failures="0" errors="0"`)
	if status != 0 {
		t.Errorf("status %d, want 0: on the lab that is up the way is open\n%s", status, out)
	}
	for name, args := range map[string][]string{
		"no file":   {"check", filepath.Join(t.TempDir(), "nope.yaml")},
		"no checks": {"check", "red-blue"},
		"no format": {"check", l.file, "-o", "xml"},
	} {
		if out, status := output(t, append([]string{uswitch}, args...)...); status != 2 {
			t.Errorf("%s: status %d, want 2\n%s", name, status, out)
		}
	}
	// A program that is not there cannot be checked.
	must(t, "sed", "-i", "s/ping -c 1 -W 5/no-such-program/", l.file)
	out, status = output(t, uswitch, "check", l.file)
	contains(t, out, "could not check")
	if status != 2 {
		t.Errorf("status %d, want 2: a program is missing\n%s", status, out)
	}
}
