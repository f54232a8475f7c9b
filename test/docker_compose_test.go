package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// composeProject is three services, of which one ends, one serves, and one is of two containers.
const composeProject = `
name: NAME
services:
  web: {image: nginx, ports: ["127.0.0.1::80"], networks: {front: {aliases: [www]}}}
  app: {image: busybox, command: sleep 1000, scale: 2, networks: [front, back], depends_on: [web], links: ["web:page"],
        environment: {A: "${WORD}"}, sysctls: {net.ipv4.ip_default_ttl: 77}}
  job: {image: busybox, command: ["sh", "-c", "echo done; echo late >&2"], depends_on: {app: {condition: service_started}}}
networks:
  front: {}
  back: {internal: true}
`

// TestDockerCompose brings a project up in the lab that is there, looks at it, changes it, and takes it down: nothing is left.
func TestDockerCompose(t *testing.T) {
	needs(t, "curl")
	t.Parallel()
	l := startDocker(t)
	project, shown := strings.ToLower(l.ns("p")), "p" // what is printed comes without the test's suffix
	dir := t.TempDir()
	file := filepath.Join(dir, "compose.yaml")
	for name, text := range map[string]string{file: strings.Replace(composeProject, "NAME", project, 1), filepath.Join(dir, ".env"): "WORD=from-env\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	compose := func(line string) string {
		t.Helper()
		out, errs, status := l.tryDocker("compose -f " + file + " " + line)
		if status != 0 {
			t.Fatalf("compose %s: status %d: %s%s", line, status, out, errs)
		}
		return out
	}
	networks := l.docker("network ls -q")

	compose("up -d")
	contains(t, compose("ps"), shown+"-web-1", shown+"-app-1", shown+"-app-2", "127.0.0.1:")
	contains(t, compose("ps -a"), shown+"-job-1")
	contains(t, compose("logs job"), "job-1  | done\n")
	contains(t, l.docker("network ls"), shown+"_front", shown+"_back", shown+"_default")
	for _, name := range []string{"web", "www", "page", project + "-web-1"} {
		if text := compose("exec app getent hosts " + name); text == "" {
			t.Errorf("app does not find %s", name)
		}
	}
	contains(t, compose("exec --index 2 app cat /proc/sys/net/ipv4/ip_default_ttl"), "77")
	contains(t, compose("exec app env"), "A=from-env\n")
	contains(t, compose("exec app curl -s --retry 5 --retry-all-errors -m 5 http://page/"), "Hello from")
	contains(t, compose("config"), "A: from-env", "name: "+shown+"_front")

	// Once more: nothing is made anew but what has another configuration.
	ids := compose("ps -q")
	compose("up -d")
	if again := compose("ps -q"); again != ids {
		t.Errorf("a second up has made containers anew: %s, before %s", again, ids)
	}
	compose("up -d --scale app=1")
	if text := compose("ps"); strings.Contains(text, "app-2") {
		t.Errorf("app-2 is still there:\n%s", text)
	}
	if out, errs, status := l.tryDocker("compose -f " + file + " exec nobody true"); status != 1 || !strings.Contains(errs, "no such service: nobody") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}

	compose("down")
	if text := compose("ps -aq") + strings.TrimPrefix(l.docker("network ls -q"), networks); text != "" {
		t.Errorf("left: %s", text)
	}
}

// TestDockerComposeExternal: a network that is somebody else's is found, and stays; where there is none, nothing begins.
func TestDockerComposeExternal(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startDocker(t)
	project := strings.ToLower(l.ns("x"))
	file := filepath.Join(t.TempDir(), "compose.yaml")
	text := "name: " + project + "\nservices: {web: {image: busybox, command: sleep 1000, networks: [n]}}\nnetworks: {n: {external: true, name: " + project + "-n}}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, errs, status := l.tryDocker("compose -f " + file + " up -d"); status != 1 ||
		!strings.Contains(errs, "network x-n declared as external, but could not be found") {
		t.Errorf("status %d: %s", status, errs)
	}
	l.docker("network create " + project + "-n")
	l.docker("compose -f " + file + " up -d")
	contains(t, l.docker("network inspect "+project+"-n"), "x-web-1")
	l.docker("compose -f " + file + " down")
	contains(t, l.docker("network ls"), "x-n")
	l.docker("network rm " + project + "-n")
}
