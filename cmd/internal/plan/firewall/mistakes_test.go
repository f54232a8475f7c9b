package firewall_test

import (
	"net/netip"
	"testing"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// TestMistakes has what is refused, in the words that people read, and checks that nothing has changed then.
func TestMistakes(t *testing.T) {
	a := netip.MustParseAddr
	subnet := netip.MustParsePrefix("10.0.9.0/24")
	web := netip.MustParseAddrPort("10.0.1.2:80")
	type result func(fw *firewall.Firewall, now *rule.Ruleset) ([]string, error)
	network := func(n firewall.Network) result {
		return func(fw *firewall.Firewall, now *rule.Ruleset) ([]string, error) { return fw.AddNetwork(now, n) }
	}
	end := func(bridge, address string) result {
		return func(fw *firewall.Firewall, now *rule.Ruleset) ([]string, error) {
			return fw.AddEndpoint(now, bridge, a(address))
		}
	}
	ports := func(bridge string, ps ...firewall.Port) result {
		return func(fw *firewall.Firewall, now *rule.Ruleset) ([]string, error) {
			return fw.AddPorts(now, bridge, ps...)
		}
	}
	for name, c := range map[string]struct {
		call result
		want string
	}{
		"no bridge": {network(firewall.Network{Subnet: subnet}),
			`interface name "": want up to 15 letters, digits, dots, dashes and underscores`},
		"blank in bridge": {network(firewall.Network{Bridge: "a -j DROP", Subnet: subnet}),
			`interface name "a -j DROP": want up to 15 letters, digits, dots, dashes and underscores`},
		"wildcard": {network(firewall.Network{Bridge: "br+", Subnet: subnet}),
			`interface name "br+": want up to 15 letters, digits, dots, dashes and underscores`},
		"trusted option": {network(firewall.Network{Bridge: "br0", Subnet: subnet, TrustedInterfaces: []string{"-j"}}),
			`interface name "-j": want up to 15 letters, digits, dots, dashes and underscores`},
		"other family": {network(firewall.Network{Bridge: "br0", Subnet: netip.MustParsePrefix("fd00::/64")}),
			"network br0: subnet fd00::/64: want IPv4"},
		"no subnet": {network(firewall.Network{Bridge: "br0"}), "network br0: subnet invalid Prefix: want IPv4"},
		"host address": {network(firewall.Network{Bridge: "br0", Subnet: subnet, HostIP: a("::1")}),
			"network br0: host address ::1: want IPv4"},
		"isolated": {network(firewall.Network{Bridge: "br0", Subnet: subnet, GatewayMode: firewall.Isolated}),
			"network br0: gateway mode 'isolated' can only be used for an internal network"},
		"gateway mode": {network(firewall.Network{Bridge: "br0", Subnet: subnet, GatewayMode: "bridge"}),
			`network br0: gateway mode "bridge": want nat, nat-unprotected, routed or isolated`},
		"network twice":      {network(firewall.Network{Bridge: "docker0", Subnet: subnet}), "network docker0 exists already"},
		"endpoint nowhere":   {end("br9", "10.0.1.9"), "network br9 not found"},
		"endpoint elsewhere": {end("docker0", "10.0.2.9"), "endpoint 10.0.2.9: not an address of network docker0, 10.0.1.0/24"},
		"endpoint twice":     {end("docker0", "10.0.1.2"), "endpoint 10.0.1.2 is on network docker0 already"},
		"port nowhere":       {ports("br9"), "network br9 not found"},
		"port of nobody": {ports("docker0", firewall.Port{Proto: "tcp", HostPort: 80, To: netip.MustParseAddrPort("10.0.1.9:80")}),
			"port 0.0.0.0:80->10.0.1.9:80/tcp: endpoint 10.0.1.9 is not on network docker0"},
		"protocol": {ports("docker0", firewall.Port{Proto: "sctp", HostPort: 80, To: web}),
			`port 0.0.0.0:80->10.0.1.2:80/sctp: protocol "sctp": want tcp or udp`},
		"container port": {ports("docker0", firewall.Port{Proto: "udp", To: netip.AddrPortFrom(web.Addr(), 0)}),
			"port 10.0.1.2:0/udp: container port 0: want 1 to 65535"},
		"container family": {ports("docker0", firewall.Port{Proto: "tcp", To: netip.MustParseAddrPort("[::1]:80")}),
			"port [::1]:80/tcp: container address ::1: want IPv4"},
		"host zone": {ports("docker0", firewall.Port{Proto: "tcp", HostIP: a("fe80::1%eth0"), HostPort: 80, To: web}),
			"port [fe80::1%eth0]:80->10.0.1.2:80/tcp: host address fe80::1%eth0: want one without a zone"},
		"port twice": {ports("docker0", firewall.Port{Proto: "tcp", HostPort: 8080, To: web}),
			"port 0.0.0.0:8080->10.0.1.2:80/tcp is published already"},
		"remove network": {func(fw *firewall.Firewall, now *rule.Ruleset) ([]string, error) { return fw.RemoveNetwork(now, "br9") },
			"network br9 not found"},
		"remove endpoint": {func(fw *firewall.Firewall, now *rule.Ruleset) ([]string, error) {
			return fw.RemoveEndpoint(now, "docker0", a("10.0.1.9"))
		}, "endpoint 10.0.1.9 is not on network docker0"},
		"remove port": {func(fw *firewall.Firewall, now *rule.Ruleset) ([]string, error) {
			return fw.RemovePorts(now, "docker0", firewall.Port{Proto: "udp", HostPort: 8080, To: web})
		}, "port 0.0.0.0:8080->10.0.1.2:80/udp is not published on network docker0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, rule.IPv4, classicDaemon)
			h.start()
			h.build(townOf(rule.IPv4, firewall.Classic))
			lines, err := c.call(h.fw, h.now())
			if err == nil || err.Error() != c.want || lines != nil {
				t.Errorf("got %q, %v\nwant %s", lines, err, c.want)
			}
			if lines, err := h.fw.Start(h.now()); err != nil || len(lines) > 0 {
				t.Errorf("afterwards the firewall wants %q (%v)", lines, err)
			}
		})
	}
}

