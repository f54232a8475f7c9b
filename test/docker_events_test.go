package test

import (
	"regexp"
	"strings"
	"testing"
)

// TestDockerEvents: docker events, top and stats, with real programs.
func TestDockerEvents(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	l.docker("run -d --name web@ --network br0 busybox sleep 300")
	for _, c := range []struct{ line, want string }{
		{"top web@", `^UID +PID +PPID +C +STIME +TTY +TIME +CMD\nroot +\d+ +\d+ .* sleep 300$`},
		{"top web@ -o pid,args", `^PID +COMMAND\n\d+ +.*sleep 300$`},
		{"stats --no-stream web@", `^CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS\n[0-9a-f]{12} +web +[\d.]+% +[\d.]+[KM]iB / [\d.]+GiB +[\d.]+% +[\d.]+k?B / [\d.]+k?B +-- +[1-9]$`},
		{"stats --no-stream --format {{.Name}}={{.PIDs}} web@", `^web=[1-9]$`},
	} {
		text, errs, status := l.tryDocker(c.line)
		if !regexp.MustCompile("(?s)"+c.want).MatchString(strings.TrimSpace(text)) || status != 0 {
			t.Errorf("docker %s: status %d:\n%s%s", c.line, status, text, errs)
		}
	}
	l.docker("stop -t 1 web@")
	told := l.docker("events --since 10m --until 0s")
	for i, want := range []string{"container create", "network connect", "container start", "container kill", "container die", "network disconnect", "container stop"} {
		_, rest, found := strings.Cut(told, want)
		if !found {
			t.Fatalf("%s (%d) is not in what follows of:\n%s", want, i, l.docker("events --since 10m --until 0s"))
		}
		told = rest
	}
	for line, says := range map[string]string{"events --since yesterday": "failed to parse value as time or duration", "top web@": "is not running", "top nosuch": "No such container: nosuch",
		"events --filter colour=red --until 0s": "invalid filter"} {
		if text, errs, status := l.tryDocker(line); status == 0 || !strings.Contains(text+errs, says) {
			t.Errorf("docker %s: status %d: %s%s", line, status, text, errs)
		}
	}
}
