package world_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
)

// written takes the output of all hosts, with their names.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) host(name string) io.WriteCloser { return &hostOutput{w, name} }

type hostOutput struct {
	w    *written
	name string
}

func (h *hostOutput) Write(b []byte) (int, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	h.w.text.WriteString(h.name + ":" + string(b))
	return len(b), nil
}

func (*hostOutput) Close() error { return nil }

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func lines(services, more string) string {
	return "name: w\nnetworks: {br0: {}}\nservices:\n" + services + "x-uswitch: {uplink: none" + more + "}\n"
}

func TestRun(t *testing.T) {
	for name, c := range map[string]struct {
		services string
		status   int
		output   string // in this order
		reports  string
	}{
		"ends with its commands": {"  A: {command: [sh, -c, echo hello]}\n", 0, "A:hello\n", "A: ended with status 0"},
		"the first failure counts": {"  A: {command: [sh, -c, exit 3]}\n  B: {command: [sh, -c, 'sleep 0.3; exit 4']}\n", 3, "",
			"B: ended with status 4"},
		"passive hosts are stopped": {"  A: {command: [sh, -c, 'sleep 0.1; exit 5']}\n  B: {command: sleep 1000, x-uswitch: {passive: true}}\n", 5, "",
			"A: ended with status 5"},
		"what depends on success waits for it": {`  A: {command: [sh, -c, echo a]}
  B: {command: [sh, -c, echo b], depends_on: {A: {condition: service_completed_successfully}}}
`, 0, "A:a\nB:b\n", "B: ended with status 0"},
		"what depends on success that does not come": {`  A: {command: [sh, -c, exit 6]}
  B: {command: [sh, -c, echo b], depends_on: {A: {condition: service_completed_successfully}}}
`, 6, "", "B: not started: A, which it waits for, ended with status 6"},
		"a program that is not there":   {"  A: {command: no-such-program}\n", 127, "", "A: no program no-such-program on this machine's PATH"},
		"a directory that is not there": {"  A: {command: 'true', working_dir: /no/such}\n", 126, "", "A: working directory /no/such: no such file or directory"},
		"a directory that is a file":    {"  A: {command: 'true', working_dir: /dev/null}\n", 126, "", "A: working directory /dev/null: not a directory"},
		"knows where it is":             {"  A: {command: [sh, -c, 'echo $$USWITCH_LAB $$USWITCH_HOST $$X'], environment: {X: y}}\n", 0, "A:w A y\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := &written{}
			w, r := upWith(t, lines(c.services, ""), &worldtest.Host{}, out.host)
			status, complete := w.Run(context.Background())
			if status != c.status || !complete {
				t.Errorf("status %d, complete %v, want %d", status, complete, c.status)
			}
			if out.String() != c.output || !strings.Contains(r.String(), c.reports) {
				t.Errorf("output %q, want %q; reports %q, want %q", out, c.output, r, c.reports)
			}
		})
	}
}

func TestRunIsStopped(t *testing.T) {
	t.Parallel()
	out := &written{}
	w, _ := upWith(t, lines("  A: {command: [sh, -c, 'sleep 1000 & echo ready; wait']}\n  B: {command: 'true'}\n", ", keep_up: true"), &worldtest.Host{}, out.host)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan bool)
	go func() {
		_, complete := w.Run(ctx)
		ended <- complete
	}()
	eventually(t, "A runs", func() bool { return strings.Contains(out.String(), "ready") })
	eventually(t, "B has ended", func() bool {
		state, _, _ := w.Host("B").Service()
		return state == world.Ended
	})
	if state, pid, _ := w.Host("A").Service(); state != world.Running || pid == 0 {
		t.Errorf("A is %s, process %d", state, pid)
	}
	cancel()
	select {
	case complete := <-ended:
		if complete {
			t.Error("a run that was stopped says that it was complete")
		}
	case <-time.After(2 * world.Patience):
		t.Fatal("the run does not end")
	}
}

func TestRunSaysWhomItWaitsFor(t *testing.T) {
	t.Parallel()
	out := &written{}
	w, r := upWith(t, lines("  A: {command: [sh, -c, 'trap \"\" TERM; echo ready; sleep 1000']}\n", ", keep_up: true"), &worldtest.Host{}, out.host)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(ctx)
	}()
	eventually(t, "A runs", func() bool { return strings.Contains(out.String(), "ready") })
	cancel()
	eventually(t, "it is said", func() bool { return strings.Contains(r.String(), "waiting for the command of A to end") })
	<-ended
}
