package test

import (
	"strings"
	"testing"
)

// The options of Docker's bridges, each by what it does to real traffic, and the rule that decides.
//
//	ICC off               TestICC            from one address to another, and back through the gateway; with nmap
//	internal, isolated    TestInternal       no way out, not even for somebody who gives himself a route; no gateway at all
//	gateway modes         TestGatewayModes   who has a route reaches a container: never, always, its published port
//	host_binding, masquerade, mtu, names     TestBridgeOptions

// closedLab has a network whose hosts are not to reach each other.
//
//	RED 10.1.0.2, BLUE 10.1.0.3 --- closed --- gateway 10.1.0.1 --- uplink: an internet in memory
const closedLab = `
name: lab@
networks:
  closed:
    driver_opts: {com.docker.network.bridge.enable_icc: "false"}
    ipam: {config: [{subnet: 10.1.0.0/24}]}
services:
  RED@: {networks: [closed]}
  BLUE@: {networks: [closed], command: uswitch serve -p 80, ports: ["8080:80"]}
x-uswitch: {uplink: sim, docker_rules: classic}
`

func TestICC(t *testing.T) {
	needs(t, "nmap", "mausezahn", "tcpdump", "arping")
	inEach(t, closedLab, func(t *testing.T, l *lab, dialect string) {
		const red, blue, gateway = "02:42:0a:01:00:02", "02:42:0a:01:00:03", "02:42:0a:01:00:01"
		chain := "DOCKER-FORWARD"
		if dialect == "20.10" {
			chain = "FORWARD"
		}
		icc := "-A " + chain + " -i closed -o closed -j DROP"
		dropped := func(n int, what string) {
			t.Helper()
			l.eventFrom(n, what, func(e event) bool { return e.Hook == "forward" && e.Verdict == "drop" && e.Rule == icc })
		}
		from := l.stdout.count()
		if got := nmapPorts(l.exec("RED", "nmap", "-n", "-Pn", "-sT", "--max-retries", "1", "--max-rtt-timeout", "300ms", "-p", "22,80", "10.1.0.3")); got != "22 filtered, 80 filtered" {
			t.Errorf("nmap: %s", got)
		}
		dropped(from, "a connection to a neighbour")
		if text, status := output(t, l.in("RED", "arping", "-I", "eth0", "-c", "1", "10.1.0.3")...); status != 0 {
			t.Errorf("ARP is no packet of IP's, and is not filtered: %s", text)
		}
		if !l.pings("RED", "8.8.8.8") || !l.pings("RED", "10.1.0.1") {
			t.Error("RED does not reach the outside, or the gateway")
		}
		if _, status := output(t, l.in("RED", "curl", "-sf", "-m", "5", "--retry", "3", "--retry-all-errors", "http://10.1.0.1:8080/")...); status != 0 {
			t.Error("a published port is not open to a neighbour")
		}

		// Around the rule: by the gateway, as a broadcast, in the gateway's name.
		sniffer := l.sniff("BLUE", "icmp")
		echo := hexOf(echoTo("10.1.0.2", "10.1.0.3"))
		for what, frame := range map[string][]string{
			"by the gateway":          {gateway, red, "0800", echo},
			"to all":                  {everyone, red, "0800", echo},
			"to a group":              {"01:00:5e:00:00:01", red, "0800", echo},
			"to the neighbour itself": {blue, red, "0800", echo},
			"to nobody that is known": {"02:00:00:00:00:99", red, "0800", echo},
		} {
			n := l.stdout.count()
			l.send("RED", frame...)
			l.eventFrom(n, "the end of a ping "+what, func(e event) bool { return e.Verdict == "drop" && e.Before.Dst == "10.1.0.3" })
		}
		// The rule can be broken, and then all of it arrives.
		l.do("iptables", "-D", chain, "-i", "closed", "-o", "closed", "-j", "DROP")
		l.do("iptables", "-I", "DOCKER-USER", "-i", "closed", "-o", "closed", "-j", "ACCEPT")
		if seen := sniffer.seen(); len(seen) > 0 {
			t.Errorf("BLUE got what was not for it: % x", seen)
		}
		if !l.pings("RED", "10.1.0.3") {
			t.Error("with the rule gone, RED does not reach BLUE")
		}
	})
}

const innerLab = `
name: lab@
networks:
  inner: {internal: true, ipam: {config: [{subnet: 10.1.0.0/24}]}}
  alone: {internal: true, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: isolated}, ipam: {config: [{subnet: 10.2.0.0/24}]}}
  front: {ipam: {config: [{subnet: 10.3.0.0/24}]}}
services:
  RED@: {networks: [inner]}
  BLUE@: {networks: [inner]}
  PINK@: {networks: [alone]}
  GREY@: {networks: [alone]}
  WEB@: {networks: [front]}
x-uswitch: {uplink: sim, docker_rules: classic}
`

