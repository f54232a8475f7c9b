package test

import (
	"strings"
	"testing"
	"time"
)

// The same in IPv6: the kernel's bridges, veths and ip6tables, and uswitch on the host's sockets, with the same rules and the same
// probes.

// gatewayLab6 is gatewayLab with IPv6.
const gatewayLab6 = `
name: lab@
networks:
  br0: {enable_ipv6: true, ipam: {config: [{subnet: 11.11.11.0/24}, {subnet: "fd00:1::/64"}]}}
  br1: {enable_ipv6: true, ipam: {config: [{subnet: 10.2.0.0/24}, {subnet: "fd00:2::/64"}]}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2, ipv6_address: "fd00:1::2"}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3, ipv6_address: "fd00:1::3"}}, ports: ["8080:80", "5353:53/udp"]}
  WEB@: {networks: {br1: {ipv4_address: 10.2.0.2, ipv6_address: "fd00:2::2"}}, ports: ["8082:80"]}
x-uswitch: {uplink: UPLINK}
`

// Addresses of gatewayLab6 and of its outside.
const (
	gateway6, gatewayBack6, red6, blue6, web6 = "fd00:1::1", "fd00:2::1", "fd00:1::2", "fd00:1::3", "fd00:2::2"
	host6, isp6, net6, dns6, narrow6          = "2001:db8:104::2", "2001:db8:104::1", "2001:db8:64::2", "2001:db8:8::8", "2001:db8:4::4"
	prohibited6, rejected6, none6             = "2001:db8:bad::96", "2001:db8:bad::97", "2001:db8:bad::95"
	dead6, black6                             = "2001:db8:bad::98", "2001:db8:bad::99"
)

// moreOutside6 has, beside sixOutside, a narrow link and addresses that are dead, each in its own way.
const moreOutside6 = sixOutside + `
	ip -n NET@ addr add 2001:db8:4::4/128 dev lo && ip -n ISP@ -6 route add 2001:db8:4::4 via 2001:db8:64::2 mtu lock 1300
	ip -n ISP@ -6 route add 2001:db8:bad::/48 via 2001:db8:64::77
	ip netns exec ISP@ sysctl -qw net.ipv6.neigh.wan.retrans_time_ms=200
	ip netns exec NET@ sysctl -qw net.ipv6.icmp.ratelimit=0
	ip netns exec ISP@ ip6tables -w -A FORWARD -d 2001:db8:bad::95 -j REJECT --reject-with icmp6-no-route
	ip netns exec ISP@ ip6tables -w -A FORWARD -d 2001:db8:bad::96 -j REJECT --reject-with icmp6-adm-prohibited
	ip netns exec ISP@ ip6tables -w -A FORWARD -d 2001:db8:bad::97 -j REJECT --reject-with icmp6-addr-unreachable
	ip netns exec ISP@ ip6tables -w -A FORWARD -d 2001:db8:bad::99 -j DROP`

// newKernel6 is newKernel with IPv6.
func newKernel6(t *testing.T, rules string) *site {
	t.Helper()
	s := newKernel(t, "")
	s.out.shell(moreOutside6 + `
		ip netns exec HOST@ sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.icmp.ratelimit=0
		ip netns exec HOST@ sysctl -qw net.bridge.bridge-nf-call-ip6tables=0 || true
		ip -n HOST@ addr add fd00:1::1/64 dev br0 nodad && ip -n HOST@ addr add fd00:2::1/64 dev br1 nodad`)
	for host, at := range map[string][2]string{"RED": {red6, gateway6}, "BLUE": {blue6, gateway6}, "WEB": {web6, gatewayBack6}} {
		must(t, "ip", "-n", s.ns(host), "addr", "add", at[0]+"/64", "dev", "eth0", "nodad")
		must(t, "ip", "-n", s.ns(host), "-6", "route", "add", "default", "via", at[1])
	}
	s.feed("HOST", rules, "ip6tables-restore", "-w")
	return s
}

// documented6 are the differences from the kernel: those of IPv4, for the same reasons (documented).
var documented6 = map[string]string{
	"too big and not to be cut": "fd00:2::1 Packet too big: mtu=1300",
	"published, nobody listens": "reset",
}

