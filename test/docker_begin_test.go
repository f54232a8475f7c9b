package test

import (
	"os"
	"strings"
	"testing"
)

// TestDockerBegins: without a lab there is a machine with Docker on it all the same, and the first container begins it.
func TestDockerBegins(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, dockerLabFile)
	t.Cleanup(func() { l.try("down", l.name) })

	contains(t, l.docker("network ls"), " bridge    bridge    local\n", " host      host      local\n", " none      null      local\n")
	bridge := l.docker("network inspect bridge")
	contains(t, bridge, `"com.docker.network.bridge.name": "docker0"`, `"Containers": {}`)
	if ps := l.docker("ps -a"); strings.Count(ps, "\n") != 1 {
		t.Errorf("containers of nobody:\n%s", ps)
	}
	for line, want := range map[string]string{"stop web@": "No such container: web", "network rm front@": "network front not found", "inspect web@": "No such object: web"} {
		if _, errs, status := l.tryDocker(line); status != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, %s", line, status, errs)
		}
	}
	if _, err := os.Stat(l.socket()); err == nil {
		t.Fatal("a question has begun a lab")
	}

	out, errs, status := l.tryDocker("run -d --name web@ nginx")
	if status != 0 || len(strings.TrimSpace(out)) != 64 || !strings.Contains(errs, "is up, in the background") {
		t.Fatalf("status %d, %q, %q", status, out, errs)
	}
	if _, errs, _ := l.tryDocker("run --rm busybox true"); strings.Count(errs, "\n") != 1 {
		t.Errorf("the second one says more than that no image is used: %s", errs)
	}
	contains(t, l.docker("ps"), "web\n")
	if again := l.docker("network inspect -f {{.Id}} bridge"); !strings.Contains(bridge, strings.TrimSpace(again)) {
		t.Errorf("network bridge has another id now: %s", again)
	}
	l.do("down", l.name)
	if ps := l.docker("ps -aq"); ps != "" {
		t.Errorf("left: %s", ps)
	}
}
