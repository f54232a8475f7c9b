package firewall_test

import (
	"net/netip"
	"regexp"
	"testing"

	"golang.org/x/tools/txtar"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// TestRecorded20 does what was done to a real dockerd 20.10.24 with and without its proxy, and compares all its rules after each
// step.
func TestRecorded20(t *testing.T) {
	for name, proxy := range map[string]bool{"proxy": true, "no-proxy": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile("testdata/20.10-" + name + ".txtar")
			if err != nil || len(a.Files) != 7 {
				t.Fatalf("%v, %d steps: want 7", err, len(a.Files))
			}
			recorded := map[string]string{}
			for _, f := range a.Files {
				recorded[f.Name] = string(f.Data)
				loadable(t, rule.IPv4, string(f.Data))
			}
			h := newHost(t, rule.IPv4, firewall.Daemon{Dialect: firewall.Docker20, UserlandProxy: proxy, UserChain: true, ForwardDrop: true})
			r := recording{host: h, rules: recorded}
			r.play()
		})
	}
}

// recording is a machine, and what a real dockerd had made of it at each step.
type recording struct {
	*host
	rules map[string]string
}

// play takes the steps.
func (r recording) play() {
	r.start()
	r.addNetwork(firewall.Network{Bridge: "docker0", Subnet: netip.MustParsePrefix("172.17.0.0/16"), ICC: true, Masquerade: true})
	r.compare("fresh")

	for _, last := range []byte{2, 3} {
		r.addEndpoint("docker0", netip.AddrFrom4([4]byte{172, 17, 0, last}))
	}
	r.compare("two-containers")

	r.publish("docker0", firewall.Port{Proto: "tcp", HostPort: 8080, To: netip.MustParseAddrPort("172.17.0.4:80")})
	r.compare("publish-8080-80")

	loopback := netip.MustParseAddr("127.0.0.1")
	r.publish("docker0", firewall.Port{Proto: "udp", HostPort: 8053, To: netip.MustParseAddrPort("172.17.0.5:53")},
		firewall.Port{Proto: "tcp", HostIP: loopback, HostPort: 8081, To: netip.MustParseAddrPort("172.17.0.5:81")})
	r.compare("publish-loopback-and-udp")

	front := r.find(`-i (br-\w+) ! -o br-`)
	back := r.find(`! -s 172.20.0.0/16 -o (br-\w+)`)
	subnet := netip.MustParsePrefix
	for _, n := range []firewall.Network{
		{Bridge: front, Subnet: subnet("172.19.0.0/16"), ICC: true, Masquerade: true},
		{Bridge: back, Subnet: subnet("172.20.0.0/16"), ICC: true, Masquerade: true, Internal: true},
		{Bridge: "noicc0", Subnet: subnet("172.21.0.0/16"), Masquerade: true},
		{Bridge: "nomasq0", Subnet: subnet("172.22.0.0/16"), ICC: true},
	} {
		r.addNetwork(n)
	}
	r.compare("user-networks")

	r.publish(front, firewall.Port{Proto: "tcp", HostPort: 8090, To: netip.MustParseAddrPort("172.19.0.2:80")})
	r.compare("publish-on-user-network")

	r.removeEndpoint(front, netip.MustParseAddr("172.19.0.2"))
	for _, bridge := range []string{front, back, "noicc0", "nomasq0"} {
		r.removeNetwork(bridge)
	}
	for _, last := range []byte{2, 3, 4, 5} {
		r.removeEndpoint("docker0", netip.AddrFrom4([4]byte{172, 17, 0, last}))
	}
	r.compare("after")
}

// compare compares all rules with those of a step.
func (r recording) compare(step string) {
	r.t.Helper()
	if lines, err := r.fw.Start(r.now()); err != nil || len(lines) > 0 {
		r.t.Errorf("%s: something is missing: %q, %v", step, lines, err)
	}
	same(r.t, r.save(), r.rules[step])
}

// publish starts a container that has its address by its ports.
func (r recording) publish(bridge string, ports ...firewall.Port) {
	r.t.Helper()
	r.addEndpoint(bridge, ports[0].To.Addr())
	r.addPorts(bridge, ports...)
}

// find returns the name of a bridge that dockerd had made up, by a rule that has it.
func (r recording) find(pattern string) string {
	r.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(r.rules["user-networks"])
	if m == nil {
		r.t.Fatalf("no rule like %s", pattern)
	}
	return m[1]
}