// TestGatewayModesOf20: a network that Docker 20.10 could not have made is refused.
func TestGatewayModesOf20(t *testing.T) {
	h := newHost(t, rule.IPv4, firewall.Daemon{Dialect: firewall.Docker20, UserlandProxy: true, UserChain: true})
	h.start()
	routed := townOf(rule.IPv4, firewall.Classic).networks[2]
	const want = `network br-lan: gateway mode "routed": Docker 20.10 has none: want nat`
	if lines, err := h.fw.AddNetwork(h.now(), routed); err == nil || err.Error() != want || lines != nil {
		t.Errorf("got %q, %v, want %s", lines, err, want)
	}
}

// TestAddressOfTheOtherFamily has ports whose host address is of the other family: the proxy's work, or nobody's.
func TestAddressOfTheOtherFamily(t *testing.T) {
	h := newHost(t, rule.IPv4, classicDaemon)
	h.start()
	h.build(town{networks: townOf(rule.IPv4, firewall.Classic).networks, endpoints: townOf(rule.IPv4, firewall.Classic).endpoints})
	before := h.save()
	h.addPorts("docker0", firewall.Port{
		Proto: "tcp", HostIP: netip.IPv6Unspecified(), HostPort: 80, To: netip.MustParseAddrPort("10.0.1.2:80"),
	})
	same(t, h.save(), before)

	h = newHost(t, rule.IPv6, classicDaemon)
	h.start()
	h.build(town{networks: townOf(rule.IPv6, firewall.Classic).networks, endpoints: townOf(rule.IPv6, firewall.Classic).endpoints})
	_, err := h.fw.AddPorts(h.now(), "docker0", firewall.Port{
		Proto: "tcp", HostIP: netip.IPv4Unspecified(), HostPort: 80, To: netip.MustParseAddrPort("[fd00:1::2]:80"),
	})
	const want = "port 0.0.0.0:80->[fd00:1::2]:80/tcp: an IPv4 host address cannot be mapped to an IPv6 container address"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestNewRefuses has what no Firewall can be made of.
func TestNewRefuses(t *testing.T) {
	for want, make := range map[string]func() (*firewall.Firewall, error){
		"dialect of Docker's rules: 0 is none: want Docker20, Classic or Docker29": func() (*firewall.Firewall, error) {
			return firewall.New(rule.IPv4, firewall.Daemon{})
		},
		"family of addresses: 0 is none: want IPv4 or IPv6": func() (*firewall.Firewall, error) {
			return firewall.New(0, classicDaemon)
		},
	} {
		if fw, err := make(); err == nil || err.Error() != want || fw != nil {
			t.Errorf("got %v, %v, want %s", fw, err, want)
		}
	}
}

// TestDialectNames has the names that a lab file uses.
func TestDialectNames(t *testing.T) {
	for _, d := range []firewall.Dialect{firewall.Docker20, firewall.Classic, firewall.Docker29} {
		if got, err := firewall.ParseDialect(d.String()); got != d || err != nil {
			t.Errorf("ParseDialect(%q) = %v, %v", d, got, err)
		}
	}
	const want = `dialect of Docker's rules: "off" is none: want 20.10, classic or 29`
	if _, err := firewall.ParseDialect("off"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