func TestLikeTheKernelInIPv6(t *testing.T) {
	needs(t, "curl", "dig", "traceroute", "tracepath", "mtr", "ip6tables-restore", "conntrack", "nsenter")
	t.Parallel()
	ours := newSite(t, byHost, gatewayLab6)
	ours.out.shell(moreOutside6)
	ours.start()
	sites := map[string]*site{byHost: ours, byKernel: newKernel6(t, ours.tell("ip6tables-save"))}
	seen := map[string]map[string]string{}
	results := make(chan func())
	for way, s := range sites {
		s.sayWho("NET", "[::]:80", "["+dns6+"]:53")
		s.sayWho("BLUE", "[::]:80", "[::]:53")
		go func() {
			got := map[string]string{}
			defer func() { results <- func() { seen[way] = got } }() // also if a probe cannot be made, which fails the test
			for _, p := range probes6 {
				got[p.name] = p.do(s)
			}
		}()
	}
	for range sites {
		(<-results)()
	}
	for _, p := range probes6 {
		t.Run(strings.ReplaceAll(p.name, " ", "_"), func(t *testing.T) {
			want, got := seen[byKernel][p.name], seen[byHost][p.name]
			t.Logf("the kernel: %s", want)
			expected, different := documented6[p.name]
			switch {
			case different && expected == want:
				t.Error("documented as a difference, but there is none")
			case !different:
				expected = want
			}
			if got != expected {
				t.Errorf("%s\nwant: %s", got, expected)
			}
		})
	}
}

