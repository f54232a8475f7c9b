//go:build dockercommand

package test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// theirs runs the docker command itself on the lab.
func (l *lab) theirs(line string) (text string, status int) {
	l.t.Helper()
	cmd := exec.Command("docker", strings.Fields(l.own(line))...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+l.socket(), "DOCKER_CONFIG="+l.t.TempDir())
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		l.t.Fatal(err)
	}
	return strings.ReplaceAll(string(out), l.suffix, ""), cmd.ProcessState.ExitCode()
}

// TestDockerItself: the docker command takes a lab for its daemon, and prints what uswitch docker prints.
func TestDockerItself(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startDocker(t)
	do := func(line, want string) {
		t.Helper()
		if text, status := l.theirs(line); status != 0 || !strings.Contains(text, want) {
			t.Errorf("docker %s: status %d\n%s\nwant %q", line, status, text, want)
		}
	}
	do("network create front", "")
	do("run -d --name web@ --network front nginx", "WARNING: image nginx is not used")
	do("run -d --name db@ busybox sleep 1000", "")
	do("network connect bridge web@", "")
	do("exec web@ ip -br addr", "172.18.0.2/16")
	do("run --rm --network front busybox ping -c 1 web@", "ttl=64")
	do("logs web@", "serving on port 80")
	for _, line := range []string{"ps --format {{.ID}}|{{.Image}}|{{.Command}}|{{.Ports}}|{{.Names}}|{{.State}}", "ps --no-trunc -q", "network ls", "network inspect bridge front", "inspect web@ db@",
		"port web@", "inspect -f {{json.NetworkSettings.Ports}} web@", "network ls --format {{.Name}}={{.Driver}}"} {
		theirs, status := l.theirs(line)
		ours, _, _ := l.tryDocker(line)
		if status == 0 && theirs != ours {
			t.Errorf("docker %s\ngot\n%s\nwant\n%s", line, ours, theirs)
		}
	}
	// What is refused is refused in the same words, with the same status.
	for _, line := range []string{"rm web@", "rm nobody@", "network rm front", "network rm bridge", "network create front", "run --rm --name web@ busybox true",
		"run --rm --network nowhere busybox true", "run --rm --ip 172.17.0.9 busybox true", "run -p x:80 busybox true", "inspect nobody@", "stop nobody@",
		"network connect front web@", "network disconnect front db@", "run --rm --mac-address zz busybox true"} {
		theirs, theirStatus := l.theirs(line)
		out, errs, ourStatus := l.tryDocker(line)
		theirs = noHint(strings.ReplaceAll(theirs, "WARNING: image", "uswitch: image"))
		if ours := noHint(out + errs); ours != theirs || ourStatus != theirStatus {
			t.Errorf("docker %s: status %d, want %d\ngot\n%s\nwant\n%s", line, ourStatus, theirStatus, ours, theirs)
		}
	}
	do("stop web@ db@", "web\ndb\n")
	do("rm web@ db@", "web\ndb\n")
	do("network prune -f", "front")
}

// noHint leaves out where to look for help, which is not the same place, and the status that docker sometimes prints, too.
func noHint(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "Run '") && line != "exit status 1\n" && strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
