package test

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestEveryWayDown(t *testing.T) {
	t.Parallel()
	needs(t)
	for name, end := range map[string]func(*lab){
		"stop":    func(l *lab) { l.do("stop") },
		"SIGINT":  func(l *lab) { l.signal(syscall.SIGINT) },
		"SIGTERM": func(l *lab) { l.signal(syscall.SIGTERM) },
		"SIGHUP":  func(l *lab) { l.signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, resting)
			l.up()
			if _, errs, status := l.try("run", l.file); status != 1 || !strings.Contains(errs, "is up already: process") {
				t.Errorf("a second run: status %d, %s", status, errs)
			}
			end(l)
			if status := l.wait(); status != 0 {
				t.Errorf("the run ends with status %d\n%s", status, l.stderr)
			}
		})
	}
}

func TestInterruptedCommands(t *testing.T) {
	t.Parallel()
	needs(t)
	l := newLab(t, stubborn)
	l.up("--trace", "off")
	eventually(t, "RED runs", func() bool { return strings.Contains(l.stdout.String(), "ready") })
	l.signal(syscall.SIGTERM)
	if status := l.wait(); status != 143 {
		t.Errorf("status %d, want 143: its commands had not ended\n%s", status, l.stderr.String())
	}
}

func TestAfterKill(t *testing.T) {
	t.Parallel()
	needs(t)
	for name, clean := range map[string]func(*lab){
		"the next run":    func(l *lab) { l.do("run", "--trace", "off", l.file, "--", "true") },
		"uswitch cleanup": func(l *lab) { contains(l.t, l.do("cleanup"), l.ns("RED"), l.ns("BLUE")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kills(t)
			l := newLab(t, resting)
			l.up()
			l.kill()
			if _, err := os.Stat("/run/netns/" + l.ns("RED")); err != nil {
				t.Fatal("a killed lab leaves nothing behind: this test tests nothing")
			}
			clean(l)
		})
	}
}
