package session

import (
	"os"
	"strings"
	"testing"
)

// TestLogBeginsAnew: a log that has become too long is emptied, and says so in its first line, each time.
func TestLogBeginsAnew(t *testing.T) {
	l, err := openedLog(t)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 1<<20-1) + "\n"
	for _, want := range []string{"x", "x", "x", "x", "uswitch: this log begins anew at 4 MiB, here for time 1:", "uswitch: this log", "uswitch: this log", "uswitch: this log",
		"uswitch: this log begins anew at 4 MiB, here for time 2:"} {
		n, err := l.WriteString(line)
		if err != nil {
			t.Fatal(err)
		}
		l.grow(n)
		text, err := os.ReadFile(l.Name())
		if err != nil || !strings.HasPrefix(string(text), want) {
			t.Fatalf("%v: the log begins with %.80q, want %q", err, text, want)
		}
		if len(text) > maxLog+len(line) {
			t.Errorf("the log has %d bytes", len(text))
		}
	}
}

func openedLog(t *testing.T) (*logFile, error) {
	file, err := os.OpenFile(t.TempDir()+"/lab.log", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	t.Cleanup(func() { file.Close() })
	return &logFile{File: file}, err
}
