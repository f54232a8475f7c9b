package test

import (
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// The commands that tutorials type on the host, as a learner goes through them. How they compare with the real programs,
// word by word, is tested beside them (cmd/internal/tools/hosttool).
//
//	W1.2 W3.15     TestW1BeforeAContainer
//	W1.6 W1.7 W4.1 TestW1Veths, W5.1 and W5.2 too
//	W3.3 W3.19     TestW3Routes
//	W3.17          TestW3Tcpdump
//	W4.4           TestW4Published

// dockerBridges is a machine with Docker on it: docker0 without a container, and a network with two.
const dockerBridges = `
name: lab@
networks:
  docker0: {ipam: {config: [{subnet: 172.17.0.0/16}]}}
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  PINK@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  ORANGE@: {networks: {br0: {ipv4_address: 11.11.11.3}}, ports: ["127.0.0.1:28080:80"]}
x-uswitch: {uplink: sim}
`

// matchesAll reports each of the expressions that s does not match. Lines are lines: ^ and $ are theirs.
func matchesAll(t *testing.T, s string, expressions ...string) {
	t.Helper()
	for _, e := range expressions {
		if !regexp.MustCompile("(?m)" + e).MatchString(s) {
			t.Errorf("want %s in:\n%s", e, s)
		}
	}
}

func TestW1BeforeAContainer(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, dockerBridges)
	matchesAll(t, l.do("ifconfig", "docker0"), `^docker0: flags=4099<UP,BROADCAST,MULTICAST>  mtu 1500$`,
		`^        inet 172\.17\.0\.1  netmask 255\.255\.0\.0  broadcast 172\.17\.255\.255$`, `^        ether 02:42:(..:){3}..  `, `RX packets \d+  bytes \d+ `)
	matchesAll(t, l.do("ip", "addr", "show", "docker0"), `^\d+: docker0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 .* state DOWN `,
		`^    link/ether 02:42:`, `^    inet 172\.17\.0\.1/16 brd 172\.17\.255\.255 scope global docker0$`)
	matchesAll(t, l.do("brctl", "show", "docker0"), `^docker0\t\t8000\.0242[0-9a-f]{8}\tno\t\t$`)
	matchesAll(t, l.do("ip", "route"), `^172\.17\.0\.0/16 dev docker0 proto kernel scope link src 172\.17\.0\.1 linkdown $`)
}

func TestW1Veths(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, dockerBridges)
	matchesAll(t, l.do("ip", "link"), `^\d+: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 .* state UP `)
	before := l.do("ip", "link", "show", "master", "br0")
	pair := regexp.MustCompile(`(?m)^(\d+): (veth[0-9a-f]{7})@if(\d+): <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP .*\n    link/ether .* link-netnsid (\d+)$`)
	veths := pair.FindAllStringSubmatch(before, -1)
	if len(veths) != 2 || veths[0][4] == veths[1][4] {
		t.Fatalf("want two veths with namespaces of their own:\n%s", before)
	}
	matchesAll(t, l.do("brctl", "show"), `^br0\t\t8000\.02420b0b0b01\tno\t\tveth[0-9a-f]{7}\n\t{7}veth[0-9a-f]{7}$`)
	again := l.do("ip", "link", "show", "master", "br0")
	if again != before {
		t.Errorf("the second time it is different:\n%s%s", before, again)
	}
	// The peer's number is that of eth0 inside, and the end of the cable that is here has gone with the container.
	for i, host := range []string{"PINK", "ORANGE"} {
		matchesAll(t, l.exec(host, "ip", "link", "show", "eth0"), `^`+veths[i][3]+`: eth0`)
	}
	must(t, "ip", "netns", "del", l.ns("ORANGE"))
	eventually(t, "one veth less", func() bool {
		return len(pair.FindAllString(l.do("ip", "link"), -1)) == 1 && !strings.Contains(l.do("brctl", "show"), veths[1][2])
	})
	if left := pair.FindStringSubmatch(l.do("ip", "link")); left[1] != veths[0][1] || left[4] != veths[0][4] {
		t.Errorf("%s is now %s", veths[0][0], left[0])
	}
}

func TestW3Routes(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, dockerBridges)
	matchesAll(t, l.do("ip", "route"), `^11\.11\.11\.0/24 dev br0 proto kernel scope link src 11\.11\.11\.1 $`, `^default via 192\.168\.104\.1 dev uplink $`)
	matchesAll(t, l.do("route", "-n"), `^172\.17\.0\.0      0\.0\.0\.0         255\.255\.0\.0     U     0      0        0 docker0$`,
		`^0\.0\.0\.0         192\.168\.104\.1   0\.0\.0\.0         UG    0      0        0 uplink$`)

	// A route that is added leads there at once: PINK is asked for what is not its own.
	pink := l.sniff("PINK", "icmp and dst host 10.9.0.1")
	l.do("ip", "route", "add", "10.9.0.0/16", "via", "11.11.11.2")
	l.exec("ORANGE", "sh", "-c", "ping -n -c 1 -W 1 10.9.0.1 || true")
	eventually(t, "PINK sees the ping", func() bool { return len(pink.seen()) > 0 })
	l.do("ip", "route", "del", "10.9.0.0/16")
	matchesAll(t, l.do("ip", "neigh"), `^11\.11\.11\.2 dev br0 lladdr 02:42:0b:0b:0b:02 [A-Z]+ $`)
	matchesAll(t, l.do("arp", "-n"), `^11\.11\.11\.2               ether   02:42:0b:0b:0b:02   C                     br0$`)
}

