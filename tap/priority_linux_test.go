package tap

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// niceOf runs a program that tells its own nice value. start returns what waits for its end.
func niceOf(t *testing.T, start func(*exec.Cmd) (wait func(), err error)) string {
	t.Helper()
	var out strings.Builder
	cmd := exec.Command("nice")
	cmd.Stdout = &out
	wait, err := start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	wait()
	return strings.TrimSpace(out.String())
}

// TestPrecede: every thread goes ahead, those made later too, and no program that is started. The priority is the whole process's,
// so that a process of its own is needed to try it: this test binary again.
func TestPrecede(t *testing.T) {
	if os.Getenv("USWITCH_PRECEDE") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPrecede$", "-test.v")
		cmd.Env = append(os.Environ(), "USWITCH_PRECEDE=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(string(out), "--- SKIP") {
			t.Skip(string(out))
		}
		return
	}
	if !Precede() {
		t.Skip("it needs CAP_SYS_NICE, and to have been started with a nice value of 0")
	}
	if Precede() {
		t.Error("it went ahead twice")
	}
	for range 20 { // threads of their own, all at the same time
		go func() { runtime.LockOSThread(); select {} }()
	}
	runtime.Gosched()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		id, _ := strconv.Atoi(thread.Name())
		if nice, err := niceValue(id); err == nil && nice != -ahead {
			t.Errorf("thread %d has %d, want %d", id, nice, -ahead)
		}
	}
	behind := func(cmd *exec.Cmd) (func(), error) { return func() { _ = cmd.Wait() }, StartBehind(cmd) }
	if got := niceOf(t, behind); got != "0" {
		t.Errorf("a program that was started behind has %s", got)
	}
	here := func(cmd *exec.Cmd) (func(), error) {
		p, err := StartHere(cmd)
		return func() { p.Wait() }, err
	}
	if got := niceOf(t, here); got != "0" {
		t.Errorf("a program of a lab has %s", got)
	}
}
