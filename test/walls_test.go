package test

import (
	"strings"
	"testing"
)

// What must never be reached, however the host's own firewall stands: a lab's ways and walls are its own, and none of them
// is made of the host's rules.
//
//	F74  TestF74Walls           the list below: as it is, with FORWARD DROP, ip_forward=0 and rp_filter=1, and flushed
//	F31  TestF31Walls           what is no address of anybody's never leaves
//	     TestInternalLeaksNoDNS no packet leaves, no socket opens
//
// Docker's own list, of which each line is a line of TestF74Walls:
//
//	a port published on 127.0.0.1, from another machine: by the host's address, and by 127.0.0.1 on the host's wire
//	a port that is not published, from another machine: by the host's address, and by a route to the container
//	one network from another, both ways; an internal one from outside, and the outside from an internal one

// walledLab has a network that leads out, another one, and one that leads nowhere.
//
//	RED  11.11.11.2 --+-- br0    8080 of the host, and 8081 and 5353 of its loopback, are BLUE's 80 and 53
//	BLUE 11.11.11.3 --+
//	WEB  10.2.0.2 ------- br1
//	PINK 22.22.22.2 ----- inner, internal
const walledLab = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
  br1: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
  inner: {internal: true, ipam: {config: [{subnet: 22.22.22.0/24}]}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}, ports: ["8080:80", "127.0.0.1:8081:80", "127.0.0.1:5353:53/udp"]}
  WEB@: {networks: {br1: {ipv4_address: 10.2.0.2}}}
  PINK@: {networks: {inner: {ipv4_address: 22.22.22.2}}}
