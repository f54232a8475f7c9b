package test

import (
	"fmt"
	"strings"
	"testing"
)

// Walkthrough W4: a lab's file beside docker run, and how the outside gets in.
//
//	one 172.17.0.2 --+-- docker0
//	two 172.17.0.3 --+
//	A   172.18.0.2 --+-- br-and-12-digits, the default network of the file
//	B   172.18.0.3 --+
const composeBesideDocker = `
name: lab@
services:
  A@: {}
  B@: {}
x-uswitch: {uplink: host}
`

func TestW4Docker(t *testing.T) {
	needs(t, "ss", "netstat")
	t.Parallel()
	l := startLab(t, composeBesideDocker) // 4.2: docker-compose up

	for _, name := range []string{"one", "two"} {
		l.docker("run -d --name " + name + "@ busybox sleep 300")
	}
	contains(t, l.do("ip", "addr", "show", "docker0"), "inet 172.17.0.1/16")
	if got := l.address("one", "bridge") + " " + l.address("two", "bridge"); got != "172.17.0.2 172.17.0.3" {
		t.Errorf("4.1: %s", got)
	}
	if show := l.do("brctl", "show", "docker0"); strings.Count(show, "veth") != 2 {
		t.Errorf("4.1:\n%s", show)
	}

	id := l.docker("network ls --no-trunc -q -f name=_default")
	bridge := "br-" + id[:12]
	contains(t, l.docker("network ls"), id[:12], "lab_default")
	contains(t, l.do("ip", "addr", "show", bridge), "inet 172.18.0.1/16")
	show := l.do("brctl", "show")
	contains(t, show, bridge+"\t\t8000.0242ac120001\tno\t\tveth", "docker0\t\t8000.0242ac110001\tno\t\tveth")
	if strings.Count(show, "veth") != 4 {
		t.Errorf("4.2:\n%s", show)
	}
	ps := l.docker("ps")
	contains(t, ps, "lab-A-1\n", "lab-B-1\n", "one\n", "two\n")

	n := l.stdout.count()
	if l.pings("A", "172.17.0.2") {
		t.Error("4.3: a container of the file reaches one of docker run")
	}
	drop := l.eventFrom(n, "4.3: a drop whose rule is named", func(e event) bool { return e.Verdict == "drop" && e.Before.Dst == "172.17.0.2" })
	contains(t, drop.Rule, "-j DROP")
}

// TestW4DockerPublish: row 4.4 to 4.6 with docker run.
func TestW4DockerPublish(t *testing.T) {
	needs(t, "ss", "netstat")
	t.Parallel()
	l := startDocker(t)
	l.docker("run -d --name one@ busybox sleep 300")
	l.docker("run -d --name two@ busybox sleep 300")
	port := freePort(t)
	l.docker(fmt.Sprintf("container run -d --name web@ -p %d:80 nginx", port))
	if got := l.address("web", "bridge"); got != "172.17.0.4" {
		t.Fatalf("4.4: web has %s", got)
	}
	listens := fmt.Sprintf(":%d ", port)
	contains(t, must(t, "ss", "-lnt"), listens)
	contains(t, must(t, "netstat", "-nlp"), listens)
	contains(t, l.do("ss", "-lnt"), fmt.Sprintf("0.0.0.0:%d", port))
	contains(t, l.docker("ps"), fmt.Sprintf("0.0.0.0:%d->80/tcp", port))
	if got, want := l.docker("port web@"), fmt.Sprintf("80/tcp -> 0.0.0.0:%d\n", port); got != want {
		t.Errorf("4.4: %q, want %q", got, want)
	}

	page := func(from, at string, argv ...string) {
		t.Helper()
		text := must(t, append(argv, "curl", "-sf", "-m", "10", "--retry", "5", "--retry-all-errors", "--retry-delay", "1", at)...)
		if !strings.Contains(strings.ReplaceAll(text, l.suffix, ""), "Hello from web at 172.17.0.4:80") {
			t.Errorf("4.5: from %s: %s", from, text)
		}
	}
	local := fmt.Sprintf("http://127.0.0.1:%d/", port)
	inside := fmt.Sprintf("http://172.17.0.1:%d/", port)
	page("the machine", local)
	page("another container", inside, l.in("one")...)
	n := l.stdout.count()
	page("itself", inside, l.in("web")...)
	l.eventFrom(n, "4.5: hairpin, with its own address masqueraded", func(e event) bool {
		return e.Hook == "postrouting" && e.Verdict == "rewrite" && e.Before.Src == "172.17.0.4" && e.Before.Dst == "172.17.0.4"
	})

	nat := strings.Join(strings.Fields(l.do("iptables", "-t", "nat", "-L", "-n")), " ")
	contains(t, nat, "ADDRTYPE match dst-type LOCAL", "!127.0.0.0/8", "MASQUERADE 0 -- 172.17.0.0/16 0.0.0.0/0",
		fmt.Sprintf("tcp dpt:%d to:172.17.0.4:80", port), "RETURN 0 -- 0.0.0.0/0 0.0.0.0/0")

	_, errs, status := l.tryDocker(fmt.Sprintf("run -d --name late@ -p %d:80 nginx", port))
	if status != 125 || !strings.Contains(errs, fmt.Sprintf("Bind for 0.0.0.0:%d failed: port is already allocated", port)) {
		t.Errorf("a port that is taken: status %d, %s", status, errs)
	}
	l.docker("rm late@")
	l.docker("rm -f web@")
	if text := must(t, "ss", "-lnt"); strings.Contains(text, listens) {
		t.Errorf("the port is still open:\n%s", text)
	}
}
