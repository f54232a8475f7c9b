package test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The same topology three times - bridges, veths and iptables of the kernel; uswitch on the host's sockets; uswitch with a
// interface in a namespace - with the same rules, word for word, and the same probes. What the kernel's hosts see is right.
//
//	G1 G4 G6 G11 G14 N1 N9 N12 N20 F29 F34 F39 F47 F48   each named at its probe

// documented are the differences from the kernel. They are few and each has its reason, which nat/uplink's documentation
// tells in full: the host's sockets end every TCP connection.
var documented = map[string]map[string]string{byHost: {
	// This machine has been told of the narrow link before, and its own stack refuses the packet: the gateway says so for it.
	"G11 N20 too big and not to be cut": "10.2.0.1 Frag needed and DF set (mtu = 1300)",
	// The machine's kernel has taken the connection before anybody inside could be asked; the reset comes behind it.
	"F39 published, nobody listens": "reset",
}}

func TestLikeTheKernel(t *testing.T) {
	needs(t, "curl", "dig", "traceroute", "tracepath", "mtr", "iptables-restore", "conntrack", "nsenter")
	t.Parallel()
	byWay := map[string]*site{byHost: startSite(t, byHost, gatewayLab), byNetns: startSite(t, byNetns, gatewayLab)}
	rules := byWay[byHost].tell("iptables-save")
	byWay[byKernel] = newKernel(t, rules)
	onLoopback := strings.NewReplacer( // port 8081, which only the host's sockets can have there
		"-A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 8081 -j DROP\n", "",
		"-A DOCKER -d 127.0.0.1/32 ! -i br0", "-A DOCKER ! -i br0", "-i uplink -p tcp", "-p tcp")
	if other := byWay[byNetns].tell("iptables-save"); rulesOnly(other) != rulesOnly(onLoopback.Replace(rules)) {
		t.Errorf("the two ways out have different rules:\n%s\n%s", other, rules)
	}
	seen := map[string]map[string]string{}
	results := make(chan func())
	for way, s := range byWay {
		s.sayWho("NET", ":80", dnsIP+":53")
		s.sayWho("BLUE", ":80", ":53")
		go func() {
			got := map[string]string{}
			defer func() { results <- func() { seen[way] = got } }() // also if a probe cannot be made, which fails the test
			for _, p := range probes {
				got[p.name] = p.do(s)
			}
		}()
	}
	for range byWay {
		(<-results)()
	}
	for _, p := range probes {
		t.Run(strings.ReplaceAll(p.name, " ", "_"), func(t *testing.T) {
			want := seen[byKernel][p.name]
			t.Logf("the kernel: %s", want)
			for _, way := range []string{byHost, byNetns} {
				expected := want
				if d, ok := documented[way][p.name]; ok {
					expected = d
					if d == want {
						t.Errorf("%s: documented as a difference, but there is none", way)
					}
				}
				if got := seen[way][p.name]; got != expected {
					t.Errorf("%s: %s\nwant: %s", way, got, expected)
				}
			}
		})
	}
}

// rulesOnly are the rules of a list, without counters and comments.
func rulesOnly(save string) string {
	var rules []string
	for line := range strings.Lines(save) {
		if strings.HasPrefix(line, "-A") {
			rules = append(rules, line)
		}
	}
	return strings.Join(rules, "")
}

