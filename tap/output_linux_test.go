package tap_test

import (
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"uswitch/tap"
)

// slow is a reader that takes its time for each piece.
type slow struct{ bytes.Buffer }

func (s *slow) Write(b []byte) (int, error) {
	time.Sleep(60 * time.Millisecond)
	return s.Buffer.Write(b)
}

// runHere runs a command whose output is waited for no longer than a moment after its end.
func runHere(t *testing.T, out *slow, argv ...string) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, 100*time.Millisecond
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process, err := tap.StartHere(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if status := process.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	<-process.Ended()
}

// TestOutputIsWhole: the end of the output comes, however slowly it is read.
func TestOutputIsWhole(t *testing.T) {
	t.Parallel()
	var out slow
	runHere(t, &out, "seq", "1", "50000")
	if n := strings.Count(out.String(), "\n"); n != 50000 || !strings.HasSuffix(out.String(), "\n50000\n") {
		t.Errorf("%d lines of 50000", n)
	}
}

// TestOutputEnds: who holds the other end after the program's end, and is none of its group, does not keep it open, be he
// silent or loud.
func TestOutputEnds(t *testing.T) {
	t.Parallel()
	for _, left := range []string{"sleep 1000", "yes"} {
		var out slow
		runHere(t, &out, "setsid", "--fork", "sh", "-c", "echo $$ said; exec "+left)
		pid, _, ok := strings.Cut(out.String(), " said\n")
		if !ok {
			t.Errorf("%.100q", out.String())
			continue
		}
		_ = exec.Command("kill", "-9", pid).Run() // unless the closed pipe has ended it
	}
}
