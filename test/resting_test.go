package test

import (
	"strings"
	"testing"
)

// TestLooksStartNothing: where no lab is up, what the host's commands show is the plan of the one that docker run begins, as it
// is there when it has begun; the first command that changes something begins it. A fresh lab has dropped nothing. All of it
// happens with a /run and a network of the test's own, where no other lab is.
func TestLooksStartNothing(t *testing.T) {
	needs(t, "unshare", "nsenter")
	t.Parallel()
	m := newPrivateMachine(t)
	runs := func(t *testing.T, args ...string) string {
		t.Helper()
		out, _ := m.sh("uswitch " + strings.Join(args, " "))
		return out
	}
	if out := runs(t, "ls"); out != "NAME  STATUS  CONFIG FILES  PID\n" {
		t.Fatalf("labs are up: %s", out)
	}
	looks := []string{"ifconfig docker0", "ip addr show docker0", "ip -br link", "ip route", "brctl show", "bridge link", "arp -n", "route -n",
		"ss -ln", "sysctl net.ipv4.ip_forward", "iptables -t nat -L -n", "iptables -S", "iptables -C FORWARD -j DOCKER-USER", "iptables -X NOWHERE extra",
		"conntrack -L", "conntrack -C"}
	before := map[string]string{}
	for _, look := range looks {
		before[look] = runs(t, strings.Fields(look)...)
	}
	if out := runs(t, "ls"); strings.Contains(out, "docker") {
		t.Errorf("looking has begun a lab: %s", out)
	}
	t.Cleanup(func() { runs(t, "down", "host") })
	if out := runs(t, "sysctl", "-w", "net.ipv4.ip_forward=1"); !strings.Contains(out, "uswitch down host ends it") || !strings.HasSuffix(out, "net.ipv4.ip_forward = 1\n") {
		t.Errorf("the first change: %s", out)
	}
	for _, look := range looks {
		if now := runs(t, strings.Fields(look)...); now != before[look] {
			t.Errorf("%s: before it was up\n%snow\n%s", look, before[look], now)
		}
	}
	if out := runs(t, "drops"); strings.Contains(out, "no-other-port") {
		t.Errorf("a fresh lab has dropped something: %s", out)
	}
	if out := runs(t, "docker", "run", "--rm", "--network", "host", "alpine", "true"); !strings.Contains(out, "on this machine's own network") {
		t.Errorf("--network host: %s", out)
	}
	if out := runs(t, "sysctl", "-w", "net.ipv4.ip_forward=0"); out != "net.ipv4.ip_forward = 0\n" {
		t.Errorf("switched off: %s", out)
	}
	if out := runs(t, "sysctl", "-n", "net.ipv4.conf.all.forwarding"); out != "0\n" {
		t.Errorf("read: %s", out)
	}
}
