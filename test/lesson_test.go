package test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// alone runs uswitch where namespaces and labs have names of their own, so that two lessons may both have a RED: in a mount
// namespace with an empty /run, and with a network of their own for what a lesson does on the machine itself.
func alone(t *testing.T, args ...string) (text string, status int) {
	t.Helper()
	return output(t, append(privately(), args...)...)
}

// privately is how to begin a command line for that.
func privately() []string {
	return []string{"unshare", "-mn", "sh", "-c", `mount -t tmpfs none /run && ip link set lo up && exec "$0" "$@"`, uswitch}
}

// TestLessons plays every lesson without a person on real interfaces: it ends well only if every check fails before the step that
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
	if len(all) != builtinLessons {
		t.Fatalf("%d lessons, want %d", len(all), builtinLessons)
	}
	return all
}

// builtinLessons is how many there are.
const builtinLessons = 16

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
	contains(t, l.do("check"), "3 hold, 0 fail") // of the lab that is up, without its file
	for name, args := range map[string][]string{
		"no file":   {"check", filepath.Join(t.TempDir(), "nope.yaml")},
		"no checks": {"check", "two-networks"},
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

// TestLessonsInMemory plays every lesson in memory, where no privileges are needed, in the other language.
func TestLessonsInMemory(t *testing.T) {
	t.Parallel()
	for _, l := range lessons(t, "ko") {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			text, status := simulated(t, "", "learn", l.name, "--auto", "--sim", "--lang", "ko")
			if status != 0 {
				t.Fatalf("status %d\n%s", status, text)
			}
			if !strings.HasPrefix(text, l.title+"\n") || !strings.Contains(text, "성립합니다") {
				t.Errorf("the lesson does not begin with its title %q, or mends nothing:\n%s", l.title, text)
			}
		})
	}
}

// simulated runs uswitch with something typed into it, with sockets and a state of its own.
func simulated(t *testing.T, typed string, args ...string) (text string, status int) {
	t.Helper()
	dir := t.TempDir()
	return typeInto(t, dir, typed, args...)
}

// typeInto is simulated with a directory of the caller's.
func typeInto(t *testing.T, dir, typed string, args ...string) (text string, status int) {
	t.Helper()
	argv := []string{uswitch}
	if os.Geteuid() == 0 {
		argv = privately() // root's sockets are in /run, whatever the environment says
	}
	cmd := exec.Command(argv[0], append(argv[1:], args...)...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "XDG_STATE_HOME="+dir)
	cmd.Stdin = strings.NewReader(typed)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestLearning is a person at the keyboard: Enter, answers right and wrong, a hint, and what is remembered of it.
func TestLearning(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, _ := typeInto(t, dir, "\nuswitch ps\n\n\n\n\n1\nquit\n", "learn", "cable", "--sim", "--lang", "en")
	contains(t, text, "learn-cable", "Not quite.", "The switch says: RED", "Left. To begin it again: uswitch learn cable")
	list, _ := typeInto(t, dir, "", "learn", "--lang", "en")
	contains(t, list, "%     1  cable")
	text, status := typeInto(t, dir, "\n\n\n\n\nnonsense\n2\nhint\n\n\n", "learn", "1", "--sim", "--lang", "en")
	contains(t, text, "Right.", "The switch would try:\n  uswitch exec RED -- ip link set eth0 up", "1/1 questions answered rightly",
		"That is none of the answers. They are numbered from 1 to 4.", "Done. The next one: uswitch learn switch")
	if status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	list, _ = typeInto(t, dir, "", "learn", "--lang", "en")
	contains(t, list, "done    1  cable")
}

// TestOwnWay is a person who mends a lab otherwise than the lesson says: a try that mends nothing is not the end of the
// step, one that does is, and the lesson's own command is not run any more. Skipping never leaves out what follows rests on.
func TestOwnWay(t *testing.T) {
	t.Parallel()
	const own = "uswitch iptables -I FORWARD -d 11.11.11.0/24 -j ACCEPT\n"
	text, status := simulated(t, "skip\nskip\nskip\nskip\nskip\nskip\nuswitch ps\n"+own+"skip\n\nskip\nskip\n", "learn", "forward", "--sim", "--lang", "en")
	contains(t, text, "✓ BLUE reaches 8.8.8.8: holds", "Done. The next one: uswitch learn conntrack")
	if status != 0 || strings.Contains(text, "not mended yet") || strings.Contains(text, "-A FORWARD -d 11.11.11.0/24 -j ACCEPT\n\n  ✓") {
		t.Errorf("status %d\n%s", status, text)
	}
	if table := text[strings.LastIndex(text, "Chain FORWARD"):]; strings.Count(table, "0.0.0.0/0            11.11.11.0/24") != 1 {
		t.Errorf("the lesson's rule was added as well:\n%s", table)
	}
	text, status = simulated(t, strings.Repeat("skip\n", 40), "learn", "switch", "--sim", "--lang", "en")
	contains(t, text, "Done. The next one: uswitch learn arp")
	if status != 0 {
		t.Errorf("status %d\n%s", status, text)
	}
}

// TestLessonOfATeacher writes a lesson, plays it, and breaks it: a check that holds before it is mended is a defect.
func TestLessonOfATeacher(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "mine.md")
	must(t, "sh", "-c", `cd "$0" && exec "$1" learn new mine`, dir, uswitch)
	if text, status := simulated(t, "", "learn", file, "--auto", "--sim"); status != 0 {
		t.Fatalf("status %d\n%s", status, text)
	}
	must(t, "sed", "-i", "s/ip addr del/ip addr show #/; s/run fails/run either/; s/^```fails/```text/", file)
	text, status := simulated(t, "", "learn", file, "--auto", "--sim")
	contains(t, text, "check blue-answers holds before it is mended")
	if status == 0 {
		t.Error("a check that cannot fail passes")
	}
}

// TestBreak breaks things in a lab in memory: each is noticed, told of without being named, and mended.
func TestBreak(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "lab.yaml")
	if err := os.WriteFile(file, []byte(`
name: practice
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  RED: {networks: [front]}
  BLUE: {networks: [front]}
  DB: {networks: [back], command: uswitch serve -p 80, ports: ["8080:80"]}
x-uswitch: {uplink: sim, docker_rules: off, keep_up: true}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	text, status := simulated(t, "", "run", "--sim", file, "--trace", "off", "--", "sh", "-c", `
u="$0"; cd "$XDG_STATE_HOME"
for seed in 6 19 8; do
	"$u" break --seed $seed > out || { echo "seed $seed: nothing breaks"; exit 1; }
	"$u" check practice > out; [ $? = 1 ] || { echo "seed $seed: nobody notices"; cat out; exit 1; }
	grep -q '^ *$' out && { echo "seed $seed: empty lines"; cat out; exit 1; }
	grep -q 'try \|rule ' out && { echo "seed $seed: the check gives it away"; cat out; exit 1; }
	"$u" break --seed 1 2> out && { echo "seed $seed: two things are broken"; exit 1; }
	"$u" break --hint > out; grep -q 'does not hold any more' out || { echo "seed $seed: no hint"; exit 1; }
	"$u" break --mend > out || { echo "seed $seed: not mended"; cat out; exit 1; }
	head -1 out
done | sort | uniq -c
"$u" break --seed 6 > out; "$u" set gateway ip_forward=1; "$u" check && "$u" break --mend && exit 1
echo by hand`, uswitch)
	contains(t, text, "ip-forward-off", "rule-removed", "netmask-wrong", "it is mended", "by hand")
	if status != 0 || strings.Contains(text, "seed ") {
		t.Errorf("status %d\n%s", status, text)
	}
}
