package test

import (
	"strings"
	"testing"
)

// What a lab of an ordinary user has of the machine that it is on, and what it has of its lessons.
//
//	TestRootlessOutside   uplink: host, published ports, also those below 1024
//	TestRootlessLessons   every lesson
//	TestLessonsOnBusybox  every lesson where there is nothing but busybox, or what it lacks

func TestRootlessOutside(t *testing.T) {
	t.Parallel()
	p, s := newOrdinary(t), newSite(t, byHost, gatewayLab)
	s.out.shell(`ip netns exec HOST@ sysctl -qw net.ipv4.ping_group_range="0 2147483647"`)
	p.front = []string{"nsenter", "--net=/run/netns/" + s.ns("HOST")}
	text := strings.NewReplacer("@", "", "UPLINK", "host", "BLUE@: {", "BLUE: {command: uswitch serve -p 80, ").Replace(gatewayLab)
	lab, low := p.write("lab.yaml", text), p.write("low.yaml", strings.Replace(text, `"8080:80"`, `"80:80"`, 1))

	out, status := p.try("up", "-d", low)
	if status == 0 {
		t.Error("a port below 1024 is the lab's")
		p.do("down")
	}
	contains(t, out, "80", "net.ipv4.ip_unprivileged_port_start")

	contains(t, p.do("up", "-d", lab), rootlessLine, "ports below 1024 stay the machine's")
	t.Cleanup(func() { p.try("down") })
	contains(t, p.do("exec", "RED", "--", "ping", "-c", "1", "-W", "5", dnsIP), "1 received")
	page := func(address string) {
		t.Helper()
		eventually(t, "BLUE's page at "+address, func() bool {
			text, _ := output(t, s.in("NET", "curl", "-s", "-m", "5", "http://"+address+"/")...)
			return strings.Contains(text, "Hello from BLUE")
		})
	}
	page(hostIP + ":8080")
	p.do("publish", "add", "BLUE", "9090:80")
	page(hostIP + ":9090")
	out, status = p.try("publish", "add", "BLUE", "81:80")
	if status == 0 {
		t.Error("a port below 1024 is published")
	}
	contains(t, out, "81", "net.ipv4.ip_unprivileged_port_start")
	p.do("down")

	s.out.shell(`ip netns exec HOST@ sysctl -qw net.ipv4.ip_unprivileged_port_start=0`)
	if out := p.do("up", "-d", low); strings.Contains(out, "stay the machine's") {
		t.Errorf("all ports are anybody's:\n%s", out)
	}
	page(hostIP)
	p.do("down")
}

func TestRootlessLessons(t *testing.T) {
	t.Parallel()
	for _, l := range lessons(t, "en") {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			p := newOrdinary(t)
			p.front = []string{"unshare", "-n", "sh", "-c", `ip link set lo up; exec "$@"`, "sh"} // a lesson has a port of the machine's
			contains(t, p.do("learn", l.name, "--auto", "--lang", "en"), rootlessLine, "✓")
		})
	}
}

// TestLessonsOnBusybox: a lesson that wants a program that there is not says so before it begins, and nothing else is a reason.
func TestLessonsOnBusybox(t *testing.T) {
	needs(t, "unshare", "busybox")
	t.Parallel()
	place := &place{way: busybox}
	wants := map[string]string{"arp": "the ip of iproute2", "modes": "the program curl", "publish": "the program curl", "mtu": "a ping that knows -M", "attacker": "the ip of iproute2", "discovery": "the ip of iproute2", "families": "the program getent"}
	for _, l := range lessons(t, "en") {
		t.Run(l.name, func(t *testing.T) {
			text, status := place.run(t, placeDirectory(t), "learn", l.name, "--auto", "--lang", "en")
			switch want := wants[l.name]; {
			case want == "" && status != 0:
				t.Errorf("status %d:\n%s", status, text)
			case want != "":
				contains(t, text, "lesson "+l.name+" wants what this machine does not have:\n  "+want, "uswitch learn --sim "+l.name)
				if strings.Contains(text, l.title) {
					t.Errorf("it has begun:\n%s", text)
				}
			}
		})
	}
}
