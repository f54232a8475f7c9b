package test

import (
	"os/exec"
	"strings"
	"testing"
)

// newKernel builds the topology of gatewayLab with the kernel's own means: bridges and veths in HOST. Its rules are those
// of a lab of uswitch's, word for word, as iptables-save prints them.
func newKernel(t *testing.T, rules string) *site {
	t.Helper()
	s := newSite(t, byKernel, gatewayLab)
	s.out.shell(`
		ip -n HOST@ link add br0 address 02:42:0b:0b:0b:01 type bridge && ip -n HOST@ addr add 11.11.11.1/24 dev br0
		ip -n HOST@ link add br1 address 02:42:0a:02:00:01 type bridge && ip -n HOST@ addr add 10.2.0.1/24 dev br1
		ip -n HOST@ link set br0 up && ip -n HOST@ link set br1 up
		ip netns exec HOST@ sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0
		# A bridge bridges; the rules are for what is routed. Where this cannot be said, it is so already.
		ip netns exec HOST@ sysctl -qw net.bridge.bridge-nf-call-iptables=0 || true`)
	for _, h := range []struct{ name, bridge, address, gateway string }{
		{"RED", "br0", redIP, gatewayIP}, {"BLUE", "br0", blueIP, gatewayIP}, {"WEB", "br1", webIP, "10.2.0.1"},
	} {
		s.out.add(h.name)
		ns := s.ns(h.name)
		must(t, "ip", "-n", s.ns("HOST"), "link", "add", h.name, "master", h.bridge, "up", "type", "veth", "peer", "name", "eth0", "netns", ns)
		must(t, "ip", "-n", ns, "addr", "add", h.address+"/24", "dev", "eth0")
		must(t, "ip", "-n", ns, "link", "set", "eth0", "up")
		must(t, "ip", "-n", ns, "route", "add", "default", "via", h.gateway)
	}
	s.feed("HOST", rules, "iptables-restore", "-w")
	return s
}

// feed runs a program inside a host that reads a text, and must succeed.
func (l *lab) feed(host, text string, command ...string) {
	l.t.Helper()
	argv := l.in(host, command...)
	c := exec.Command(argv[0], argv[1:]...)
	c.Stdin = strings.NewReader(text)
	if out, err := c.CombinedOutput(); err != nil {
		l.t.Fatalf("%s: %v: %s\n%s", command[0], err, out, text)
	}
}

// conntrack runs the real tool on a kernel, and uswitch's elsewhere.
func (s *site) conntrack(args ...string) string {
	s.t.Helper()
	if s.way == byKernel {
		return s.exec("HOST", append([]string{"conntrack"}, args...)...)
	}
	return s.tell(append([]string{"conntrack"}, args...)...)
}
