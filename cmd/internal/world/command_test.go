package world_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
)

// texts returns what a host has written, as far as it is remembered.
func texts(w *world.World, hosts ...string) (all []string) {
	lines, _ := w.Log(0, hosts...)
	for _, l := range lines {
		all = append(all, l.Host+": "+l.Text)
	}
	return all
}

// TestStartStop runs a command again and again: each time is another process, and the log goes on.
func TestStartStop(t *testing.T) {
	t.Parallel()
	out := &written{}
	w, r := upWith(t, lines("  A: {command: [sh, -c, 'echo hello; exec sleep 1000']}\n  B: {}\n", ""), &worldtest.Host{}, out.host)
	last := 0
	for n := range 3 {
		if err := w.StartHost("A"); err != nil {
			t.Fatal(err)
		}
		state, pid, _ := w.Host("A").Service()
		if state != world.Running || pid == last {
			t.Errorf("A is %s, process %d, and was %d", state, pid, last)
		}
		last = pid
		if err := w.StartHost("A"); err == nil || !strings.Contains(err.Error(), "runs already, as process") {
			t.Errorf("started twice: %v", err)
		}
		eventually(t, "it has written", func() bool { return len(texts(w, "A")) == n+1 })
		if status, err := w.StopHost("A", time.Second); status != 143 || err != nil {
			t.Errorf("stopped: status %d, %v", status, err)
		}
		if status, err := w.StopHost("A", time.Second); status != 143 || err != nil {
			t.Errorf("stopped twice: status %d, %v", status, err)
		}
	}
	if err := w.RestartHost("A", time.Second); err != nil {
		t.Error(err)
	}
	eventually(t, "it has written once more", func() bool { return strings.Count(out.String(), "A:hello\n") == 4 })
	if strings.Contains(r.String(), "ended with status") {
		t.Errorf("an end that was asked for is told: %s", r)
	}
	for name, err := range map[string]error{
		"host B has no command":               w.StartHost("B"),
		`host "C": there is no such host`:     w.StartHost("C"),
		`host "D": there is no such host; th`: w.RestartHost("D", 0),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	if _, err := w.StopHost("B", 0); err == nil {
		t.Error("B, which has no command, can be stopped")
	}
}

// TestStopBeforeStart ends what waits for another host: it does not start any more, and then it does when asked to.
func TestStopBeforeStart(t *testing.T) {
	t.Parallel()
	w, _ := up(t, lines(`  A: {command: [sh, -c, 'exec sleep 1000']}
  B: {command: 'true', depends_on: {A: {condition: service_completed_successfully}}}
`, ""), &worldtest.Host{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(ctx)
	}()
	eventually(t, "A runs", func() bool { state, _, _ := w.Host("A").Service(); return state == world.Running })
	if _, err := w.StopHost("B", 0); err != nil {
		t.Error(err)
	}
	if state, _, _ := w.Host("B").Service(); state != world.Ended {
		t.Errorf("B is %s", state)
	}
	if err := w.StartHost("B"); err != nil {
		t.Errorf("B, asked to start: %v", err)
	}
	cancel()
	<-ended
	if err := w.StartHost("B"); err == nil || !strings.Contains(err.Error(), "lab w is not up") {
		t.Errorf("a start after the end: %v", err)
	}
}

// TestRunCountsWhoCame adds a host whose command takes longer, and restarts the only one of the plan: neither is the end.
func TestRunCountsWhoCame(t *testing.T) {
	t.Parallel()
	w, _ := up(t, lines("  A: {command: [sh, -c, 'exec sleep 1000']}\n", ""), &worldtest.Host{})
	type end struct {
		status   int
		complete bool
	}
	over := make(chan end, 1)
	go func() {
		status, complete := w.Run(context.Background())
		over <- end{status, complete}
	}()
	eventually(t, "A runs", func() bool { state, _, _ := w.Host("A").Service(); return state == world.Running })
	if err := w.RestartHost("A", time.Second); err != nil {
		t.Fatal(err)
	}
	err := w.AddHost(t.Context(), plan.Host{Name: "B", Command: []string{"sh", "-c", "read x; exit 7"}, Interfaces: []plan.Interface{{Network: "br0"}}})
	if err == nil {
		_, err = w.StopHost("A", time.Second)
	}
	if err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-over:
		t.Fatalf("it is over, with %+v, and B has not even started", got)
	case <-time.After(50 * time.Millisecond): // it can only be too early, never too late
	}
	if err := w.StartHost("B"); err != nil {
		t.Fatal(err)
	}
	if got := <-over; got.status != 7 || !got.complete {
		t.Errorf("it is over with %+v", got)
	}
}

// TestLogIsBounded writes more than is remembered: the last lines are there.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	w, _ := up(t, lines("  A: {command: [sh, -c, 'yes 0123456789012345678901234567890123456789 | head -n 20000; echo last; printf open']}\n  B: {command: [echo, b]}\n", ""), &worldtest.Host{})
	if status, complete := w.Run(context.Background()); status != 0 || !complete {
		t.Fatalf("status %d, %v", status, complete)
	}
	all := texts(w)
	if n := len(texts(w, "A")); n < 1000 || n > 10000 {
		t.Errorf("%d of 20,000 lines are remembered", n)
	}
	a := texts(w, "A")
	if a[len(a)-1] != "A: open" || a[len(a)-2] != "A: last" || len(all) != len(a)+1 {
		t.Errorf("the last lines are %q, and there are %d of %d", a[len(a)-2:], len(a), len(all))
	}
	lines, more := w.Log(0)
	if _, again := w.Log(lines[len(lines)-1].Number); again != more {
		t.Error("who waits for the next line has to ask anew, though there was none")
	}
	if rest, _ := w.Log(lines[len(lines)-1].Number - 1); len(rest) != 1 {
		t.Errorf("%d lines behind the last but one", len(rest))
	}
}

// TestLogGaps: who reads a log is told how many lines they missed, of which host, also when another host has the name.
func TestLogGaps(t *testing.T) {
	t.Parallel()
	gaps := world.LogGaps{}
	for _, test := range []struct {
		host          string
		ordinal, want uint64
	}{
		{"A", 1, 0}, {"A", 2, 0}, {"B", 4, 3}, {"A", 5, 2}, {"B", 5, 0}, {"A", 2, 1}, {"A", 3, 0},
	} {
		lines := []world.LogLine{{Host: test.host, Ordinal: test.ordinal}}
		if gaps.Mark(lines); lines[0].Lost != test.want {
			t.Errorf("%+v: %d lost", test, lines[0].Lost)
		}
	}
}