// probes6 each say in a few words what a host sees.
var probes6 = []struct {
	name string
	do   func(*site) string
}{
	{"ping the gateway", pinging("RED", gateway6)},
	{"ping the gateway by its link-local address", pinging("RED", "fe80::42:bff:fe0b:b01%eth0")},
	{"ping the gateway with hop limit 1", pinging("RED", "-t", "1", gateway6)},
	{"ping the gateway's outside address", pinging("RED", host6)},
	{"ping the gateway's address on another network", pinging("RED", gatewayBack6)},
	{"ping the gateway, in fragments", pinging("RED", "-s", "65000", gateway6)},
	{"ping the next hop", pinging("RED", isp6)},
	{"ping far outside", pinging("RED", dns6)},
	{"ping from outside", pinging("NET", host6)},
	{"ping with hop limit 1", pinging("RED", "-t", "1", dns6)},
	{"ping with hop limit 2", pinging("RED", "-t", "2", dns6)},
	{"traceroute -U", tracing("RED", "traceroute", "-6", "-n", "-q", "1", "-w", "3", dns6)},
	{"traceroute -I", tracing("BLUE", "traceroute", "-6", "-n", "-q", "1", "-w", "3", "-I", dns6)},
	{"traceroute -T", tracing("WEB", "traceroute", "-6", "-n", "-q", "1", "-w", "3", "-T", dns6)},
	{"mtr", tracing("BLUE", "mtr", "-6", "-n", "-r", "-c", "1", "-G", "2", dns6)},
	{"tracepath finds the narrow link", func(s *site) string {
		text := s.exec("BLUE", "tracepath", "-6", "-n", narrow6)
		return text[strings.LastIndex(text, "Resume"):]
	}},
	{"too big and not to be cut", pinging("WEB", "-M", "do", "-s", "1400", narrow6)},
	{"fragments out and back", pinging("RED", "-s", "8000", dns6)},
	{"ping a dead address", pinging("RED", dead6)},
	{"ping a black hole", pinging("RED", "-W", "2", black6)},
	{"ping what is prohibited", pinging("RED", prohibited6)},
	{"ping where no route leads", pinging("RED", none6)},
	{"ping what is rejected", pinging("RED", rejected6)},
	{"ping beyond the networks", pinging("RED", "fd00:9::9")},
	{"ping a neighbour that is not there", pinging("RED", "fd00:1::99")},
	{"TCP to a closed port", dialling("RED", "["+dns6+"]:99")},
	{"TCP where no route leads", dialling("RED", "["+none6+"]:80")},
	{"TCP to what is rejected", dialling("RED", "["+rejected6+"]:80")},
	{"TCP to what is prohibited", dialling("RED", "["+prohibited6+"]:80")},
	{"TCP to a dead address", dialling("RED", "["+dead6+"]:80")},
	{"TCP to a black hole", dialling("RED", "["+black6+"]:80")},
	{"UDP to a closed port", func(s *site) string { return s.asksUDP("RED", "", "["+dns6+"]:99") }},
	{"UDP to what is rejected", func(s *site) string { return s.asksUDP("RED", "", "["+rejected6+"]:99") }},
	{"UDP to a black hole", func(s *site) string { return s.asksUDP("RED", "", "["+black6+"]:99") }},
	{"dig at a closed port", func(s *site) string {
		text, _ := output(s.t, s.in("RED", "dig", "+tries=1", "+timeout=3", "-p", "98", "@"+dns6, "AAAA", "x.")...)
		_, said, _ := strings.Cut(text, "error to ")
		return strings.TrimSpace(strings.Split(said, "\n")[0])
	}},
	{"TCP to a closed port of the gateway", dialling("RED", "["+gateway6+"]:23")},
	{"UDP to a closed port of the gateway", func(s *site) string { return s.asksUDP("WEB", "", "["+gatewayBack6+"]:9") }},
	{"who is seen outside, TCP", func(s *site) string { return withoutPort(s.asksTCP("RED", "["+dns6+"]", "-6", "-g")) }},
	{"who is seen outside, UDP", func(s *site) string { return withoutPort(s.asksUDP("RED", "", "["+dns6+"]:53")) }},
	{"published, TCP", func(s *site) string { return s.asksTCP("NET", "["+host6+"]:8080", "--local-port", "40001") }},
	{"published, UDP", func(s *site) string { return s.asksUDP("NET", "["+net6+"]:40002", "["+host6+"]:5353") }},
	{"hairpin, TCP", func(s *site) string { return withoutPort(s.asksTCP("RED", "["+host6+"]:8080")) }},
	{"hairpin, UDP", func(s *site) string { return withoutPort(s.asksUDP("RED", "", "["+host6+"]:5353")) }},
	{"hairpin to oneself, TCP", func(s *site) string { return withoutPort(s.asksTCP("BLUE", "["+host6+"]:8080")) }},
	{"hairpin by the gateway's inside address", func(s *site) string { return withoutPort(s.asksTCP("RED", "["+gateway6+"]:8080")) }},
	{"published, from the other network", func(s *site) string { return s.asksTCP("WEB", "["+host6+"]:8080", "--local-port", "40003") }},
	{"published, nobody listens", func(s *site) string { return s.firstByte("NET", "["+host6+"]:8082") }},
	{"not published", dialling("NET", "["+host6+"]:8099")},
	{"another network, ping", pinging("WEB", "-W", "2", red6)},
	{"another network, TCP", dialling("RED", "["+web6+"]:80")},
	{"conntrack -L of an echo", func(s *site) string {
		s.exec("WEB", "ping", "-c", "3", "-i", "0.1", dns6)
		return s.tracked6("icmpv6", web6, dns6)
	}},
	{"conntrack -L of a closed connection", func(s *site) string {
		s.asksTCP("WEB", "["+net6+"]")
		for end := time.Now().Add(patience); strings.Contains(s.tracked6("tcp", web6, net6), "FIN_WAIT") && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		return s.tracked6("tcp", web6, net6)
	}},
	{"conntrack -L of a question and its answer", func(s *site) string {
		s.asksUDP("WEB", "", "["+dns6+"]:53")
		return s.tracked6("udp", web6, dns6)
	}},
	{"conntrack -L of a published port", func(s *site) string {
		return shape(s.conntrack("-L", "-f", "ipv6", "-p", "udp", "--orig-src", net6, "-o", "extended"))
	}},
}

// tracked6 lists what is known of connections, in the shape of the real tool's lines.
func (s *site) tracked6(proto, from, to string) string {
	return shape(s.conntrack("-L", "-f", "ipv6", "-p", proto, "--orig-src", from, "--orig-dst", to))
}
