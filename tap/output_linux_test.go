package tap_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
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

// TestOutputComesLate: what a program has written before its end is all copied, also by who comes to it only afterwards, when
// no time is left, while somebody else holds the other end.
func TestOutputComesLate(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	close(ended)
	for _, grace := range []time.Duration{0, 1, time.Millisecond} {
		near, far, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Repeat("0123456789abcde\n", 4000)
		if _, err := far.WriteString(want); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		tap.CopyOutput(&out, near, ended, grace)
		if out.String() != want {
			t.Errorf("grace %v: %d bytes of %d", grace, out.Len(), len(want))
		}
		far.Close()
		near.Close()
	}
}

// TestOutputEnds: who holds the other end after the program's end, and is none of its group, does not keep it open, be he
// silent or loud.
func TestOutputEnds(t *testing.T) {
	t.Parallel()
	for _, left := range []string{"sleep 1000", "yes"} {
		var out slow
		fifo := filepath.Join(t.TempDir(), "left")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		runHere(t, &out, "sh", "-c", `setsid --fork sh -c 'echo $$ said; echo > "$0"; exec `+left+`' "$0"; read at < "$0"`, fifo)
		pid, _, ok := strings.Cut(out.String(), " said\n")
		if !ok {
			t.Errorf("%.100q", out.String())
			continue
		}
		_ = exec.Command("kill", "-9", pid).Run() // unless the closed pipe has ended it
	}
}
