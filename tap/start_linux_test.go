package tap_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"uswitch/tap"
)

// run runs a shell line in a namespace and returns what it prints.
func run(t *testing.T, host tap.Host, ns tap.Namespace, line string) string {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.Command("sh", "-c", line)
	cmd.Stdout, cmd.Stderr = &output, &output
	process, err := host.Start(ns, cmd)
	if err != nil {
		t.Fatal(err)
	}
	if status := process.Wait(); status != 0 {
		t.Errorf("%s: status %d: %s", line, status, output.String())
	}
	return strings.TrimSpace(output.String())
}

func TestStart(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	open(t, host, ns, quietly("11.11.11.2/24"))
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, line, want string }{
		{"namespace", "readlink /proc/self/ns/net", ns.ID.String()},
		{"devices under /sys", "echo $(ls /sys/class/net)", "eth0 lo"},
		{"file descriptors", "ls -l /proc/self/fd | grep -c tun || true", "0"},
		{"working directory", "pwd", mustGetwd(t)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := run(t, host, ns, test.line); got != test.want {
				t.Errorf("%s: %q, want %q", test.line, got, test.want)
			}
		})
	}
	if after, _ := os.ReadFile("/proc/self/mountinfo"); !bytes.Equal(mountsOf(after), mountsOf(mounts)) {
		t.Errorf("the machine's /sys has changed:\n%s\nwas\n%s", after, mounts)
	}
}

// TestStartStatus looks at ends other than success.
func TestStartStatus(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	cmd := exec.Command("sh", "-c", "exit 7")
	if _, err := host.Start(ns, cmd); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("exit status: %v, want 7", err)
	}
	cmd = exec.Command("sleep", "1000")
	if _, err := host.Start(ns, cmd); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("ended by %v, want SIGTERM", err)
	}
	if _, err := host.Start(ns, exec.Command("/does/not/exist")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that does not exist: %v", err)
	}
	gone := ns
	gone.ID.Cookie++
	if _, err := host.Start(gone, exec.Command("true")); !errors.Is(err, tap.ErrReplaced) {
		t.Errorf("another namespace: %v, want ErrReplaced", err)
	}
}

// TestChildrenInheritNoTAP forks while TAPs are being opened; Go's own way to start a program is tried, as everybody in
// the process may use it.
func TestChildrenInheritNoTAP(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			cfg := quietly()
			cfg.Name = "eth" + string(rune('a'+i))
			device, err := host.Open(ns, cfg)
			if err != nil {
				t.Error(err)
				return
			}
			defer device.Close()
		})
		all.Go(func() {
			output, err := exec.Command("ls", "-l", "/proc/self/fd").CombinedOutput()
			if err != nil || strings.Contains(string(output), "tun") {
				t.Errorf("a child has (%v):\n%s", err, output)
			}
		})
	}
	all.Wait()
}

func mustGetwd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// mountsOf returns the lines of a mountinfo that are about /sys itself.
func mountsOf(mountinfo []byte) (lines []byte) {
	for line := range bytes.Lines(mountinfo) {
		if fields := bytes.Fields(line); string(fields[4]) == "/sys" {
			lines = append(lines, line...)
		}
	}
	return lines
}