func TestInternal(t *testing.T) {
	needs(t, "arping")
	inEach(t, innerLab, func(t *testing.T, l *lab, dialect string) {
		walls := map[string]string{"classic": "DOCKER-ISOLATION-STAGE-1", "29": "DOCKER-INTERNAL"}[dialect]
		for host, neighbour := range map[string]string{"RED": "10.1.0.3", "PINK": "10.2.0.2"} {
			if text, status := output(t, l.in(host, "ping", "-c", "1", "8.8.8.8")...); status == 0 || !strings.Contains(text, "Network is unreachable") {
				t.Errorf("%s: status %d: %s", host, status, text)
			}
			if !l.pings(host, neighbour) {
				t.Errorf("%s does not reach its own network", host)
			}
		}
		// Who gives himself a route comes as far as the rules.
		l.exec("RED", "ip", "route", "add", "default", "via", "10.1.0.1")
		silence := func(host, address, rule string) {
			t.Helper()
			n := l.stdout.count()
			if text, status := output(t, l.in(host, "ping", "-c", "1", "-W", "0.5", address)...); status == 0 {
				t.Errorf("%s reaches %s: %s", host, address, text)
			}
			l.eventFrom(n, host+" to "+address, func(e event) bool { return e.Verdict == "drop" && e.Rule == rule })
		}
		silence("RED", "8.8.8.8", "-A "+walls+" ! -d 10.1.0.0/24 -i inner -j DROP")
		silence("WEB", "10.1.0.2", "-A "+walls+" ! -s 10.1.0.0/24 -o inner -j DROP")
		// The first host of an isolated network has the address that elsewhere is the gateway's, and nobody is there.
		if got := l.exec("PINK", "ip", "-4", "addr", "show", "eth0"); !strings.Contains(got, "10.2.0.1/24") {
			t.Errorf("PINK has %s", got)
		}
		if text := l.tell("ip", "addr", "show", "alone"); strings.Contains(text, "inet ") {
			t.Errorf("the gateway is on an isolated network: %s", text)
		}
		if _, status := output(t, l.in("PINK", "arping", "-I", "eth0", "-c", "1", "-w", "1", "10.2.0.254")...); status == 0 {
			t.Error("somebody answers for an address that nobody has")
		}
		silentNetworks := l.tell("show", "networks")
		contains(t, silentNetworks, "alone")
	}, "classic", "29")
}

// modesOfGateways has a network of each mode, with a page on ports 80 and 81 of which one is published.
const modesOfGateways = `
name: lab@
networks:
  closed: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  open: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: nat-unprotected}, ipam: {config: [{subnet: 10.2.0.0/24}]}}
  routed: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}, ipam: {config: [{subnet: 10.3.0.0/24}]}}
  plain: {driver_opts: {com.docker.network.bridge.enable_ip_masquerade: "false"}, ipam: {config: [{subnet: 10.4.0.0/24}]}}
services:
  PINK@: {networks: [plain]}
  RED@: {networks: [closed], ports: ["8081:80"]}
  BLUE@: {networks: [open], ports: ["8082:80"]}
  WEB@: {networks: [routed], ports: ["8083:80"]}
x-uswitch: {uplink: UPLINK, docker_rules: classic}
`

func TestGatewayModes(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	for _, dialect := range []string{"classic", "29"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			s := startSite(t, byNetns, strings.Replace(modesOfGateways, "docker_rules: classic", "docker_rules: "+dialect, 1))
			for _, host := range []string{"RED", "BLUE", "WEB"} {
				s.sayWho(host, ":80", "")
				s.sayWho(host, ":81", "")
			}
			s.sayWho("NET", ":80", "")
			// The neighbour that every Docker host is warned of: it has a route to the containers.
			s.out.shell(`
				for n in 1 2 3 4; do
					ip -n ISP@ route add 10.$n.0.0/24 via 192.168.104.2
				done`)
			in := func(to string) string { return withoutPort(s.asksTCP("NET", to)) }
			const silence = "curl: status 28"
			for _, test := range []struct{ what, to, want, rule string }{
				{"nat, by the published port", hostIP + ":8081", netIP, "-A DOCKER ! -i closed -p tcp -m tcp --dport 8081 -j DNAT --to-destination 10.1.0.2:80"},
				{"nat, directly", "10.1.0.2:80", silence, "-A PREROUTING -d 10.1.0.2/32 ! -i closed -j DROP"},
				{"nat-unprotected, by the published port", hostIP + ":8082", netIP, "-A DOCKER ! -i open -p tcp -m tcp --dport 8082 -j DNAT --to-destination 10.2.0.2:80"},
				{"nat-unprotected, another port, directly", "10.2.0.2:81", netIP, "-A DOCKER ! -i open -o open -j ACCEPT"},
				{"routed, the published port, directly", "10.3.0.2:80", netIP, "-A DOCKER -d 10.3.0.2/32 ! -i routed -o routed -p tcp -m tcp --dport 80 -j ACCEPT"},
				{"routed, another port, directly", "10.3.0.2:81", silence, "-A DOCKER ! -i routed -o routed -j DROP"},
			} {
				n := s.stdout.count()
				if got := in(test.to); !strings.HasPrefix(got, test.want) {
					t.Errorf("%s: %s; want %s", test.what, got, test.want)
				}
				s.eventFrom(n, test.what, func(e event) bool { return e.Rule == test.rule })
			}
			if !s.pings("NET", "10.3.0.2") {
				t.Error("a routed network does not answer pings")
			}
			if got := withoutPort(s.asksTCP("WEB", siteIP)); got != "10.3.0.2" {
				t.Errorf("from a routed network the outside sees %s; want the host's own address", got)
			}
			// Without masquerading the outside sees the host too, but its answers come straight to it, past the ports.
			n := s.stdout.count()
			if s.pings("PINK", siteIP) {
				t.Error("without masquerading, an answer got through")
			}
			s.eventFrom(n, "the answer's drop", func(e event) bool {
				return e.Rule == "-A PREROUTING -d 10.4.0.2/32 ! -i plain -j DROP" && e.Before.Src == siteIP
			})
			if got := withoutPort(s.asksTCP("RED", siteIP)); got != hostIP {
				t.Errorf("from a network with nat the outside sees %s; want the gateway's address", got)
			}
			contains(t, s.tell("show", "published"), "10.3.0.2:80")
			// Others may come into a routed network as they are, and into no other.
			if got := withoutPort(s.asksTCP("RED", "10.3.0.2:80")); got != "10.3.0.1" {
				t.Errorf("from another network to a routed one: %s; want the gateway's address: its own network translates", got)
			}
			if got := withoutPort(s.asksTCP("RED", "10.2.0.2:80")); strings.HasPrefix(got, silence) != (dialect == "classic") {
				t.Errorf("from another network to one that is not routed: %s", got)
			}
		})
	}
}

