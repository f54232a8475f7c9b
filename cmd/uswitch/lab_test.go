package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Helpers of the end-to-end tests: the built command, labs with names of their own, and programs that others wrote.

// uswitch is the command, built once, with the race detector if the tests have it.
var uswitch = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "uswitch-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "uswitch")
	out, err := exec.Command("go", "build", "-o", path, "uswitch/cmd/uswitch").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if path, err := uswitch(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// need skips a test that something is missing for, which in CI is a failure.
func need(t *testing.T, programs ...string) {
	t.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "root"
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = p
		}
	}
	if missing == "" {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("missing: %s", missing)
	}
	t.Skipf("missing: %s", missing)
}

// lab is a lab on its own names: its hosts are RED and BLUE with a suffix that nobody else has.
type lab struct {
	t           *testing.T
	name        string
	red, blue   string
	file        string
	out, errors buffer
	cmd         *exec.Cmd
}

var count int

// newLab writes a lab file from a template, in which RED, BLUE and LAB stand for the lab's own names.
func newLab(t *testing.T, template string) *lab {
	t.Helper()
	count++
	id := fmt.Sprintf("%d-%d", os.Getpid(), count)
	l := &lab{t: t, name: "test-" + id, red: "RED-" + id, blue: "BLUE-" + id, file: filepath.Join(t.TempDir(), "lab.yaml")}
	text := strings.NewReplacer("RED", l.red, "BLUE", l.blue, "LAB", l.name).Replace(template)
	if err := os.WriteFile(l.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

// command returns a call of uswitch that acts on the lab; it ends with the test.
func (l *lab) command(args ...string) *exec.Cmd {
	l.t.Helper()
	path, err := uswitch()
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	l.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "USWITCH_LAB="+l.name)
	return cmd
}

// try runs uswitch and returns what it printed, and its status.
func (l *lab) try(args ...string) (stdout, stderr string, status int) {
	l.t.Helper()
	var out, errs bytes.Buffer
	cmd := l.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatalf("uswitch %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// do runs uswitch, which must succeed, and returns its output.
func (l *lab) do(args ...string) string {
	l.t.Helper()
	out, errs, status := l.try(args...)
	if status != 0 {
		l.t.Fatalf("uswitch %s: status %d\n%s%s", strings.Join(args, " "), status, out, errs)
	}
	return out
}

// up runs the lab in the background and waits until it answers. What is left of it goes with the test.
func (l *lab) up(args ...string) {
	l.t.Helper()
	l.cmd = l.command(append([]string{"run", l.file}, args...)...)
	l.cmd.Stdout, l.cmd.Stderr = &l.out, &l.errors
	if err := l.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		if l.cmd.ProcessState == nil {
			_ = l.cmd.Process.Signal(os.Interrupt)
			_ = l.cmd.Wait()
		}
	})
	l.eventually("the lab is up", func() bool {
		_, _, status := l.try("show", "hosts")
		return status == 0
	})
}

// eventually waits until something is so.
func (l *lab) eventually(what string, is func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("still not: %s\n%s%s", what, l.out.String(), l.errors.String())
		}
	}
}

// leftovers lists what is there of the lab: namespaces, records, socket and lock.
func (l *lab) leftovers() (found []string) {
	for _, pattern := range []string{"/run/netns/" + l.red, "/run/netns/" + l.blue, "/run/uswitch/" + l.name + "*"} {
		paths, _ := filepath.Glob(pattern)
		found = append(found, paths...)
	}
	return found
}

func (l *lab) wantNothingLeft() {
	l.t.Helper()
	if found := l.leftovers(); len(found) > 0 {
		l.t.Errorf("left behind: %v", found)
	}
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

// buffer may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var _ io.Writer = (*buffer)(nil)
