package test

import (
	"strings"
	"testing"
)

// tutorial is W3's lab at the point where the outside comes in: FORWARD's policy is DROP, and one rule lets the network
// out; nothing is masqueraded yet.
const tutorial = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}}
x-uswitch:
  uplink: UPLINK
  rules: ["-P FORWARD DROP", "-A FORWARD -s 11.11.11.0/24 -j ACCEPT"]
`

// TestW3Outside goes on where TestW3Walkthrough ends, as a learner types it, on an interface in a namespace, on sockets and in
// the internet in memory.
func TestW3Outside(t *testing.T) {
	needs(t, "tcpdump", "nsenter")
	t.Parallel()
	for way, ttl := range map[string]string{byNetns: "ttl=62", byHost: "ttl=62", bySim: "ttl=61"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			l := startSite(t, way, tutorial)
			red := l.sniff("RED")

			l.fails("3.9", "no answer")
			if way == byNetns {
				seen := l.event("RED's own address outside", func(e event) bool { return e.Hook == "egress" && e.Where == "uplink" })
				contains(t, seen.Text, "outside")
			} else {
				l.event("a source that nobody outside can answer", func(e event) bool { return e.Reason == "inside-source" })
			}
			if red.answered() {
				t.Error("3.9: on br0 a reply is seen")
			}

			l.iptables("-t nat -A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE")
			contains(t, l.iptables("-t nat -S"), "-A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE\n")
			from := l.stdout.count()
			l.fails("3.10", "the answer is dropped")

			// 3.11: the reply is translated back, and only the source network is allowed.
			back := l.eventFrom(from, "the answer, translated back", func(e event) bool {
				return e.Hook == "prerouting" && e.Verdict == "rewrite" && e.After.Dst == redIP
			})
			contains(t, back.Text, redIP)
			drop := l.eventFrom(from, "drop of the answer", func(e event) bool { return e.Hook == "forward" && e.Reason == "policy-drop" })
			if drop.Rule != "-P FORWARD DROP" || drop.Packet != back.Packet {
				t.Errorf("3.11: the trace names %q, of packet %d; want the policy, of packet %d", drop.Rule, drop.Packet, back.Packet)
			}
			if l.policy("FORWARD") == 0 {
				t.Errorf("3.11: the policy's counter has not grown:\n%s", l.iptables("-L FORWARD -v"))
			}
			contains(t, l.iptables("-t filter -S"), "-P FORWARD DROP\n", "-A FORWARD -s 11.11.11.0/24 -j ACCEPT\n")

			l.iptables("-t filter -A FORWARD -d 11.11.11.0/24 -j ACCEPT")
			for _, host := range []string{"RED", "BLUE"} {
				if got, want := l.ping(host, dnsIP), "64 8.8.8.8 "+ttl; got != want {
					t.Errorf("3.12: %s: %s, want %s", host, got, want)
				}
			}
			list := l.iptables("-t filter -L -n")
			contains(t, list, "Chain FORWARD (policy DROP)", "ACCEPT     0    --  11.11.11.0/24        0.0.0.0/0",
				"ACCEPT     0    --  0.0.0.0/0            11.11.11.0/24")

			l.set("gateway", "ip_forward=0")
			from = l.stdout.count()
			l.fails("3.13", "nothing is forwarded")
			e := l.eventFrom(from, "drop for ip_forward", func(e event) bool { return e.Reason == "ip-forward-off" })
			contains(t, e.Text, "ip_forward")
			l.set("gateway", "ip_forward=1")

			// 3.14: the homework.
			from = l.stdout.count()
			if got := l.ping("RED", dnsIP); !strings.HasSuffix(got, ttl) {
				t.Errorf("3.14: %s", got)
			}
			homework := l.eventFrom(from, "answer to the homework", func(e event) bool { return e.Hook == "prerouting" && e.After.Dst == redIP })
			contains(t, homework.Text, "the answer of connection", "known by its reply tuple", "becomes "+redIP)
			contains(t, l.conntrack("-L", "-p", "icmp", "-s", redIP), "src=11.11.11.2 dst=8.8.8.8 type=8",
				"src=8.8.8.8 dst=192.168.104.2 type=0")
		})
	}
}

// fails is a ping that must not be answered.
func (s *site) fails(step, why string) {
	s.t.Helper()
	if got := s.ping("RED", "-W", "1", dnsIP); got != "silence" {
		s.t.Errorf("%s: %s; want silence: %s", step, got, why)
	}
}

// policy returns how many packets a policy has decided.
func (l *lab) policy(chain string) (packets int) {
	l.t.Helper()
	for line := range strings.Lines(l.do("iptables-save", "-c")) {
		if rest, ok := strings.CutPrefix(line, ":"+chain+" DROP ["); ok {
			packets, _, _ = number(rest)
		}
	}
	return packets
}

func number(s string) (n int, rest string, ok bool) {
	for rest = s; rest != "" && rest[0] >= '0' && rest[0] <= '9'; rest = rest[1:] {
		n, ok = n*10+int(rest[0]-'0'), true
	}
	return n, rest, ok
}

// answered reports whether an echo reply was seen.
func (s *sniffer) answered() bool {
	for _, f := range s.seen() {
		if len(f) > 34 && f[12] == 8 && f[13] == 0 && f[23] == 1 && f[34] == 0 {
			return true
		}
	}
	return false
}