// probes each say in a few words what a host sees.
var probes = []struct {
	name string
	do   func(*site) string
}{
	{"ping the gateway", pinging("RED", gatewayIP)},
	{"F29 ping the gateway with ttl 1", pinging("RED", "-t", "1", gatewayIP)},
	{"ping the gateway's outside address", pinging("RED", hostIP)},
	{"ping the next hop", pinging("RED", ispIP)},
	{"ping 8.8.8.8", pinging("RED", dnsIP)},
	{"ping from outside", pinging("NET", hostIP)},
	{"G1 ping with ttl 1", pinging("RED", "-t", "1", dnsIP)},
	{"G1 ping with ttl 2", pinging("RED", "-t", "2", dnsIP)},
	{"G1 traceroute -U", tracing("RED", "traceroute", "-n", "-q", "1", "-w", "3", dnsIP)},
	{"G1 traceroute -I", tracing("BLUE", "traceroute", "-n", "-q", "1", "-w", "3", "-I", dnsIP)},
	{"G1 traceroute -T", tracing("WEB", "traceroute", "-n", "-q", "1", "-w", "3", "-T", dnsIP)},
	{"G1 mtr", tracing("BLUE", "mtr", "-n", "-r", "-c", "1", "-G", "2", dnsIP)},
	{"G11 tracepath finds the narrow link", func(s *site) string {
		text := s.exec("BLUE", "tracepath", "-n", narrowIP)
		return text[strings.LastIndex(text, "Resume"):]
	}},
	{"G11 N20 too big and not to be cut", pinging("WEB", "-M", "do", "-s", "1400", narrowIP)},
	{"G11 too big and cut on the way", pinging("RED", "-M", "dont", "-s", "1400", narrowIP)},
	{"N12 F48 fragments out and back", pinging("RED", "-s", "8000", dnsIP)},
	{"F34 N20 ping a dead address", pinging("RED", deadIP)},
	{"F34 ping a black hole", pinging("RED", "-W", "2", blackIP)},
	{"N20 ping what the way out prohibits", pinging("RED", prohibitedIP)},
	{"N20 ping a net that is not there", pinging("RED", noneIP)},
	{"N20 ping a host that is not there", pinging("RED", rejectedIP)},
	{"F39 TCP to a closed port", dialling("RED", dnsIP+":99")},
	{"F39 TCP to a net that is not there", dialling("RED", noneIP+":80")},
	{"F39 TCP to a host that is not there", dialling("RED", rejectedIP+":80")},
	{"F39 TCP to a dead address", dialling("RED", deadIP+":80")},
	{"F39 TCP to a black hole", dialling("RED", blackIP+":80")},
	{"F47 UDP to a closed port", func(s *site) string { return s.asksUDP("RED", "", dnsIP+":99") }},
	{"F39 UDP to a host that is not there", func(s *site) string { return s.asksUDP("RED", "", rejectedIP+":99") }},
	{"F39 UDP to a black hole", func(s *site) string { return s.asksUDP("RED", "", blackIP+":99") }},
	{"F47 dig at a closed port", func(s *site) string {
		text, _ := output(s.t, s.in("RED", "dig", "+tries=1", "+timeout=3", "-p", "98", "@"+dnsIP, "x.")...)
		_, said, _ := strings.Cut(text, "error to ")
		return strings.TrimSpace(strings.Split(said, "\n")[0])
	}},
	{"TCP to a closed port of the gateway", dialling("RED", gatewayIP+":23")},
	{"G4 UDP to a closed port of the gateway", func(s *site) string { return s.asksUDP("WEB", "", "10.2.0.1:9") }},
	{"who is seen outside, TCP", func(s *site) string { return withoutPort(s.asksTCP("RED", dnsIP)) }},
	{"who is seen outside, UDP", func(s *site) string { return withoutPort(s.asksUDP("RED", "", dnsIP+":53")) }},
	{"published, TCP", func(s *site) string { return s.asksTCP("NET", hostIP+":8080", "--local-port", "40001") }},
	{"published, UDP", func(s *site) string { return s.asksUDP("NET", netIP+":40002", hostIP+":5353") }},
	{"N9 hairpin, TCP", func(s *site) string { return withoutPort(s.asksTCP("RED", hostIP+":8080")) }},
	{"N9 hairpin, UDP", func(s *site) string { return withoutPort(s.asksUDP("RED", "", hostIP+":5353")) }},
	{"N9 hairpin to oneself, TCP", func(s *site) string { return withoutPort(s.asksTCP("BLUE", hostIP+":8080")) }},
	{"N9 hairpin to oneself, UDP", func(s *site) string { return withoutPort(s.asksUDP("BLUE", "", hostIP+":5353")) }},
	{"N9 hairpin by the gateway's inside address", func(s *site) string { return withoutPort(s.asksTCP("RED", gatewayIP+":8080")) }},
	{"N9 published, from the other network", func(s *site) string { return s.asksTCP("WEB", hostIP+":8080", "--local-port", "40003") }},
	{"F39 published, nobody listens", func(s *site) string { return s.firstByte("NET", hostIP+":8082") }},
	{"not published", dialling("NET", hostIP+":8099")},
	{"G14 another network, ping", pinging("WEB", "-W", "2", redIP)},
	{"G14 another network, TCP", dialling("RED", webIP+":80")},
	{"the gateway's address on another network", pinging("RED", "10.2.0.1")},
	{"conntrack -L of an echo", func(s *site) string {
		s.exec("WEB", "ping", "-c", "3", "-i", "0.1", siteIP)
		return tracked("WEB", "icmp", siteIP)(s)
	}},
	{"conntrack -L of a closed connection", func(s *site) string {
		s.asksTCP("WEB", siteIP)
		list := tracked("WEB", "tcp", siteIP)
		for end := time.Now().Add(patience); strings.Contains(list(s), "FIN_WAIT") && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		return list(s)
	}},
	{"conntrack -L of an open connection", func(s *site) string {
		s.connect("BLUE", siteIP+":80")
		return tracked("BLUE", "tcp", siteIP)(s)
	}},
	{"conntrack -L of a question and its answer", func(s *site) string {
		s.asksUDP("WEB", "", dnsIP+":53")
		return tracked("WEB", "udp", dnsIP)(s)
	}},
	{"conntrack -L of a question without an answer", tracked("RED", "udp", blackIP)},
	{"conntrack -L of a published port", func(s *site) string {
		return shape(s.conntrack("-L", "-p", "udp", "--orig-src", netIP, "-o", "extended"))
	}},
	{"conntrack -L of a hairpin to oneself", func(s *site) string {
		return shape(s.conntrack("-L", "-p", "udp", "--orig-src", blueIP, "-o", "extended"))
	}},
}

