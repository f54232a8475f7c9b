package test

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Packets that nobody should send, through a lab with a way out, while others go on.
//
//	F23 F24 F25   TestG2Headers, TestG3Padding at the gateway; TestFaultyPackets through it
//	F26           TestFaultyPackets; a partial checksum: nat TestF26ChecksumsOfOthersPass
//	F27           TestFaultyPackets, TestF27Fragments; overlaps, timers and the memory cap: nat/fragment_test.go
//	F28 F30 F32 F33 F38   TestFaultyPackets; each option and ICMP type: nat TestG13Options, TestN20..., TestF33OtherProtocols
//	F29 F34 F39 F47 F48   TestLikeTheKernel, TestF48DatagramsOfEverySize
//	F31           TestF31Closed, TestF31Walls
//	F36 F41 F44 F46   load_test.go; 1 M connections (F42): TestF42ShortConnections, some of them
//	F37           TestF37Scans; sequence numbers of a RST: nat TestF37Resets
//	F40 F51       TestF40Resets, TestN16TenMebibytes, TestF51SlowReader; a window of zero for minutes: netstack's own tests
//	F43           TestF43NoPortsLeft
//	F45           nat TestN22TableFull, TestFloodFromManySources: it takes 65,536 connections to get there
//	F49 F50       publish_test.go
//	F52           TestF52NoALG
//	F66           not as a test of its own: the whole package runs on a busy machine
//	F67           TestF67Stopped
//	F68           TestF68NoRoute
//	F70           resolvers_test.go
//	F71 F72 F73   subnets_test.go
//	F74 F95       walls_test.go, isolation_test.go

// TestFaultyPackets: each is dropped for its reason, or is harmless and passes. What belongs to no connection passes the
// rules as in Linux, but is not translated, and nothing leaves with an inside address.
func TestFaultyPackets(t *testing.T) {
	needs(t, "mausezahn", "tcpdump", "socat", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab)
	probe := s.probe("BLUE", dnsIP)
	net := s.sniff("NET", "udp")
	udp := octets("9c40 0035 000c 0000 6d61 726b")
	syn := func(flags string, ports string) []byte {
		return octets(ports, "00000001 00000000 50", flags, "2000 0000 0000")
	}
	tests := []struct {
		name   string
		packet []byte
		reason string
	}{
		{"F23 IHL 4", packet(17, redIP, dnsIP, udp, func(ip []byte) { ip[0] = 0x44 }), "ip-inhdr"},
		{"F23 version 5", packet(17, redIP, dnsIP, udp, func(ip []byte) { ip[0] = 0x55 }), "ip-inhdr"},
		{"F23 longer than the frame", packet(17, redIP, dnsIP, udp, func(ip []byte) { ip[2] = 8 }), "ip-inhdr"},
		{"F25 a wrong checksum", append(packet(17, redIP, dnsIP, nil, nil)[:10], append([]byte{1, 2}, packet(17, redIP, dnsIP, udp, nil)[12:]...)...), "ip-csum"},
		{"F28 source route", withOptions("830704 08080808 00"), "ip-source-route"},
		{"F28 an option without a length", withOptions("07000000"), "ip-options"},
		{"F28 an option beyond the header", withOptions("07ff0400"), "ip-options"},
		{"F29 ttl 0", packet(17, redIP, dnsIP, udp, func(ip []byte) { ip[8] = 0 }), "ttl-expired"},
		{"F30 from loopback", packet(17, "127.0.0.1", dnsIP, udp, nil), "martian"},
		{"F30 from a group", packet(17, "224.0.0.1", dnsIP, udp, nil), "martian"},
		{"F30 from everyone", packet(17, "255.255.255.255", dnsIP, udp, nil), "martian"},
		{"F30 from nowhere", packet(17, "0.0.0.0", dnsIP, udp, nil), "martian"},
		{"F30 from the gateway", packet(17, gatewayIP, dnsIP, udp, nil), "own-source"},
		{"F30 from another network", packet(17, webIP, dnsIP, udp, nil), "ip-rpfilter"},
		{"F31 to loopback", packet(17, redIP, "127.0.0.1", udp, nil), "martian"},
		{"F31 to nowhere", packet(17, redIP, "0.0.0.0", udp, nil), "martian"},
		{"F32 an error about nothing", packet(1, redIP, dnsIP, icmp("0301 0000 00000000 4500"), nil), "ct-invalid"},
		{"F32 a wrong checksum", packet(1, redIP, dnsIP, octets("0800 0001 0001 0001"), nil), "icmp-csum"},
		{"F37 SYN and FIN", packet(6, redIP, dnsIP, syn("03", "9c41 0050"), nil), "ct-invalid"},
		{"F37 nothing set", packet(6, redIP, dnsIP, syn("00", "9c42 0050"), nil), "ct-invalid"},
		{"F37 everything set", packet(6, redIP, dnsIP, syn("3f", "9c43 0050"), nil), "ct-invalid"},
		{"F38 port 0", packet(6, redIP, dnsIP, syn("02", "9c44 0000"), nil), "l4-inhdr"},
		{"F38 from port 0, which UDP allows", packet(17, redIP, dnsIP, octets("0000 0035 000c 0000 7a65 726f"), nil), ""},
		{"F38 land", packet(6, gatewayIP, gatewayIP, syn("02", "0050 0050"), nil), "martian"},
		{"F27 the first eight bytes are missing", packet(6, redIP, dnsIP, syn("02", "9c45 0050")[:8], func(ip []byte) { ip[6] = 0x20 }), ""},
		{"F33 protocol 253", packet(253, redIP, dnsIP, udp, nil), "uplink-proto"},
		{"F24 padding up to the MTU", append(packet(17, redIP, dnsIP, octets("9c46 0035 000c 0000 7061 6464"), nil), make([]byte, 1400)...), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			from := s.stdout.count()
			s.send("RED", gatewayMAC, redMAC, "0800", hexOf(test.packet))
			mine := s.eventFrom(from, "arrival at the gateway", func(e event) bool {
				return e.SrcMAC == redMAC && e.EtherType == "0x0800" && e.Hook == "bridge"
			})
			end := s.eventFrom(from, "end", func(e event) bool {
				return e.Packet == mine.Packet && (e.Verdict == "drop" || test.reason == "" && (e.Verdict == "queue" || e.Hook == "egress"))
			})
			if end.Reason != test.reason {
				t.Errorf("dropped for %q, want %q: %s", end.Reason, test.reason, end.Text)
			}
		})
	}
	eventually(t, "the padded datagram arrives without its padding", func() bool {
		for _, f := range net.seen() {
			if strings.HasSuffix(string(f), "padd") {
				return true
			}
		}
		return false
	})
	for _, f := range net.seen() {
		if strings.HasSuffix(string(f), "mark") && f[23] == 17 {
			t.Errorf("a faulty datagram has reached the outside: % x", f)
		}
	}
	probe.lostNothing()
}

