package test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Labs in the background, and side by side.
//
//	     TestUpAndDown        up -d, ls, logs, down
//	     TestUpStays          its commands end, and the lab is still there
//	     TestUpFails          the error with which a lab does not come up, and its status
//	F60  TestF60KilledInBackground  what a killed one leaves is reclaimed by the next
//	     TestUpInterrupted    who gives up waiting leaves nothing behind that is not seen
//	     TestBesideAStoppedLab  one lab that does not answer costs the list of the others no more than a moment
//	     TestSideBySide       labs do not reach each other; a name that two want is told with its owner

// upInBackground brings the lab up with up -d, and returns its process.
func (l *lab) upInBackground(args ...string) (pid int) {
	l.t.Helper()
	text := l.do(append([]string{"up", "-d", l.file}, args...)...)
	match := regexp.MustCompile(`^lab ` + regexp.QuoteMeta(l.name) + ` is up, as process (\d+)\n$`).FindStringSubmatch(text)
	if match == nil {
		l.t.Fatalf("up -d says %q", text)
	}
	pid, _ = strconv.Atoi(match[1])
	l.t.Cleanup(func() {
		log, _ := os.ReadFile(l.log())
		if strings.Contains(string(log), "DATA RACE") || strings.Contains(string(log), "panic:") {
			l.t.Errorf("the lab has written:\n%s", log)
		}
		l.try("down", l.name)
	})
	return pid
}

func (l *lab) log() string { return "/run/uswitch/" + l.name + ".log" }

// chatty is two hosts of which one says something now and then.
var chatty = strings.Replace(resting, "  RED@:\n", "  RED@:\n    command: [sh, -c, 'echo begins; i=0; while :; do i=$$((i+1)); echo tick $$i; sleep 0.1; done']\n", 1)

func TestUpAndDown(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, chatty)
	pid := l.upInBackground()
	if session, _, err := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0); err != 0 || int(session) != pid {
		t.Errorf("the lab is in session %d: %v; want one of its own", session, err)
	}
	if info, err := os.Stat(l.log()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its log: %v %v", info, err)
	}
	contains(t, l.do("ls"), "NAME", "STATUS", "CONFIG FILES", l.name, "running(2)", l.file, strconv.Itoa(pid))
	contains(t, l.do("ls", "-o", "json"), fmt.Sprintf("%q: %q", "Name", l.name), `"Status": "running(2)"`, fmt.Sprintf("%q: %q", "ConfigFiles", l.file))
	if _, errs, status := l.try("up", "-d", l.file); status != 1 || !strings.Contains(errs, "is up already: process "+strconv.Itoa(pid)) {
		t.Errorf("a second up -d: status %d: %s", status, errs)
	}

	eventually(t, "the log has lines", func() bool { return strings.Contains(l.do("logs"), "tick 3") })
	if got := l.tell("logs", "-n", "1"); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "RED | tick ") {
		t.Errorf("the last line: %q", got)
	}
	if got := l.do("logs", l.ns("BLUE")); got != "" {
		t.Errorf("BLUE, which has no command, has written %q", got)
	}
	if _, errs, status := l.try("logs", "NOBODY"); status != 1 || !strings.Contains(errs, `host "NOBODY": there is no such host`) {
		t.Errorf("logs of nobody: status %d: %s", status, errs)
	}
	follow := beginCommand(t, l.uswitch("logs", "-f", "-n", "2"))
	eventually(t, "logs -f goes on", func() bool { return follow.stdout.count() > 5 })

	if !l.pings("RED", blueIP) {
		t.Error("RED does not reach BLUE")
	}
	l.do("down", l.file)
	if status := follow.wait(); status != 0 {
		t.Errorf("logs -f ends with status %d", status)
	}
	contains(t, follow.stderr.String(), "lab "+l.name+" is gone")
	if strings.Contains(l.do("ls"), l.name) {
		t.Error("ls shows a lab that is down")
	}
	if _, errs, status := l.try("down", l.name); status != 1 || !strings.Contains(errs, "is not up") {
		t.Errorf("down once more: status %d: %s", status, errs)
	}
}

func TestUpStays(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, strings.ReplaceAll(resting, "  RED@:\n", "  RED@:\n    command: 'true'\n"))
	if strings.Contains(l.do("run", "--trace=off", l.file), "stays up") {
		t.Fatal("the lab does not end with its command: this test tests nothing")
	}
	l.upInBackground()
	eventually(t, "its command has ended", func() bool { return strings.Contains(l.do("show", "hosts"), "ended with status 0") })
	if !l.pings("RED", blueIP) {
		t.Error("RED does not reach BLUE after its command has ended")
	}
	l.do("apply", l.file)
	if !l.pings("RED", blueIP) {
		t.Error("the lab does not outlive an apply of the same file")
	}
	l.do("down", l.name)
}

