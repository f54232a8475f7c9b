package test

import (
	"net"
	"regexp"
	"strings"
	"testing"
)

// What people type to look at IPv6, with the programs of a real system, over a link that carries 1280 bytes; and ten mebibytes each
// way, byte for byte, with offload and without.

// flows6 are flows in IPv6.
var flows6 = []struct{ name, from, to, server string }{
	{"bridged", "RED", "[" + blue6 + "]:80", "BLUE"},
	{"routed", "RED", "[" + web6 + "]:80", "WEB"},
	{"out", "RED", "[" + net6 + "]:80", "NET"},
	{"published", "NET", "[" + host6 + "]:8080", "BLUE"},
	{"published, from the host's loopback", "HOST", "[::1]:8080", "BLUE"},
	{"hairpin", "RED", "[" + host6 + "]:8080", "BLUE"},
	{"hairpin to oneself", "BLUE", "[" + host6 + "]:8080", "BLUE"},
	{"hairpin from another network", "WEB", "[" + host6 + "]:8080", "BLUE"},
}

func TestIPv6TenMebibytes(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	for _, offload := range []string{"on", "off"} {
		t.Run("offload "+offload, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, byHost, gatewayLab6)
			s.out.shell(sixOutside)
			s.start("--trace", "off", "--offload", offload)
			s.do("ip6tables", "-t", "raw", "-F")
			s.do("ip6tables", "-I", "DOCKER-USER", "-i", "br0", "-o", "br1", "-j", "ACCEPT")
			servers := map[string]net.Listener{}
			for _, host := range []string{"BLUE", "WEB", "NET"} {
				servers[host] = s.listen(host, "[::]:80")
			}
			for _, f := range flows6 {
				t.Run(f.name, func(t *testing.T) {
					for _, first := range []string{"client", "server", "both"} {
						server := accept(servers[f.server])
						client := s.connect(f.from, f.to)
						exchange(t, first, client, <-server)
					}
				})
			}
		})
	}
}

func TestIPv6Tools(t *testing.T) {
	needs(t, "traceroute", "traceroute6", "tracepath", "dig", "nmap", "iperf3", "curl")
	t.Parallel()
	l := startLab(t, twoFamilies)
	blue := regexp.MustCompile(`inet6 (fd\S+)/64`).FindStringSubmatch(l.exec("BLUE", "ip", "-6", "addr", "show", "eth0"))[1]
	l.sayWho("BLUE", "[::]:80", "")
	l.sayWho("PINK", "[::]:80", "")
	l.do("ip6tables", "-P", "FORWARD", "ACCEPT")
	l.do("ip6tables", "-F", "FORWARD")

	l.exec("BLUE", "sysctl", "-qw", "net.ipv6.icmp.ratelimit=0")
	way := "1 fd00:1::1, 2 " + blue
	for _, argv := range [][]string{{"traceroute", "-6", "-n", "-q", "1", blue}, {"traceroute", "-6", "-n", "-q", "1", "-I", blue},
		{"traceroute", "-6", "-n", "-q", "1", "-T", "-p", "80", blue}, {"traceroute6", "-n", "-q", "1", blue}} {
		if got := l.hops("RED", argv...); got != way {
			t.Errorf("%s: %s, want %s", argv, got, way)
		}
	}
	contains(t, l.exec("RED", "tracepath", "-6", "-n", blue), "Resume: pmtu 1280 hops 2 back 2")
	contains(t, l.exec("RED", "ping6", "-c", "1", "-s", "65000", blue), "1 received")
	contains(t, l.exec("RED", "curl", "-6", "-g", "-sS", "-m", "20", "http://["+blue+"]/"), "["+strings.TrimSuffix(blue, "2")+"1]:") // masqueraded
	contains(t, l.exec("RED", "curl", "-6", "-g", "-sS", "-m", "20", "http://[fe80::42:bff:fe0b:b03%25eth0]/"), "]:")
	contains(t, l.inside("RED", "curl", "-6", "-sS", "-m", "20", "http://"+l.ns("PINK")+"/"), "[fd00:1::2]:")
	for _, words := range [][]string{{"AAAA", l.ns("PINK")}, {"@fd00:1::1", "AAAA", l.ns("PINK")}, {"@fd00:1::1", "+tcp", "AAAA", l.ns("PINK")}} {
		if got := l.dig("RED", words...); got != "fd00:1::77" {
			t.Errorf("dig %s: %s", words, got)
		}
	}
	contains(t, l.dig("RED", "-x", "fd00:1::77"), l.ns("PINK"))
	scan := l.exec("RED", "nmap", "-6", "-n", "-Pn", "-p", "80,81", blue)
	contains(t, scan, "80/tcp open", "81/tcp closed")
	contains(t, l.exec("RED", "nmap", "-6", "-n", "-sn", "fd00:1::77"), "Host is up", strings.ToUpper("02:42:0b:0b:0b:03"))

	server := begin(t, l.in("BLUE", "iperf3", "-s", "--forceflush")...)
	seen := 0
	for _, more := range [][]string{nil, {"-R"}, {"-u", "-b", "20M"}} {
		server.stdout.find(t, seen, "sign that iperf3 listens", containing("listening"))
		seen = server.stdout.count()
		contains(t, l.exec("RED", append([]string{"iperf3", "-6", "-t", "1", "-c", blue}, more...)...), "receiver")
	}
}
