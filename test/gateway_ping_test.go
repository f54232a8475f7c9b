package test

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPingFromTheGateway types at the machine what a tutorial types at its host.
func TestPingFromTheGateway(t *testing.T) {
	t.Parallel()
	needs(t, "ip")
	l := newLab(t, resting)
	l.up("--trace", "off")

	// W3 3.4, 3.8.
	contains(t, l.do("ping", "-c", "1", redIP), "PING 11.11.11.2 (11.11.11.2) 56(84) bytes of data.\n",
		"64 bytes from 11.11.11.2: icmp_seq=1 ttl=64 time=", "1 packets transmitted, 1 received, 0% packet loss")
	contains(t, l.do("ping", "-c", "2", "-i", "0.1", l.ns("BLUE")), "PING "+l.ns("BLUE")+" (11.11.11.3)", "2 received")
	contains(t, l.do("ping", "-c", "1", "-s", "4000", blueIP), "4008 bytes from 11.11.11.3")
	contains(t, l.do("ping", "-c", "1", dnsIP), "64 bytes from 8.8.8.8: icmp_seq=1 ttl=62 ")
	if out, _, status := l.try("ping", "-c", "1", "-t", "1", dnsIP); status != 1 || !strings.Contains(out, "Time to live exceeded") {
		t.Errorf("status %d: %s", status, out)
	}
	if out, _, status := l.try("ping", "-c", "1", "-W", "0.3", "11.11.11.99"); status != 1 || !strings.Contains(out, "100% packet loss") {
		t.Errorf("nobody there: status %d: %s", status, out)
	}

	// Inside a host it is the host's.
	contains(t, l.do("exec", l.ns("RED"), "--", "uswitch", "ping", "-c", "1", dnsIP), "ttl=61 ")
	inside := exec.Command("ip", "netns", "exec", l.ns("RED"), uswitch, "ping", "-c", "1", dnsIP)
	inside.Env = l.uswitch().Env
	if out, err := inside.CombinedOutput(); err != nil || !strings.Contains(string(out), "ttl=61 ") {
		t.Errorf("ip netns exec: %v\n%s", err, out)
	}

	// A Ctrl-C ends it with the numbers.
	p := beginCommand(t, l.uswitch("ping", "-i", "0.05", redIP))
	time.Sleep(300 * time.Millisecond)
	eventually(t, "an answer", func() bool { return strings.Contains(p.stdout.String(), "icmp_seq=2") })
	p.signal(syscall.SIGINT)
	var sent, received int
	status, out := p.wait(), p.stdout.String()
	_, numbers, _ := strings.Cut(out, "statistics ---\n")
	_, err := fmt.Sscanf(numbers, "%d packets transmitted, %d received", &sent, &received)
	if status != 0 || err != nil || received < 2 || sent-received > 1 { // one may have been on its way
		t.Errorf("status %d\n%s%s", status, out, p.stderr)
	}
}

// TestPingByTheDefaultRoute is W3 3.2: the gateway has no route to the hosts' network, so that its echo leaves by the default
// route, and nobody on br0 is asked anything.
func TestPingByTheDefaultRoute(t *testing.T) {
	t.Parallel()
	needs(t)
	l := newLab(t, resting)
	l.up("--trace", "off")
	l.do("ip", "addr", "del", "11.11.11.1/24", "dev", "br0")
	frames := beginCommand(t, l.uswitch("tcpdump", "-n", "-i", "br0"))
	eventually(t, "tcpdump listens", func() bool { return strings.Contains(frames.stderr.String(), "listening on br0") })
	if out, _, status := l.try("ping", "-c", "1", redIP); status != 1 || !strings.Contains(out, "100% packet loss") {
		t.Errorf("status %d: %s", status, out)
	}
	frames.signal(syscall.SIGINT)
	frames.wait()
	if strings.Contains(frames.stdout.String(), "who-has "+redIP) {
		t.Errorf("somebody asks for RED:\n%s", frames.stdout)
	}
	l.do("ip", "addr", "add", "11.11.11.1/24", "dev", "br0") // 3.3
	contains(t, l.do("ping", "-c", "1", redIP), " 0% packet loss")
}

func TestTracerouteFromTheGateway(t *testing.T) {
	t.Parallel()
	needs(t)
	l := newLab(t, resting)
	l.up("--trace", "off")
	hop := func(line, pattern string) {
		t.Helper()
		out := l.do(append([]string{"traceroute"}, strings.Fields(line)...)...)
		if !regexp.MustCompile(pattern).MatchString(out) {
			t.Errorf("traceroute %s:\n%s", line, out)
		}
	}
	const ms = `(  [0-9.]+ ms){3}\n`
	hop("-n "+dnsIP, `^traceroute to 8\.8\.8\.8 \(8\.8\.8\.8\), 30 hops max, 60 byte packets\n 1  192\.168\.104\.1`+ms+` 2  100\.64\.0\.1`+ms+` 3  8\.8\.8\.8`+ms+`$`)
	hop("-I -n "+dnsIP, ` 3  8\.8\.8\.8`+ms+`$`)
	hop(l.ns("RED"), ` 1  `+l.ns("RED")+` \(11\.11\.11\.2\)`+ms+`$`)
	hop("-q 1 -n 198.51.100.99", `100\.64\.0\.1  [0-9.]+ ms !H\n$`)
}

// TestPingWithoutALab says that there is none.
func TestPingWithoutALab(t *testing.T) {
	t.Parallel()
	needs(t)
	cmd := exec.Command(uswitch, "ping", "-c", "1", "--lab", "no-such-lab", redIP)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "no-such-lab is not up") {
		t.Errorf("%v: %s", err, out)
	}
}
