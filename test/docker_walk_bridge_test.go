package test

import (
	"strings"
	"syscall"
	"testing"
)

// What shows each row of the five walkthroughs. Where a row is not shown as it stands, it says what is different.
//
//	W1.1 - W1.10   TestW1Docker; 1.2 and 1.7 TestW1BeforeAContainer and TestW1Veths, too
//	W2.1 - W2.5    TestW2Docker with docker run, TestW2Modes with a lab's file
//	W2.6           nothing: overlays are for later
//	W3.1           TestW3Walkthrough
//	W3.2 - W3.8    TestW3ByHand; 3.2 and 3.3 TestPingByTheDefaultRoute, 3.6 TestW3Walkthrough, 3.8 TestPingFromTheGateway, too
//	W3.9 - W3.14   TestW3Outside, by every kind of uplink
//	W3.15 - W3.21  TestW3Docker; 3.17 TestW3Tcpdump, 3.19 TestW3Routes, too. 3.20: the rules are those of Docker 28, which
//	               accepts in DOCKER-FORWARD what older ones accepted in FORWARD by two rules
//	W4.1 - W4.3    TestW4Docker; 4.3's rule is named in TestW4DockerIsolation
//	W4.4 - W4.6    TestW4DockerPublish, TestW4DockerPublished, TestN24EveryFormOfPorts (from outside), TestW4DockerIptables.
//	               4.5: from localhost it is DNAT, too, and not the proxy. 4.6: the hairpin's rule is for the container's whole
//	               network, which has the proxy's work to do
//	W5.1 - W5.5    TestW5Docker, TestW1Veths. 5.4: eth0 is a TAP device, so that the pair is told by the near end's @ifN only

// handMade is a bridge that nobody has given an address to.
const handMade = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}, x-uswitch: {gateway: none}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}}
x-uswitch:
  uplink: sim
  rules: ["-P FORWARD DROP", "-A FORWARD -s 11.11.11.0/24 -j ACCEPT"]
`

func TestW3ByHand(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, handMade)

	if out, _, status := l.try("ping", "-c", "1", redIP); status != 1 || !strings.Contains(out, "100% packet loss") {
		t.Errorf("3.2: status %d: %s", status, out)
	}
	e := l.event("3.2: the way that the ping went", func(e event) bool { return e.Hook == "route" })
	contains(t, e.Text, redIP+" is on no network here: the default route")

	connected := "11.11.11.0/24 dev br0 proto kernel scope link src 11.11.11.1"
	if routes := l.do("ip", "route"); strings.Contains(routes, connected) {
		t.Errorf("3.3: already:\n%s", routes)
	}
	l.do("ip", "addr", "add", "11.11.11.1/24", "dev", "br0")
	contains(t, l.do("ip", "route"), connected)
	for host, ip := range map[string]string{"RED": redIP, "BLUE": blueIP} {
		contains(t, l.do("ping", "-c", "1", ip), " 0% packet loss") // 3.4
		if !l.pings(host, gatewayIP) {
			t.Errorf("3.5: %s does not reach the gateway", host)
		}
	}

	const eth0 = "192.168.104.2" // the host's own address outside
	if text, status := output(t, l.in("RED", "ping", "-c", "1", eth0)...); status == 0 || !strings.Contains(text, "Network is unreachable") {
		t.Errorf("3.6: status %d: %s", status, text)
	}
	dump := beginCommand(t, l.uswitch("tcpdump", "-i", "br0", "-n", "icmp"))
	dump.stderr.find(t, 0, "sign that it listens", containing("listening on"))
	for _, host := range []string{"RED", "BLUE"} {
		must(t, "ip", "-n", l.ns(host), "route", "add", "default", "via", gatewayIP)
		if !l.pings(host, eth0) {
			t.Errorf("3.7: %s does not reach the host's other address", host)
		}
	}
	dump.stdout.find(t, 0, "3.7: question", containing("IP 11.11.11.2 > 192.168.104.2: ICMP echo request"))
	dump.stdout.find(t, 0, "3.7: answer", containing("IP 192.168.104.2 > 11.11.11.2: ICMP echo reply"))
	dump.signal(syscall.SIGINT)
	dump.wait()
	contains(t, l.do("ping", "-c", "1", dnsIP), " 0% packet loss") // 3.8
}

func TestW3Docker(t *testing.T) {
	needs(t, "route")
	t.Parallel()
	l := startDocker(t)

	// 3.15
	contains(t, l.docker("network list"), " bridge    bridge    local\n")
	contains(t, l.docker("inspect bridge"), `"Subnet": "172.17.0.0/16"`, `"Containers": {}`)
	contains(t, l.do("ip", "addr", "show", "docker0"), "NO-CARRIER", "state DOWN")
	contains(t, l.do("brctl", "show"), "docker0\t\t8000.0242ac110001\tno\t\t\n")

	// 3.16
	l.docker("run -d -it --name=PINK@ --rm busybox")
	l.docker("run -d -it --name=ORANGE@ --rm busybox")
	contains(t, l.do("ip", "a", "s", "docker0"), "<BROADCAST,MULTICAST,UP,LOWER_UP>", "state UP")
	if veths := strings.Count(l.do("ip", "a"), ": veth"); veths != 2 {
		t.Errorf("3.16: %d veths", veths)
	}

	// 3.17
	dump := beginCommand(t, l.uswitch("tcpdump", "-i", "docker0", "-n", "icmp", "or", "arp"))
	dump.stderr.find(t, 0, "sign that it listens", containing("listening on"))
	contains(t, l.docker("exec PINK@ ping -c 1 172.17.0.3"), " 0% packet loss")
	for _, want := range []string{"ARP, Request who-has 172.17.0.3 tell 172.17.0.2", "ARP, Reply 172.17.0.3 is-at 02:42:ac:11:00:03",
		"IP 172.17.0.2 > 172.17.0.3: ICMP echo request", "IP 172.17.0.3 > 172.17.0.2: ICMP echo reply"} {
		dump.stdout.find(t, 0, want, containing(want))
	}
	dump.signal(syscall.SIGINT)
	dump.wait()

	// 3.18, 3.19
	contains(t, l.docker("exec PINK@ ip neigh show"), "172.17.0.3 dev eth0 lladdr 02:42:ac:11:00:03 ", "REACHABLE")
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	contains(t, words(l.docker("exec PINK@ route -n")), "0.0.0.0 172.17.0.1 0.0.0.0 UG", "172.17.0.0 0.0.0.0 255.255.0.0 U")
	contains(t, words(l.do("route", "-n")), "172.17.0.0 0.0.0.0 255.255.0.0 U 0 0 0 docker0")

	// 3.20, 3.21
	contains(t, l.do("iptables", "-t", "filter", "-S"), "-P FORWARD DROP\n", "-A FORWARD -j DOCKER-FORWARD\n", "-A DOCKER-FORWARD -i docker0 -j ACCEPT\n")
	contains(t, l.do("iptables", "-t", "nat", "-S"), "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n")
}