func icmp(digits string) []byte {
	b := octets(digits)
	complete(b[2:], b)
	return b
}

// withOptions is a datagram whose header carries options.
func withOptions(digits string) []byte {
	options := octets(digits)
	b := packet(17, redIP, dnsIP, append(options, octets("9c40 0035 000c 0000 6d61 726b")...), nil)
	b[0] = 0x40 | byte(5+len(options)/4)
	b[10], b[11] = 0, 0
	complete(b[10:], b[:20+len(options)])
	return b
}

func TestF27Fragments(t *testing.T) {
	needs(t, "hping3", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab, "--trace", "off")
	s.sayWho("NET", ":80", dnsIP+":53")
	probe := s.probe("BLUE", dnsIP)
	before := s.memory()
	for _, args := range [][]string{
		{"-1", "-f", "-d", "500", dnsIP}, {"-2", "-p", "53", "-d", "5000", "-f", "-m", "16", dnsIP}, // whole trains of small ones
		{"-2", "-x", "-y", "-p", "53", "-d", "100", dnsIP}, {"-2", "-x", "-g", "64", "-p", "53", "-d", "100", dnsIP}, // never the last one
	} {
		_, _ = output(t, s.in("RED", append([]string{"hping3", "-q", "-i", "u200", "-c", "2000"}, args...)...)...)
	}
	if got, want := s.ping("RED", "-s", "20000", dnsIP), "20008 8.8.8.8 ttl=62"; got != want {
		t.Errorf("afterwards, in fragments: %s; want %s", got, want)
	}
	if grown := s.memory() - before; grown > 64<<10 {
		t.Errorf("%d KiB more", grown)
	}
	probe.lostNothing()
}

// TestF37Scans: what is not the beginning of a connection makes none, and what is established stays.
func TestF37Scans(t *testing.T) {
	needs(t, "nmap", "hping3", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab, "--trace", "off")
	s.serve("NET", ":7000", func(c *net.TCPConn) { echoStream(c) })
	c := s.connect("RED", siteIP+":7000")
	if err := says(c, "before"); err != nil {
		t.Fatal(err)
	}
	for _, scan := range []string{"-sF", "-sX", "-sN", "-sA", "-sM"} {
		_, _ = output(t, s.in("BLUE", "nmap", "-n", "-Pn", scan, "--max-retries", "0", "--min-rate", "1000", "-p", "1-50", siteIP)...)
	}
	if list := s.conntrack("-L", "-p", "tcp", "-s", blueIP); list != "" {
		t.Errorf("scans have left connections:\n%s", list)
	}
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	for _, flags := range []string{"-R", "-F", "-S"} {
		_, _ = output(t, s.in("RED", "hping3", "-q", flags, "-i", "u500", "-c", "500", "-s", port, "-k", "-p", "7000", siteIP)...)
	}
	if err := says(c, "after"); err != nil {
		t.Errorf("the connection has not survived: %v", err)
	}
}

