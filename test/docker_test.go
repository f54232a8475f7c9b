package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Docker's rules, obeyed by real traffic.
//
//	W4.3  TestW4DockerIsolation    the other network is out of reach, and the trace names the rule
//	W4.5  TestW4DockerPublished    the page, by every way that the proxy and DNAT have in Docker
//	W4.6  TestW4DockerIptables     the lists that the walkthrough shows
//	      TestCompareDocker        what compare docker prints is what the lab begins with

// dockerLab has two networks with Docker's rules:
//
//	RED    10.1.0.2 --+-- front
//	WEB    10.2.0.2 --+
//	GREEN  10.2.0.3 --+-- back      port 8080 of the gateway is WEB's 80
const dockerLab = `
name: lab@
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  RED@: {networks: [front]}
  WEB@: {networks: [back], command: uswitch serve -p 80, ports: ["8080:80"]}
  GREEN@: {networks: [back]}
x-uswitch: {uplink: sim, docker_rules: classic}
`

// inEach runs a test with Docker's rules of each generation, or only of these.
func inEach(t *testing.T, file string, f func(t *testing.T, l *lab, dialect string), these ...string) {
	t.Parallel()
	if these == nil {
		these = []string{"20.10", "classic", "29"}
	}
	for _, dialect := range these {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			f(t, startLab(t, strings.Replace(file, "docker_rules: classic", "docker_rules: "+dialect, 1)), dialect)
		})
	}
}

func TestW4DockerIsolation(t *testing.T) {
	needs(t)
	inEach(t, dockerLab, func(t *testing.T, l *lab, dialect string) {
		for _, host := range []string{"RED", "WEB"} {
			if !l.pings(host, "8.8.8.8") {
				t.Errorf("%s does not reach the outside", host)
			}
		}
		if !l.pings("WEB", "10.2.0.3") {
			t.Error("WEB does not reach its own network")
		}
		isolation := "-A DOCKER-ISOLATION-STAGE-2 -o back -j DROP"
		if dialect == "29" {
			isolation = "-A DOCKER ! -i back -o back -j DROP"
		}
		refused := func(address, rule string) {
			t.Helper()
			n := l.stdout.count()
			if text, status := output(t, l.in("RED", "ping", "-n", "-c", "1", "-W", "0.5", address)...); status == 0 {
				t.Errorf("RED reaches %s:\n%s", address, text)
			}
			l.eventFrom(n, address+": "+rule, func(e event) bool { return e.Verdict == "drop" && e.Rule == rule })
		}
		// Since Docker 28 the first rule of all keeps others from a container's own address; the networks' rules are for what
		// it lets pass.
		if dialect != "20.10" {
			refused("10.2.0.3", "-A PREROUTING -d 10.2.0.3/32 ! -i back -j DROP")
		}
		refused("10.2.0.77", isolation)
		l.do("iptables", "-t", "raw", "-F")
		refused("10.2.0.3", isolation)
	})
}

func TestW4DockerPublished(t *testing.T) {
	needs(t)
	local := strings.Replace(strings.Replace(dockerLab, "uplink: sim", "uplink: host", 1), `ports: ["8080:80"]`, `ports: ["127.0.0.1::80"]`, 1)
	inEach(t, local, func(t *testing.T, l *lab, _ string) {
		page := func(at string, in ...string) bool {
			_, status := output(t, append(in, "curl", "-sf", "-m", "10", "--retry", "5", "--retry-all-errors", "--retry-delay", "1", at)...)
			return status == 0
		}
		var open []struct {
			HostPort int `json:"host_port"`
		}
		published := func() int {
			open = nil
			if err := json.Unmarshal([]byte(l.do("show", "published", "-o", "json")), &open); err != nil || len(open) == 0 {
				t.Fatalf("show published: %v %v", open, err)
			}
			return open[len(open)-1].HostPort
		}
		if at := fmt.Sprintf("http://127.0.0.1:%d/", published()); !page(at) {
			t.Errorf("%s: no page from this machine's loopback", at)
		}
		if _, status := output(t, l.in("RED", "curl", "-sf", "-m", "2", fmt.Sprintf("http://10.1.0.1:%d/", published()))...); status == 0 {
			t.Error("a port of this machine's loopback is open to a host of the lab")
		}
		l.do("publish", "add", l.ns("WEB"), "80")
		for host, gateway := range map[string]string{"RED": "10.1.0.1", "GREEN": "10.2.0.1", "WEB": "10.2.0.1"} {
			if at := fmt.Sprintf("http://%s:%d/", gateway, published()); !page(at, l.in(host)...) {
				t.Errorf("%s: no page for %s", at, host)
			}
		}
		if at := fmt.Sprintf("http://127.0.0.1:%d/", published()); !page(at) {
			t.Errorf("%s: no page from this machine", at)
		}
		l.do("publish", "rm", l.ns("WEB"), fmt.Sprintf("%d:80", published()))
		if text := l.do("iptables-save"); strings.Count(text, ":80\n") != 2 {
			t.Errorf("want two rules that lead to WEB's 80, Docker's and the proxy's of the first port:\n%s", text)
		}
	})
}

func TestW4DockerIptables(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, dockerLab)
	contains(t, l.do("iptables", "-S"), "-P FORWARD DROP\n", "-N DOCKER\n", "-N DOCKER-FORWARD\n", "-N DOCKER-ISOLATION-STAGE-1\n",
		"-N DOCKER-ISOLATION-STAGE-2\n", "-N DOCKER-USER\n", "-A FORWARD -j DOCKER-USER\n")
	text := l.do("iptables", "-t", "nat", "-L", "-n")
	contains(t, text, "ADDRTYPE match dst-type LOCAL", "10.2.0.0/24", "tcp dpt:8080 to:10.2.0.2:80", "!127.0.0.0/8")

	// What the administrator says in DOCKER-USER stands before everything that Docker lets pass.
	l.do("iptables", "-A", "DOCKER-USER", "-s", "10.1.0.2", "-j", "DROP")
	if l.pings("RED", "8.8.8.8") {
		t.Error("RED reaches the outside in spite of DOCKER-USER")
	}
	l.event("the administrator's rule", func(e event) bool { return e.Rule == "-A DOCKER-USER -s 10.1.0.2/32 -j DROP" })
}

func TestCompareDocker(t *testing.T) {
	needs(t)
	inEach(t, dockerLab, func(t *testing.T, l *lab, dialect string) {
		text := l.do("compare", "docker", l.file)
		contains(t, text, "rules: "+dialect, "10.2.0.1/24", "02:42:0a:02:00:02", l.ns("WEB"))
		links := l.do("ip", "-br", "link")
		_, rules, _ := strings.Cut(text, "# iptables-save\n")
		begun := l.do("iptables-save")
		for line := range strings.Lines(rules) {
			if strings.HasPrefix(line, "-A ") && !strings.Contains(begun, line) {
				t.Errorf("the lab has no %s", line)
			}
		}
		for line := range strings.Lines(text) {
			if name, _, _ := strings.Cut(line, " "); strings.HasPrefix(name, "veth") && !strings.Contains(links, name) {
				t.Errorf("ip link shows no %s:\n%s", name, links)
			}
		}
		if other := l.do("compare", "docker", "--dialect", "classic", l.file); (other == text) != (dialect == "classic") {
			t.Error("--dialect is not what counts")
		}
		if _, text, status := l.try("compare", "docker", "--dialect", "28", l.file); status != 2 || !strings.Contains(text, "want 20.10, classic or 29") {
			t.Errorf("--dialect 28: status %d: %s", status, text)
		}
	})
}
