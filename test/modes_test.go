package test

import (
	"strings"
	"testing"
)

// The network modes, as the second walkthrough has them.
//
//	W2.1  TestW2Modes    on bridge: docker0, 172.17.0.0/16, a namespace of its own
//	W2.2                 none: nothing but lo
//	W2.3                 host: this machine's own port, with no mapping
//	W2.4                 a second one on that port: Address already in use
//	W2.5                 container: the same namespace, interface and localhost

const modesLab = `
name: lab@
services:
  SIDE@: {network_mode: "service:WEB@"}
  SIDE2@: {network_mode: "service:SIDE@"}
  WEB@: {network_mode: bridge, command: uswitch serve -p 80, container_name: web@}
  SIDE3@: {network_mode: "container:web@"}
  PLAIN@: {network_mode: bridge}
  LONE@: {network_mode: none}
  LONER@: {network_mode: none}
  HOSTWEB@: {network_mode: host, command: uswitch serve -p 80, x-uswitch: {passive: true}}
x-uswitch: {uplink: host, keep_up: true}
`

func TestW2Modes(t *testing.T) {
	needs(t, "curl", "nsenter", "iptables")
	t.Parallel()
	s := newSite(t, byHost, modesLab)
	before := machineState(s)
	s.start()
	// A host that has no namespace of its own is entered by uswitch.
	inside := func(host string, argv ...string) string {
		t.Helper()
		return s.tell(append([]string{"exec", s.ns(host), "--"}, argv...)...)
	}
	inode := func(host string) string { return strings.TrimSpace(inside(host, "readlink", "/proc/self/ns/net")) }
	machine := strings.TrimSpace(must(t, "nsenter", "--net=/run/netns/"+s.ns("HOST"), "readlink", "/proc/self/ns/net"))

	// W2.1
	contains(t, inside("WEB", "ip", "-4", "addr", "show", "eth0"), "172.17.0.2/16")
	contains(t, inside("PLAIN", "ip", "-4", "addr", "show", "eth0"), "172.17.0.3/16")
	contains(t, s.tell("ip", "-br", "addr"), "docker0", "172.17.0.1/16")
	if inode("WEB") == inode("PLAIN") || inode("PLAIN") == machine {
		t.Error("on bridge: not a namespace of its own")
	}

	// W2.2
	for _, host := range []string{"LONE", "LONER"} {
		if links := strings.Fields(inside(host, "ls", "/sys/class/net")); strings.Join(links, " ") != "lo" {
			t.Errorf("%s has %q, want lo", host, links)
		}
		if text, status := output(t, s.in(host, "ping", "-c", "1", "172.17.0.2")...); status == 0 || !strings.Contains(text, "Network is unreachable") {
			t.Errorf("%s: status %d: %s", host, status, text)
		}
	}
	if inode("LONE") == inode("LONER") {
		t.Error("two hosts with nothing but lo have one between them")
	}

	// W2.3
	if inode("HOSTWEB") != machine {
		t.Errorf("HOSTWEB is in %s, and uswitch in %s", inode("HOSTWEB"), machine)
	}
	if got := s.asksPage("NET", "http://192.168.104.2/"); got != 0 {
		t.Errorf("a client outside, at the machine's own port: curl ends with %d", got)
	}

	// W2.4
	if out, errs, status := s.try("exec", s.ns("HOSTWEB"), "--", "uswitch", "serve", "-p", "80"); status == 0 || !strings.Contains(strings.ToLower(out+errs), "address already in use") {
		t.Errorf("a second server on the port: status %d: %s%s", status, out, errs)
	}

	// W2.5
	for _, host := range []string{"SIDE", "SIDE2", "SIDE3"} {
		if inode(host) != inode("WEB") {
			t.Errorf("%s is in %s, and WEB in %s", host, inode(host), inode("WEB"))
		}
		contains(t, inside(host, "ip", "addr", "show", "eth0"), "172.17.0.2/16", "02:42:ac:11:00:02")
		if _, errs, status := s.try("exec", s.ns(host), "--", "curl", "-sf", "http://localhost/"); status != 0 {
			t.Errorf("localhost of %s is not WEB's: %s", host, errs)
		}
	}
	contains(t, s.tell("show", "hosts"), "SIDE (in WEB)", "172.17.0.2/16")
	contains(t, s.tell("explain", s.ns("SIDE"), "172.17.0.3"), "172.17.0.3")
	if _, errs, status := s.try("explain", s.ns("HOSTWEB"), "172.17.0.3"); status == 0 || !strings.Contains(errs, "this machine's own namespace") {
		t.Errorf("a question about what is not in the lab: status %d: %s", status, errs)
	}
	if ports := strings.Count(s.tell("show", "ports"), "WEB"); ports != 1 {
		t.Errorf("WEB and those that share with it have %d ports", ports)
	}

	// Of the machine's own namespace nothing is changed.
	s.stop()
	if after := machineState(s); after != before {
		t.Errorf("the machine's own namespace was\n%s\nand is\n%s", before, after)
	}
}

// machineState is what a lab may not change of the namespace that uswitch runs in.
func machineState(s *site) string {
	in := []string{"ip", "netns", "exec", s.ns("HOST")}
	var state strings.Builder
	for _, command := range []string{"ip -4 addr", "ip route show table all type unicast", "ip rule", "iptables -S", "iptables -t nat -S", "sysctl net.ipv4.ip_forward", "cat /etc/hosts"} {
		state.WriteString(must(s.t, append(in, strings.Fields(command)...)...))
	}
	return state.String()
}

// asksPage returns the status of a curl from a namespace.
func (s *site) asksPage(from, url string) (status int) {
	s.t.Helper()
	_, status = output(s.t, s.in(from, "curl", "-sf", "-m", "10", "--retry", "5", "--retry-all-errors", "--retry-delay", "1", url)...)
	return status
}
