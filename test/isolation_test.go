package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a lab may not reach, and what cannot reach a lab.

// TestF31Closed: the host's own addresses, those without an interface (AnyIP) too and from the moment at which they come, its
// loopback, and where clouds keep a machine's secrets.
func TestF31Closed(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		name, file := "closed", gatewayLab
		if allowed {
			name, file = "allow_host", strings.Replace(file, "{uplink: UPLINK}", "{uplink: UPLINK, allow_host: true}", 1)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, byHost, file)
			s.out.shell(`
				ip -n HOST@ addr add 192.168.77.1/24 dev lo
				ip -n HOST@ addr add 169.254.169.254/32 dev lo
				ip -n HOST@ addr add 169.254.170.2/32 dev lo
				ip -n HOST@ route add local 198.18.77.0/24 dev lo`)
			s.start()
			s.out.shell("ip -n HOST@ addr add 192.168.78.1/24 dev lo")
			s.sayWho("HOST", ":80", ":53") // whatever is asked, somebody would answer
			tests := []struct {
				to     string
				opened string // what happens if the lab allows it
			}{
				{"192.168.78.1:80", "well"}, {"192.168.77.1:80", "well"}, {"169.254.169.254:80", "well"}, {"169.254.170.2:80", "well"},
				{"198.18.77.9:80", "well"}, {hostIP + ":80", "well"}, {hostIP + ":81", "refused"},
				{"0.0.0.0:80", "refused"}, // RED itself
			}
			for _, test := range tests {
				want := "host unreachable"
				if allowed || strings.HasPrefix(test.to, "0.0.0.0:") {
					want = test.opened
				}
				c, err := s.dial("RED", "tcp4", "", test.to, patience)
				if err == nil {
					c.Close()
				}
				if got := explain(err); got != want && (want != "host unreachable" || err == nil) {
					t.Errorf("TCP to %s: %s; want %s", test.to, got, want)
				}
			}
			if got := s.asksUDP("RED", "", "192.168.77.1:53"); (strings.HasPrefix(got, hostIP) || strings.HasPrefix(got, "192.168.77.1")) != allowed {
				t.Errorf("UDP to an address of the host's: %s", got)
			}
			if got := s.ping("RED", "-W", "2", "192.168.77.1"); strings.Contains(got, "ttl=") != allowed {
				t.Errorf("ping of an address of the host's: %s", got)
			}
			if !allowed {
				e := s.event("refusal", func(e event) bool { return e.Reason == "host-forbidden" })
				contains(t, e.Text, "allow_host")
			}
			// 127.0.0.0/8 never leaves a namespace by itself; sent all the same it is a martian.
			s.send("RED", gatewayMAC, redMAC, "0800", hexOf(echoTo(redIP, "127.0.0.1")))
			s.event("drop of a packet to 127.0.0.1", func(e event) bool { return strings.Contains(e.Reason, "martian") })
		})
	}
}