func TestF42ShortConnections(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab, "--trace", "off")
	s.serve("NET", ":7000", func(c *net.TCPConn) { echoStream(c) })
	before := s.descriptors()
	for i := range 1500 {
		c, err := s.dial("RED", "tcp4", "", siteIP+":7000", patience)
		if err == nil {
			err = says(c, "hello")
			c.Close()
		}
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	eventually(t, "all files are given back", func() bool { return s.descriptors() <= before+5 })
}

// TestF43NoPortsLeft: a host whose ports are used up refuses what is new, by a message, and others go on.
func TestF43NoPortsLeft(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	s := newSite(t, byHost, gatewayLab)
	s.out.shell(`ip netns exec HOST@ sysctl -qw net.ipv4.ip_local_port_range="50000 50019"`)
	s.start()
	s.sayWho("NET", ":80", dnsIP+":53")
	answered, refused := 0, 0
	for port := range 40 {
		switch got := s.asksUDP("RED", fmt.Sprintf("%s:%d", redIP, 100+port), dnsIP+":53"); {
		case withoutPort(got) == hostIP:
			answered++
		default:
			refused++
		}
		if refused > 3 {
			break
		}
	}
	if answered < 15 || refused == 0 {
		t.Errorf("%d datagrams were answered and %d not, with 20 ports", answered, refused)
	}
	s.event("reason", func(e event) bool { return e.Reason == "nat-no-port" })
	if got := s.ping("BLUE", dnsIP); !strings.HasSuffix(got, "ttl=62") {
		t.Errorf("a ping beside it: %s", got)
	}
}

// TestF52NoALG: what an application says about addresses is its own business.
func TestF52NoALG(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	s := startSite(t, byNetns, gatewayLab)
	listener := s.listen("NET", ":21")
	next := accept(listener)
	c := s.connect("RED", siteIP+":21")
	const said = "PORT 11,11,11,2,7,26\r\nINVITE sip:red@11.11.11.2:5060\r\n"
	_, _ = c.Write([]byte(said))
	server := <-next
	if server == nil {
		t.Fatal("no connection")
	}
	defer server.Close()
	b := make([]byte, 200)
	if n, err := server.Read(b); string(b[:n]) != said {
		t.Errorf("%q arrived, %v; want %q", b[:n], err, said)
	}
}

func TestF67Stopped(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab)
	s.serve("NET", ":7000", func(c *net.TCPConn) { echoStream(c) })
	c := s.connect("RED", siteIP+":7000")
	if err := says(c, "before"); err != nil {
		t.Fatal(err)
	}
	s.signal(syscall.SIGSTOP)
	time.Sleep(3 * time.Second)
	s.signal(syscall.SIGCONT)
	from := s.stdout.count()
	if err := says(c, "after"); err != nil {
		t.Errorf("the connection: %v", err)
	}
	if got := s.ping("BLUE", dnsIP); !strings.HasSuffix(got, "ttl=62") {
		t.Errorf("ping: %s", got)
	}
	if n := s.stdout.count() - from; n > 500 {
		t.Errorf("%d events within a moment of going on", n)
	}
}

// TestF68NoRoute: a host without a way out is told so at once, and has it when it comes.
func TestF68NoRoute(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	s := newSite(t, byHost, gatewayLab)
	s.out.shell(`ip -n HOST@ route del default`)
	s.start()
	s.sayWho("NET", ":80", dnsIP+":53")
	if got := s.ping("RED", dnsIP); !strings.HasSuffix(got, "Destination Net Unreachable") {
		t.Errorf("ping without a route: %s", got)
	}
	if _, err := s.dial("RED", "tcp4", "", siteIP+":80", patience); explain(err) != "net unreachable" {
		t.Errorf("TCP without a route: %s", explain(err))
	}
	s.out.shell(`ip -n HOST@ route add default via 192.168.104.1`)
	if got := s.ping("BLUE", dnsIP); !strings.HasSuffix(got, "ttl=62") {
		t.Errorf("ping with a route: %s", got)
	}
	if got := s.asksTCP("BLUE", siteIP); withoutPort(got) != hostIP {
		t.Errorf("curl with a route: %s", got)
	}
	s.out.shell(`ip -n HOST@ route del default`)
	if got := s.ping("WEB", dnsIP); !strings.HasSuffix(got, "Destination Net Unreachable") {
		t.Errorf("ping when the route is gone again: %s", got)
	}
}