x-uswitch: {uplink: host}
`

const pinkIP = "22.22.22.2"

func TestF74Walls(t *testing.T) {
	needs(t, "nft", "iptables", "nmap", "mausezahn", "tcpdump", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, walledLab)
	for _, host := range []string{"RED", "BLUE", "WEB", "PINK", "NET"} {
		s.sayWho(host, ":80", "")
	}
	s.sayWho("BLUE", ":81", ":53")
	// The neighbour on the host's wire knows where the containers are, and PINK where the gateway is.
	s.out.shell(`
		for n in 11.11.11.0 10.2.0.0 22.22.22.0; do
			ip -n ISP@ route add $n/24 via 192.168.104.2
		done
		ip -n PINK@ route add default via 22.22.22.1`)
	s.walls("as it is")
	for _, change := range []struct{ name, commands string }{
		{"FORWARD DROP, ip_forward=0, rp_filter=1", `
			ip netns exec HOST@ iptables -w -P FORWARD DROP
			ip netns exec HOST@ sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.uplink.rp_filter=1`},
		{"flushed, ip_forward=1, rp_filter=0", `
			ip netns exec HOST@ iptables -w -P FORWARD ACCEPT
			ip netns exec HOST@ nft flush ruleset
			ip netns exec HOST@ sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.uplink.rp_filter=0`},
	} {
		s.out.shell(change.commands)
		s.walls(change.name)
	}
}

// walls tries every way of walledLab's that is open, and every one that is not.
func (s *site) walls(when string) {
	s.t.Helper()
	for _, open := range []struct{ what, from, to, want string }{
		{"out", "RED", siteIP, hostIP},
		{"a published port, from outside", "NET", hostIP + ":8080", netIP},
		{"a port published on 127.0.0.1, from the host", "HOST", "127.0.0.1:8081", ispIP},
		{"a neighbour", "RED", blueIP + ":81", redIP},
	} {
		if got := withoutPort(s.asksTCP(open.from, open.to)); got != open.want {
			s.t.Errorf("%s: %s: %s; want %s", when, open.what, got, open.want)
		}
	}
	for _, closed := range []struct{ what, from, to string }{
		{"a port published on 127.0.0.1, from outside", "NET", hostIP + ":8081"},
		{"a port published on 127.0.0.1, from the host's wire", "ISP", hostIP + ":8081"},
		{"a port that is not published, from outside", "NET", hostIP + ":81"},
		{"a port that is not published, from the host's wire", "ISP", blueIP + ":81"},
		{"a published port at the container's address", "ISP", blueIP + ":80"},
		{"an internal network, from the host's wire", "ISP", pinkIP + ":80"},
		{"out of an internal network", "PINK", siteIP},
		{"the host, from an internal network", "PINK", hostIP + ":8081"},
	} {
		if got := s.asksTCP(closed.from, closed.to, "-m", "1"); !strings.HasPrefix(got, "curl: status ") {
			s.t.Errorf("%s: %s: somebody answers: %s", when, closed.what, got)
		}
	}
	s.matrix(map[string]string{"RED > " + webIP: "filtered", "WEB > " + redIP: "filtered", "RED > " + pinkIP: "filtered",
		"PINK > " + redIP: "filtered", "WEB > " + pinkIP: "filtered", "PINK > " + webIP: "filtered"})
	if got := s.asksUDP("NET", "", hostIP+":5353"); got != "refused" {
		s.t.Errorf("%s: a UDP port published on 127.0.0.1, from outside: %s", when, got)
	}
	s.onTheWire(when)
}

// onTheWire sends a datagram to 127.0.0.1 on the host's wire, and waits until another one, behind it, has arrived.
func (s *site) onTheWire(when string) {
	s.t.Helper()
	nic := strings.TrimSpace(s.exec("HOST", "cat", "/sys/class/net/uplink/address"))
	blue, host := s.sniff("BLUE", "udp"), s.sniffOn("HOST", "uplink", "udp port 5353")
	udp := octets("9c40 14e9 000c 0000 6c6f 6f70")
	frame := octets(nic, "02:00:00:00:00:01", "0800", hexOf(packet(17, ispIP, "127.0.0.1", udp, nil)))
	s.exec("ISP", "mausezahn", "lan", "-q", "-c", "1", hexWords(frame))
	eventually(s.t, "the datagram reaches the host", func() bool { return len(host.seen()) > 0 })
	if got := withoutPort(s.asksUDP("HOST", "", "127.0.0.1:5353")); got != ispIP {
		s.t.Errorf("%s: a UDP port published on 127.0.0.1, from the host: %s", when, got)
	}
	for _, f := range blue.seen() {
		if strings.HasSuffix(string(f), "loop") {
			s.t.Errorf("%s: what came to 127.0.0.1 on the wire has reached BLUE: % x", when, f)
		}
	}
}

// TestF31Walls: no packet to an address that belongs to no host beyond the wire goes further than the gateway.
func TestF31Walls(t *testing.T) {
	needs(t, "mausezahn", "tcpdump", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, walledLab)
	wire := s.sniffOn("ISP", "lan", "udp")
	for _, to := range []string{"127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "239.1.2.3", "169.254.169.254",
		"240.0.0.1", "11.11.11.255", "11.11.11.0", "10.2.0.255", "22.22.22.255", gatewayIP, "10.2.0.1", "22.22.22.1", webIP, pinkIP} {
		n := s.stdout.count()
		s.send("RED", gatewayMAC, redMAC, "0800", hexOf(packet(17, redIP, to, octets("9c40 270f 000c 0000 6d61 726b"), nil)))
		e := s.eventFrom(n, "the packet to "+to, func(e event) bool { return e.SrcMAC == redMAC && e.EtherType == "0x0800" && e.Hook == "bridge" })
		s.eventFrom(n, "the end of the packet to "+to, func(end event) bool { return end.Packet == e.Packet && end.Verdict == "drop" })
	}
	s.sayWho("NET", ":80", dnsIP+":53")
	if got := withoutPort(s.asksUDP("RED", "", dnsIP+":53")); got != hostIP {
		t.Errorf("a datagram outward: %s", got)
	}
	eventually(t, "what goes out is seen", func() bool { return len(wire.seen()) > 0 })
	for _, f := range wire.seen() {
		if strings.HasSuffix(string(f), "mark") {
			t.Errorf("on the host's wire: % x", f)
		}
	}
}

// TestInternalLeaksNoDNS: a host of an internal network asks, and nobody outside hears of it. The machine's resolver says
// nothing, so that whoever asks it has a socket open for as long as a look takes.
func TestInternalLeaksNoDNS(t *testing.T) {
	needs(t, "dig", "unshare", "mountpoint", "nsenter", "ss", "tcpdump", "nft")
	t.Parallel()
	s := newSite(t, byHost, strings.Replace(walledLab, "uplink: host", "uplink: host, keep_up: true", 1))
	withResolvers(t, s, "nameserver "+dnsIP+"\n")
	s.packets("NET", dnsIP+":53")
	s.listen("NET", dnsIP+":53")
	s.out.shell(`ip -n PINK@ route add default via 22.22.22.1`)
	wire := s.sniffOn("ISP", "lan", "port 53")
	opens := func() string { return s.exec("HOST", "ss", "-Hntua", "dport = :53") }
	for _, when := range []string{"as it is", "flushed"} {
		for _, question := range []string{"example.com", "example.com +tcp", "-x 8.8.8.8", "RED", "_dmarc.secret.example.com TXT"} {
			if got := s.digStatus("PINK", strings.Fields(question)...); got != "REFUSED" && got != "NXDOMAIN" {
				t.Errorf("%s: PINK asks for %s: %q", when, question, got)
			}
			if got := opens(); got != "" {
				t.Errorf("%s: PINK asks for %s: a socket opens: %s", when, question, got)
			}
		}
		for _, to := range []string{dnsIP, hostIP, gatewayIP} {
			if text, status := output(t, s.in("PINK", "dig", "+tries=1", "+time=1", "@"+to, "example.com")...); status == 0 {
				t.Errorf("%s: PINK asks %s: %s", when, to, text)
			}
		}
		if seen := wire.seen(); len(seen) > 0 {
			t.Errorf("%s: %d packets leave, the first % x", when, len(seen), seen[0])
		}
		s.out.shell(`ip netns exec HOST@ nft flush ruleset`)
	}
	// RED may ask, and then all of this is seen.
	dig := begin(t, s.in("RED", "dig", "+tries=1", "+time=8", "@"+gatewayIP, "example.com")...)
	eventually(t, "a socket, for RED", func() bool { return strings.Contains(opens(), dnsIP+":53") })
	eventually(t, "a packet, for RED", func() bool { return len(wire.seen()) > 0 })
	dig.wait()
}