// TestG14Networks: two networks never talk, neither by name of a host nor by any port, until there is a rule; and then
// as far as the rule goes.
func TestG14Networks(t *testing.T) {
	needs(t, "nmap", "curl")
	t.Parallel()
	// With Docker's rules there would be three walls; TestW4DockerIsolation takes those down.
	s := startSite(t, byNetns, strings.NewReplacer(`, ports: ["8080:80", "127.0.0.1:8081:80", "5353:53/udp"]`, "",
		`, ports: ["8082:80"]`, "", "uplink: UPLINK", "uplink: UPLINK, docker_rules: off").Replace(gatewayLab))
	s.sayWho("BLUE", ":80", ":53")
	s.sayWho("WEB", ":80", ":53")
	apart := map[string]string{"RED > 10.2.0.2": "filtered", "BLUE > 10.2.0.2": "filtered", "WEB > 11.11.11.2": "filtered",
		"WEB > 11.11.11.3": "filtered", "RED > 11.11.11.3": "22 closed, 80 open, 8080 closed", "NET > 192.168.104.2": "22 closed, 80 closed, 8080 closed",
		"RED > 11.11.11.1": "22 closed, 80 closed, 8080 closed", "RED > 10.2.0.1": "22 closed, 80 closed, 8080 closed"}
	s.matrix(apart)
	// The name server is the only port of the gateway's that is open, for the hosts of a network at their own gateway's address:
	// without it nobody would find anybody by name. From elsewhere it is not there, by any address.
	for _, udp := range []struct{ host, to, want string }{
		{"RED", webIP, "53 open|filtered"}, {"WEB", blueIP, "53 open|filtered"}, {"RED", blueIP, "53 open"},
		{"RED", gatewayIP, "53 open"}, {"WEB", "10.2.0.1", "53 open"}, {"RED", "10.2.0.1", "53 closed"}, {"WEB", gatewayIP, "53 closed"},
		{"RED", hostIP, "53 closed"}, {"NET", hostIP, "53 closed"},
	} {
		text := s.exec(udp.host, "nmap", "-n", "-Pn", "-sU", "--max-retries", "1", "--max-rtt-timeout", "300ms", "-p", "53", udp.to)
		if got := nmapPorts(text); got != udp.want {
			t.Errorf("nmap -sU %s > %s: %s, want %s", udp.host, udp.to, got, udp.want)
		}
	}
	drop := s.event("drop between the networks", func(e event) bool { return e.Hook == "forward" && e.Reason == "policy-drop" })
	if drop.Rule != "-P FORWARD DROP" {
		t.Errorf("the trace names %q", drop.Rule)
	}
	s.iptables("-A FORWARD -s 11.11.11.0/24 -d 10.2.0.2 -p tcp --dport 80 -j ACCEPT")
	apart["RED > 10.2.0.2"], apart["BLUE > 10.2.0.2"] = "22 filtered, 80 open, 8080 filtered", "22 filtered, 80 open, 8080 filtered"
	s.matrix(apart)
	s.iptables("-D FORWARD -s 11.11.11.0/24 -d 10.2.0.2 -p tcp --dport 80 -j ACCEPT")
	apart["RED > 10.2.0.2"], apart["BLUE > 10.2.0.2"] = "filtered", "filtered"
	s.matrix(apart)
}

// matrix scans three ports for each pair and compares.
func (s *site) matrix(want map[string]string) {
	s.t.Helper()
	var pairs []string
	for pair := range want {
		pairs = append(pairs, pair)
	}
	slices.Sort(pairs)
	for _, pair := range pairs {
		from, to, _ := strings.Cut(pair, " > ")
		got := nmapPorts(s.exec(from, "nmap", "-n", "-Pn", "-sT", "--max-retries", "1", "--max-rtt-timeout", "300ms", "-p", "22,80,8080", to))
		if want[pair] == "filtered" {
			want[pair] = "22 filtered, 80 filtered, 8080 filtered"
		}
		if got != want[pair] {
			s.t.Errorf("nmap %s: %s; want %s", pair, got, want[pair])
		}
	}
}

var nmapPort = regexp.MustCompile(`(?m)^(\d+)/(?:tcp|udp) +(\S+)`)

func nmapPorts(text string) string {
	var ports []string
	for _, m := range nmapPort.FindAllStringSubmatch(text, -1) {
		ports = append(ports, m[1]+" "+m[2])
	}
	return strings.Join(ports, ", ")
}

// TestF95FromInside: all ports of the gateway and of the host, from inside, are closed. Files are another matter: that
// others cannot open the control socket is TestF83SocketIsTheUsersAlone.
func TestF95FromInside(t *testing.T) {
	needs(t, "nmap", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, strings.ReplaceAll(gatewayLab, `, "127.0.0.1:8081:80", "5353:53/udp"`, ""), "--trace", "off")
	s.listen("HOST", ":631")
	s.listen("HOST", "127.0.0.1:6379")
	s.sayWho("BLUE", ":80", "")
	for _, to := range []string{gatewayIP, "10.2.0.1", hostIP} {
		text := s.exec("RED", "nmap", "-n", "-Pn", "-sT", "-T4", "--max-retries", "6", "-p", "1-10000", to)
		// On a busy machine nmap gives up on a port here and there and calls it filtered: what counts is what is open.
		for port := range strings.SplitSeq(nmapPorts(text), ", ") {
			names := to == gatewayIP && port == "53 open" // of its own network, and nowhere else
			if strings.HasSuffix(port, " open") && port != "8080 open" && port != "8082 open" && !names {
				t.Errorf("%s: %s; want what is published, 8080 and 8082, the name server, and nothing else", to, port)
			}
		}
		if got := s.asksTCP("RED", to+":8080"); got == "" {
			t.Errorf("%s: nobody answers at the published port 8080", to)
		}
	}
}

