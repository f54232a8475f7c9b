package test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// uswitch returns a call of the program that acts on the lab.
func (l *lab) uswitch(args ...string) *exec.Cmd {
	cmd := exec.Command(uswitch, args...)
	cmd.Env = append(os.Environ(), "USWITCH_LAB="+l.name)
	return cmd
}

// try runs uswitch and returns what it wrote, and its status.
func (l *lab) try(args ...string) (stdout, stderr string, status int) {
	l.t.Helper()
	var out, errs bytes.Buffer
	cmd := l.uswitch(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatalf("uswitch %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// do runs uswitch, which must succeed, and returns what it wrote to its standard output.
func (l *lab) do(args ...string) string {
	l.t.Helper()
	out, errs, status := l.try(args...)
	if status != 0 {
		l.t.Fatalf("uswitch %s: status %d\n%s%s", strings.Join(args, " "), status, out, errs)
	}
	return out
}

// up runs the lab, with options of its own, and waits until it answers.
func (l *lab) up(args ...string) {
	l.t.Helper()
	l.process = begin(l.t, append([]string{uswitch, "run", l.file}, args...)...)
	l.t.Cleanup(l.stop)
	eventually(l.t, "the lab is up", func() bool {
		_, _, status := l.try("show", "hosts")
		return status == 0
	})
}

// contains reports each of the texts that is not in s.
func contains(t *testing.T, s string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s, text) {
			t.Errorf("want %q in:\n%s", text, s)
		}
	}
}