func TestW3Tcpdump(t *testing.T) {
	needs(t, "tcpdump")
	t.Parallel()
	l := startLab(t, dockerBridges)
	dump := func(args ...string) *process {
		t.Helper()
		p := beginCommand(t, l.uswitch(append([]string{"tcpdump"}, args...)...))
		p.stderr.find(t, 0, "sign that it listens", containing("listening on"))
		return p
	}
	// The walkthrough's four lines; seconds later ARP asks the other way round, by itself.
	bridge := dump("-i", "br0", "-n", "arp", "or", "icmp")
	file := t.TempDir() + "/any.pcap"
	everywhere := dump("-i", "any", "-n", "-c", "4", "-w", file, "icmp", "and", "host", l.ns("ORANGE"))
	wan := dump("-n", "-c", "2", "-i", "uplink", "icmp")
	l.exec("PINK", "ping", "-n", "-c", "1", "-W", "5", "11.11.11.3")
	const clock = `^\d\d:\d\d:\d\d\.\d{6} `
	for _, want := range []string{
		`ARP, Request who-has 11\.11\.11\.3 tell 11\.11\.11\.2, length 28$`, `ARP, Reply 11\.11\.11\.3 is-at 02:42:0b:0b:0b:03, length 28$`,
		`IP 11\.11\.11\.2 > 11\.11\.11\.3: ICMP echo request, id \d+, seq 1, length 64$`, `IP 11\.11\.11\.3 > 11\.11\.11\.2: ICMP echo reply, id \d+, seq 1, length 64$`,
	} {
		bridge.stdout.find(t, 0, want, regexp.MustCompile(clock+want).MatchString)
	}
	bridge.stdout.find(t, 0, "ARP the other way", containing("ARP, Request who-has 11.11.11.2 tell 11.11.11.3"))
	bridge.signal(syscall.SIGINT)
	if status := bridge.waitOutput(); status != 0 || !strings.Contains(bridge.stderr.String(), "packets captured") {
		t.Errorf("status %d:\n%s", status, bridge.stderr)
	}

	// The file is one for the real tcpdump: in and out of both cables.
	if everywhere.waitOutput() != 0 || !strings.HasSuffix(everywhere.stderr.String(), "0 packets dropped by kernel") {
		t.Errorf("-c 4: %s", everywhere.stderr)
	}
	matchesAll(t, must(t, "tcpdump", "-n", "-r", file), `(?s)P   IP 11\.11\.11\.2 > .*Out IP 11\.11\.11\.2 > .*P   IP 11\.11\.11\.3 > .*Out IP 11\.11\.11\.3 > `)

	// Outside the address is another one.
	l.exec("PINK", "ping", "-n", "-c", "1", "-W", "5", "8.8.8.8")
	wan.waitOutput()
	matchesAll(t, wan.stdout.String(), `IP 192\.168\.104\.2 > 8\.8\.8\.8: ICMP echo request, `, `IP 8\.8\.8\.8 > 192\.168\.104\.2: ICMP echo reply, `)
	for _, wrong := range [][]string{{"-i", "nosuch"}, {"-i", "br0", "host"}, {"-i", "br0", "host", "NOBODY"}, {"-i", "br0", "-X"}, {"-i", "lo"}} {
		if out, errs, status := l.try(append([]string{"tcpdump"}, wrong...)...); status != 1 || out != "" || !strings.HasPrefix(errs, "tcpdump: ") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: status %d, %q", wrong, status, errs)
		}
	}
}

func TestW4Published(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, dockerBridges)
	matchesAll(t, l.do("ss", "-lnt"), `^LISTEN 0      4096       127\.0\.0\.1:28080      0\.0\.0\.0:\* +$`)
}

// TestHostToolsTakeALab: the lab is named as the first words, for these commands have options of their own.
func TestHostToolsTakeALab(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, resting)
	out, err := exec.Command(uswitch, "ip", "--lab", l.name, "-br", "addr", "show", "br0").Output()
	if err != nil || !strings.HasPrefix(string(out), "br0              UP             11.11.11.1/24 \n") {
		t.Errorf("%v: %s", err, out)
	}
	if _, errs, status := l.try("ip", "link", "show", "nope"); status != 1 || errs != "Device \"nope\" does not exist.\n" {
		t.Errorf("status %d, %q", status, errs)
	}
}