// TestIsolatedPorts: no frame of any kind gets from one isolated port to another, whatever addresses it has; what is sent by way
// of the gateway is the rules' business.
func TestIsolatedPorts(t *testing.T) {
	needs(t, "mausezahn", "tcpdump", "arping")
	t.Parallel()
	l := startLab(t, strings.Replace(strings.Replace(threeHosts, "11.11.11.2}", "11.11.11.2, x-uswitch: {isolated: true}}", 1),
		"11.11.11.3}", "11.11.11.3, x-uswitch: {isolated: true}}", 1))
	for _, host := range []string{"RED", "BLUE"} {
		if !l.pings(host, greenIP) || !l.pings(host, gatewayIP) {
			t.Errorf("%s does not reach who is not isolated", host)
		}
	}
	blue, green := l.sniff("BLUE"), l.sniff("GREEN")
	const vlan = "8100 0064"
	frames := [][]string{
		{blueMAC, redMAC, "0800", hexOf(echoTo(redIP, blueIP))},
		{everyone, redMAC, "0800", hexOf(echoTo(redIP, blueIP))},
		{"01:00:5e:00:00:01", redMAC, "0800", hexOf(echoTo(redIP, blueIP))},
		{blueMAC, redMAC, experiment, marker(1)},
		{blueMAC, redMAC, vlan, experiment, marker(2)},
		{blueMAC, greenMAC, experiment, marker(3)}, // in GREEN's name, who may talk to BLUE
		{blueMAC, gatewayMAC, experiment, marker(4)},
		{blueMAC, blueMAC, experiment, marker(5)},
		{"33:33:00:00:00:01", redMAC, "86dd", marker(6)},
		{"02:00:00:00:00:99", redMAC, experiment, marker(7)},
		{everyone, redMAC, experiment, marker(8)},
	}
	for _, frame := range frames {
		l.send("RED", frame...)
	}
	if text, status := output(t, l.in("RED", "arping", "-I", "eth0", "-c", "1", "-w", "1", blueIP)...); status == 0 {
		t.Errorf("BLUE has answered RED: %s", text)
	}
	green.await("the last frame", octets(frames[len(frames)-1]...))
	l.send("GREEN", everyone, greenMAC, experiment, marker(9)) // so that the switch knows again where they are
	l.send("BLUE", everyone, blueMAC, experiment, marker(10))
	if !l.pings("GREEN", blueIP) { // and so BLUE has seen whatever was on its way to it
		t.Error("GREEN does not reach BLUE")
	}
	for _, frame := range frames {
		if n := blue.count(octets(frame...)); n > 0 {
			t.Errorf("BLUE got %v", frame)
		}
	}
	l.drop("RED", "isolated")

	// By the gateway, as in Linux, whose bridge keeps frames apart and not packets. The rule that is missing is one for FORWARD.
	through := []string{gatewayMAC, redMAC, "0800", hexOf(echoTo(redIP, blueIP))}
	l.do("iptables", "-I", "DOCKER-USER", "-i", "br0", "-o", "br0", "-j", "DROP")
	l.send("RED", through...)
	l.event("the rule's drop", func(e event) bool { return e.Rule == "-A DOCKER-USER -i br0 -o br0 -j DROP" })
}

// TestTwoProjects: two labs on one machine, each with its project's own network, know nothing of each other.
func TestTwoProjects(t *testing.T) {
	needs(t, "arping")
	t.Parallel()
	const file = "name: lab@\nservices:\n  RED@: {}\nx-uswitch: {uplink: none}\n"
	one, other := startLab(t, file), startLab(t, file)
	for _, l := range []*lab{one, other} {
		if !l.pings("RED", "172.18.0.1") {
			t.Error("a host does not reach its gateway")
		}
	}
	// The same addresses are on both, for they are two worlds.
	bridge := func(l *lab) string {
		_, after, _ := strings.Cut(l.tell("brctl", "show"), "\n")
		name, _, _ := strings.Cut(after, "\t")
		return name
	}
	if a, b := bridge(one), bridge(other); a == b || len(a) != len("br-")+12 || len(b) != len("br-")+12 {
		t.Errorf("the two networks are called %q and %q", a, b)
	}
	n := other.stdout.count()
	one.send("RED", everyone, "02:42:ac:12:00:02", experiment, marker(1))
	one.event("the frame", func(e event) bool { return e.EtherType == "0x"+experiment })
	if !other.pings("RED", "172.18.0.1") {
		t.Error("the other lab has ended")
	}
	more, _, _ := other.stdout.from(n)
	for _, line := range more {
		if strings.Contains(line, "0x"+experiment) {
			t.Errorf("a frame of the one lab is in the other: %s", line)
		}
	}
}
