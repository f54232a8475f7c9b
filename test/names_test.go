package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// namedLab has hosts that find each other by name, and some that do not.
//
//	RED   11.11.11.2 (crimson, web) --+
//	BLUE  11.11.11.3 (web) -----------+-- br0 -- gateway 11.11.11.1 -- the internet in memory
//	BLUE  22.22.22.3 -----------------+
//	PINK  22.22.22.2 -----------------+-- br1, internal: gateway 22.22.22.1
//	GREY  172.17.0.2 -----------------+
//	PALE  172.17.0.3 -----------------+-- docker0: gateway 172.17.0.1
const namedLab = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
  br1: {internal: true, ipam: {config: [{subnet: 22.22.22.0/24}]}}
services:
  RED@: {hostname: crimson, container_name: red-box@, extra_hosts: ["old-db:10.9.8.7"], networks: {br0: {aliases: [web, RED], ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {aliases: [web, BLUE], ipv4_address: 11.11.11.3}, br1: {aliases: [BLUE], ipv4_address: 22.22.22.3}}}
  PINK@: {networks: {br1: {aliases: [PINK], ipv4_address: 22.22.22.2}}}
  GREY@: {network_mode: bridge}
  PALE@: {network_mode: bridge}
x-uswitch: {uplink: sim, keep_up: true}
`

// inside runs a program in a host, which must succeed, and returns what it prints.
func (l *lab) inside(host string, argv ...string) string {
	l.t.Helper()
	return strings.TrimSpace(l.do(append([]string{"exec", l.ns(host), "--"}, argv...)...))
}

// dig asks and returns what it prints in short form, sorted by nobody.
func (l *lab) dig(host string, words ...string) string {
	l.t.Helper()
	return strings.Join(strings.Fields(l.inside(host, append([]string{"dig", "+short", "+tries=1", "+time=6"}, words...)...)), " ")
}

// digStatus asks and returns the status of the answer.
func (l *lab) digStatus(host string, words ...string) string {
	l.t.Helper()
	out := l.inside(host, append([]string{"dig", "+tries=1", "+time=6"}, words...)...)
	_, rest, _ := strings.Cut(out, "status: ")
	status, _, _ := strings.Cut(rest, ",")
	return status
}

func TestNamesOfHosts(t *testing.T) {
	t.Parallel()
	needs(t, "dig", "getent", "curl", "ip")
	l := newLab(t, namedLab)
	l.up("--trace", "off")

	for _, c := range []struct{ host, question, want string }{
		{"RED", l.ns("BLUE"), "11.11.11.3"},
		{"RED", "blue", "11.11.11.3"},
		{"RED", "crimson", "11.11.11.2"},
		{"BLUE", l.own("red-box@"), "11.11.11.2"},
		{"RED", l.own("blue@.lab@_br0"), "11.11.11.3"},
		{"RED", "-x 11.11.11.3", l.own("BLUE@.lab@_br0.")},
		{"RED", "blue AAAA", ""},
		{"RED", "blue +tcp", "11.11.11.3"},
		{"RED", "pink", ""},
		{"BLUE", "pink", "22.22.22.2"},
		{"PINK", "blue", "22.22.22.3"},
		{"PINK", "red", ""},
		{"RED", "example.com", "93.184.216.34"},
		{"RED", "example.com +tcp", "93.184.216.34"},
		{"RED", "-x 8.8.8.8", "dns.google."},
	} {
		if got := l.dig(c.host, strings.Fields(c.question)...); got != c.want {
			t.Errorf("%s asks for %s: %q, want %q", c.host, c.question, got, c.want)
		}
	}
	for _, c := range []struct{ host, question, want string }{
		{"RED", "blue AAAA", "NOERROR"}, {"RED", "no-such-name", "NXDOMAIN"}, {"RED", "-x 11.11.11.99", "NXDOMAIN"},
		{"PINK", "example.com", "REFUSED"}, {"PINK", "example.com +tcp", "REFUSED"}, {"PINK", "red", "REFUSED"},
	} {
		if got := l.digStatus(c.host, strings.Fields(c.question)...); got != c.want {
			t.Errorf("%s asks for %s: status %s, want %s", c.host, c.question, got, c.want)
		}
	}

	// Programs that were not written for this.
	contains(t, l.inside("RED", "getent", "hosts", "blue"), "11.11.11.3")
	contains(t, l.inside("RED", "getent", "hosts", "old-db"), "10.9.8.7")
	contains(t, l.inside("RED", "ping", "-c", "1", "-W", "5", "blue"), "PING blue", "11.11.11.3", " 0% packet loss")
	server := begin(t, uswitch, "exec", "--lab", l.name, l.ns("BLUE"), "--", uswitch, "serve", "-p", "80")
	defer server.kill()
	eventually(t, "curl finds the page by its name", func() bool {
		out, _, status := l.try("exec", l.ns("RED"), "--", "curl", "-s", "--max-time", "5", "http://blue/")
		return status == 0 && out != ""
	})
}

// TestNoNamesOnTheDefaultNetwork: two containers on docker0 do not find each other, as with Docker.
func TestNoNamesOnTheDefaultNetwork(t *testing.T) {
	t.Parallel()
	needs(t, "dig", "getent")
	l := newLab(t, namedLab)
	l.up("--trace", "text")
	if got := l.inside("GREY", "cat", "/etc/resolv.conf"); !strings.Contains(got, "nameserver 8.8.8.8") || strings.Contains(got, "172.17.0.1") {
		t.Errorf("resolv.conf: %s", got)
	}
	for _, name := range []string{l.ns("PALE"), l.ns("GREY"), l.ns("RED")} {
		if got := l.digStatus("GREY", name); got != "NXDOMAIN" {
			t.Errorf("%s: %s", name, got)
		}
		if got := l.digStatus("GREY", "@172.17.0.1", name); got != "REFUSED" {
			t.Errorf("%s at the gateway: %s", name, got)
		}
		if got := l.digStatus("RED", l.ns("GREY")); got != "NXDOMAIN" {
			t.Errorf("RED finds GREY: %s", got)
		}
	}
	eventually(t, "the trace says why", func() bool {
		text := strings.Join(strings.Fields(l.stdout.String()), " ")
		return strings.Contains(text, "asks for the address of "+l.ns("PALE")) && strings.Contains(text, "nobody has a name)")
	})
	if got := l.dig("GREY", "example.com"); got != "93.184.216.34" {
		t.Errorf("example.com: %s", got)
	}
}

func TestFilesOfHosts(t *testing.T) {
	t.Parallel()
	needs(t, "ip", "hostname", "stat")
	machine, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	own, _ := os.Hostname()
	l := newLab(t, namedLab)
	l.up("--trace", "off")
	contains(t, l.inside("RED", "cat", "/etc/resolv.conf"), "nameserver 11.11.11.1\n", "options ndots:0")
	contains(t, l.inside("BLUE", "cat", "/etc/resolv.conf"), "nameserver 11.11.11.1\n")
	contains(t, l.inside("PINK", "cat", "/etc/resolv.conf"), "nameserver 22.22.22.1\n")
	contains(t, l.inside("RED", "cat", "/etc/hosts"), "127.0.0.1\tlocalhost\n", "10.9.8.7\told-db\n", "11.11.11.2\tcrimson")
	for _, argv := range [][]string{{"hostname"}, {"cat", "/etc/hostname"}, {"uname", "-n"}} {
		if got := l.inside("RED", argv...); got != "crimson" {
			t.Errorf("%v: %q", argv, got)
		}
	}
	for _, file := range []string{"resolv.conf", "hosts", "hostname"} {
		inside := l.do("exec", l.ns("RED"), "--", "cat", "/etc/"+file)
		out, err := exec.Command("ip", "netns", "exec", l.ns("RED"), "cat", "/etc/"+file).CombinedOutput()
		if err != nil || string(out) != inside {
			t.Errorf("ip netns exec: %s: %v\n%s\nwant\n%s", file, err, out, inside)
		}
	}
	if out := must(t, "ip", "netns", "exec", l.ns("RED"), "dig", "+short", "blue"); strings.TrimSpace(out) != blueIP {
		t.Errorf("ip netns exec dig: %s", out)
	}
	l.do("stop")
	l.wait()
	now, _ := os.Hostname()
	if text, _ := os.ReadFile("/etc/hosts"); !bytes.Equal(text, machine) || now != own {
		t.Errorf("the machine, %s, has\n%s", now, text)
	}
}

// TestFilesAfterKill: kill -9 leaves files behind, and the next run of the lab, or uswitch cleanup, removes them.
func TestFilesAfterKill(t *testing.T) {
	kills(t)
	needs(t, "ip")
	l := newLab(t, namedLab)
	l.up("--trace", "off")
	link := "/etc/netns/" + l.ns("RED")
	if _, err := os.Stat(filepath.Join(link, "resolv.conf")); err != nil {
		t.Fatal(err)
	}
	l.kill()
	must(t, uswitch, "cleanup")
	if _, err := os.Lstat(link); err == nil {
		t.Errorf("%s is still there", link)
	}
}

// TestTwoLabsDoNotMix: the same names and the same addresses, and each host finds the one of its own lab.
func TestTwoLabsDoNotMix(t *testing.T) {
	t.Parallel()
	needs(t, "dig")
	a, b := newLab(t, namedLab), newLab(t, namedLab)
	a.up("--trace", "off")
	b.up("--trace", "off")
	for _, l := range []*lab{a, b} {
		other := a
		if l == a {
			other = b
		}
		if got := l.dig("RED", "-x", "11.11.11.3"); got != l.own("BLUE@.lab@_br0.") {
			t.Errorf("%s: BLUE is %s", l.name, got)
		}
		if got := l.digStatus("RED", other.ns("BLUE")); got != "NXDOMAIN" {
			t.Errorf("%s: another lab's BLUE: %s", l.name, got)
		}
	}
}