func TestUpFails(t *testing.T) {
	needs(t)
	t.Parallel()
	for _, test := range []struct {
		name, file string
		args       []string
		status     int
		want       string
	}{
		{"a wrong file", strings.ReplaceAll(resting, "ipv4_address", "ipv4"), nil, 1, "no such key"},
		{"no such namespace", strings.ReplaceAll(resting, "  BLUE@:\n", "  BLUE@:\n    x-uswitch: {netns: nosuch}\n"), nil, 1, "netns: namespace nosuch"},
		{"a name that is none", resting, []string{"--name", "a/b"}, 1, `lab name "a/b"`},
		{"a command of this machine", resting, []string{"--", "true"}, 2, "leave out -d"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, strings.Replace(test.file, "    x-uswitch: {passive: true}\n", "", 1))
			out, errs, status := l.try(append([]string{"up", "-d", l.file}, test.args...)...)
			if status != test.status || !strings.Contains(errs, test.want) || out != "" {
				t.Errorf("status %d: %s%s; want %d and %s", status, out, errs, test.status, test.want)
			}
		})
	}
}

func TestF60KilledInBackground(t *testing.T) {
	needs(t)
	t.Parallel()
	kills(t)
	l := newLab(t, chatty)
	pid := l.upInBackground()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone", func() bool { return syscall.Kill(pid, 0) != nil })
	if _, err := os.Stat("/run/netns/" + l.ns("RED")); err != nil {
		t.Fatal("a killed lab leaves nothing behind: this test tests nothing")
	}
	if _, errs, status := l.try("down", l.name); status != 1 || !strings.Contains(errs, "is not up") {
		t.Errorf("down: status %d: %s", status, errs)
	}
	if again := l.upInBackground(); again == pid || !l.pings("RED", blueIP) {
		t.Error("the next one does not work")
	}
	l.do("down", l.name)
}

func TestSideBySide(t *testing.T) {
	needs(t)
	t.Parallel()
	a, b := newLab(t, resting), newLab(t, strings.ReplaceAll(resting, "11.11.11.", "11.12.11."))
	a.upInBackground()
	b.upInBackground()
	list := a.do("ls")
	contains(t, list, a.name, b.name)
	if !a.pings("RED", blueIP) || !b.pings("RED", "11.12.11.3") {
		t.Error("a lab does not work beside the other")
	}
	for _, address := range []string{"11.12.11.1", "11.12.11.2"} {
		if a.pings("RED", address) {
			t.Errorf("RED reaches %s of the other lab", address)
		}
	}
	// A third one wants hosts of the first one's names.
	c := newLab(t, resting)
	c.write(strings.ReplaceAll(a.own(resting), a.name, c.name))
	_, errs, status := c.try("up", "-d", c.file)
	if status != 1 {
		t.Errorf("status %d", status)
	}
	contains(t, errs, "host "+a.ns("RED")+": ", "lab "+a.name)
	if !a.pings("RED", blueIP) {
		t.Error("the first lab does not work any more")
	}
	a.do("down", a.name)
	contains(t, b.do("ls"), b.name)
}

// TestBesideAStoppedLab: ps and ls ask labs side by side. One that does not answer is named, and the others are told of.
func TestBesideAStoppedLab(t *testing.T) {
	needs(t)
	t.Parallel()
	stopped, other := newLab(t, resting), newLab(t, strings.ReplaceAll(resting, "11.11.11.", "11.12.11."))
	pid := stopped.upInBackground()
	other.upInBackground()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) }) // before it is taken down
	for _, list := range []string{"ps", "ls"} {
		begun := time.Now()
		out, errs, status := other.try(list)
		if took := time.Since(begun); status != 0 || took > 10*time.Second { // a second is what is meant
			t.Errorf("%s: status %d after %v: %s", list, status, took, errs)
		}
		contains(t, out, other.name)
		contains(t, out+errs, stopped.name)
	}
}

// TestUpInterrupted: whoever gives up waiting for up -d leaves no lab behind that ls and down do not see, in whatever phase that
// happens.
func TestUpInterrupted(t *testing.T) {
	needs(t)
	t.Parallel()
	// The signal comes while there is, in turn, nothing yet, a namespace, and a socket.
	for name, phase := range map[string]func(l *lab) string{
		"at once":          func(*lab) string { return "/" },
		"with a namespace": func(l *lab) string { return "/run/netns/" + l.ns("RED") },
		"with its log":     (*lab).log,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, resting)
			up := beginCommand(t, l.uswitch("up", "-d", l.file))
			t.Cleanup(func() { l.try("down", l.name) })
			eventually(t, name, func() bool { _, err := os.Stat(phase(l)); return err == nil })
			up.signal(syscall.SIGINT)
			if up.wait() == 0 { // it was up before the signal came
				l.try("down", l.name)
			}
			eventually(t, "ls tells of it no more", func() bool { return !strings.Contains(l.do("ls"), l.name) })
			eventually(t, "there is no lab that ls does not tell of", func() bool {
				_, host := os.Stat("/run/netns/" + l.ns("RED"))
				_, log := os.Stat(l.log())
				return host != nil && log != nil && len(processesOf(t, l.name)) == 0
			})
		})
	}
}