func pinging(host string, args ...string) func(*site) string {
	return func(s *site) string { return s.ping(host, args...) }
}

func tracing(host string, argv ...string) func(*site) string {
	return func(s *site) string { return s.hops(host, argv...) }
}

func dialling(host, to string) func(*site) string {
	return func(s *site) string {
		c, err := s.dial(host, "tcp"+familyOf(to), "", to, 3*time.Second)
		if err == nil {
			c.Close()
		}
		return explain(err)
	}
}

// firstByte connects and waits for a byte; it returns how that ended.
func (l *lab) firstByte(host, to string) string {
	l.t.Helper()
	c, err := l.dial(host, "tcp"+familyOf(to), "", to, 3*time.Second)
	if err == nil {
		_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
		_, err = c.Read(make([]byte, 1))
		c.Close()
	}
	return explain(err)
}

func withoutPort(address string) string {
	if at, err := netip.ParseAddrPort(address); err == nil {
		return at.Addr().String()
	}
	return address // it is no address but what went wrong
}

// tracked lists what is known of connections, in the shape of the real tool's lines.
func tracked(host, proto, to string) func(*site) string {
	from := map[string]string{"RED": redIP, "BLUE": blueIP, "WEB": webIP}[host]
	return func(s *site) string {
		return shape(s.conntrack("-L", "-p", proto, "--orig-src", from, "--orig-dst", to))
	}
}

var changing = []struct {
	is *regexp.Regexp
	as string
}{
	{regexp.MustCompile(`(?m)^conntrack v.*\n`), ""},
	{regexp.MustCompile(`((?:tcp|udp|icmp|icmpv6) +(?:6|17|1|58)) \d+`), "$1 SECONDS"},
	{regexp.MustCompile(`(sport|dport)=(\d{4,5})\b`), "$1=PORT"},
	{regexp.MustCompile(`\bid=\d+`), "id=ID"},
}

// shape replaces what differs from one connection to the next in lines of conntrack -L; equal lines are one.
func shape(list string) string {
	for _, c := range changing {
		list = c.is.ReplaceAllString(list, c.as)
	}
	lines := strings.Split(strings.TrimSpace(list), "\n")
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}