const optionsLab = `
name: lab@
networks:
  front:
    driver_opts:
      com.docker.network.bridge.name: br-own
      com.docker.network.bridge.host_binding_ipv4: 127.0.0.1
      com.docker.network.driver.mtu: 1400
    ipam: {config: [{subnet: 10.1.0.0/24, ip_range: 10.1.0.128/25, gateway: 10.1.0.254, aux_addresses: {printer: 10.1.0.128}}]}
services:
  RED@: {networks: {front: {x-uswitch: {veth: veth0000001}}}, ports: ["8080:80", "0.0.0.0:8081:80"]}
  BLUE@: {networks: {front: {ipv4_address: 10.1.0.7}}}
  PINK@: {command: uswitch ping -c 1 172.17.0.2}
  GREY@: {network_mode: bridge}
x-uswitch: {uplink: UPLINK, keep_up: true}
`

// TestBridgeOptions is also W4.2 and W4.3: the project's own network beside docker0.
func TestBridgeOptions(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, optionsLab)
	s.sayWho("RED", ":80", "")
	for at, want := range map[string]string{"192.168.104.2:8080": "curl: status 7", "192.168.104.2:8081": netIP} {
		if got := withoutPort(s.asksTCP("NET", at)); !strings.HasPrefix(got, want) {
			t.Errorf("%s from outside: %s; want %s", at, got, want)
		}
	}
	if got := withoutPort(s.asksTCP("HOST", "127.0.0.1:8080")); got != ispIP {
		t.Errorf("from the machine's loopback: %s", got)
	}
	contains(t, s.exec("RED", "ip", "addr", "show", "eth0"), "mtu 1400", "10.1.0.129/24")
	contains(t, s.exec("RED", "ip", "route"), "default via 10.1.0.254 dev eth0")
	contains(t, s.exec("BLUE", "ip", "addr", "show", "eth0"), "10.1.0.7/24")
	contains(t, s.tell("ip", "link"), "veth0000001@if", "master br-own", "mtu 1400")
	contains(t, s.tell("ip", "-br", "addr"), "br-own", "10.1.0.254/24", "docker0", "172.17.0.1/16", "172.18.0.1/16")
	s.do("set", "network", "front", "ageing_time=10") // its key in the file is a name for it too

	// W4.2: one more bridge, br- and twelve digits, with the next subnet.
	contains(t, s.exec("PINK", "ip", "addr", "show", "eth0"), "172.18.0.2/16")
	bridge := ""
	for line := range strings.Lines(s.tell("brctl", "show")) {
		if strings.HasPrefix(line, "br-") && !strings.HasPrefix(line, "br-own") {
			bridge, _, _ = strings.Cut(line, "\t")
		}
	}
	if len(bridge) != len("br-")+12 {
		t.Errorf("the project's network is called %q", bridge)
	}
	// W4.3: what is on it does not reach docker0, and the reason names the rule: today's Docker's first, then the isolation.
	s.event("drop of PINK's ping", func(e event) bool {
		return e.Verdict == "drop" && e.Rule == "-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP"
	})
	s.iptables("-t raw -F")
	n := s.stdout.count()
	if _, status := output(t, s.in("PINK", "ping", "-c", "1", "-W", "0.5", "172.17.0.2")...); status == 0 {
		t.Error("PINK reaches GREY")
	}
	s.eventFrom(n, "drop by the isolation", func(e event) bool {
		return e.Verdict == "drop" && e.Rule == "-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP"
	})
}
