package breakage

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"uswitch/cmd/internal/control/api"
)

// sample is a lab in which every kind of fault can happen.
func sample() *lab {
	host := func(name, address string) api.Host {
		p := netip.MustParsePrefix(address)
		return api.Host{Name: name, Namespace: api.Namespace{Lab: "l"}, Gateway: netip.MustParseAddr("10.1.0.1"),
			Interfaces: []api.Interface{{Name: "eth0", Network: "br0", Address: p, MTU: 1500}}}
	}
	port := func(name string) api.Port { return api.Port{Network: "br0", Name: name, BcastFlood: true} }
	return &lab{
		info:     api.Lab{Name: "l", Forward: true},
		hosts:    []api.Host{host("RED", "10.1.0.2/24"), host("BLUE", "10.1.0.3/24")},
		networks: []api.Network{{Name: "br0", Subnet: netip.MustParsePrefix("10.1.0.0/24"), Gateway: netip.MustParseAddr("10.1.0.1")}},
		ports:    []api.Port{port("RED"), port("BLUE")},
		routes:   []api.Route{{Dst: "10.1.0.0/24", Dev: "br0", Protocol: "kernel"}, {Dst: "default", Dev: "uplink"}},
		published: []api.Published{{Host: "RED", Protocol: "tcp", HostIP: netip.IPv4Unspecified(), HostPort: 8080,
			To: netip.MustParseAddrPort("10.1.0.2:80")}, {Host: "STRANGER", HostPort: 1}},
		rules: map[string][]string{"filter": {"-P FORWARD ACCEPT", "-A FORWARD -s 10.1.0.0/24 -j ACCEPT", "-A FORWARD -d 10.1.0.0/24 -j ACCEPT"},
			"nat": {"-P POSTROUTING ACCEPT", `-A POSTROUTING -m comment --comment "by hand" -j MASQUERADE`}},
	}
}

func TestEveryKind(t *testing.T) {
	all := sample().faults()
	want := []string{"address-missing", "broadcasts-off", "card-down", "gateway-address-wrong", "gateway-route-removed", "ip-forward-off",
		"mtu-small", "neighbour-wrong", "netmask-wrong", "policy-drop", "port-closed", "ports-isolated", "route-missing", "route-wrong",
		"rule-inserted", "rule-removed", "station-misplaced"}
	if got := kinds(all); !slices.Equal(got, want) {
		t.Errorf("kinds\n%v, want\n%v", got, want)
	}
	for _, f := range all {
		if len(f.Break) == 0 || len(f.Fix) == 0 {
			t.Errorf("%+v breaks or mends nothing", f)
		}
		for _, a := range slices.Concat(f.Break, f.Fix) {
			if a.Host == "" && a.Argv[0] != "uswitch" || a.Host != "" && a.Host != "RED" && a.Host != "BLUE" {
				t.Errorf("%s: %v is not about the lab", f.Name, a)
			}
		}
	}
}

// TestRuleComesBack looks at where a rule is put again: at its own number.
func TestRuleComesBack(t *testing.T) {
	removed := sample().rulesRemoved("filter")
	second := removed[len(removed)-1]
	if got, want := second.Break[0].String(), "uswitch iptables -t filter -D FORWARD 2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := second.Fix[0].String(), "uswitch iptables -t filter -I FORWARD 2 -d 10.1.0.0/24 -j ACCEPT"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if nat := sample().rulesRemoved("nat"); len(nat) > 0 {
		t.Errorf("%+v: a word with blanks in it would not come back as it was", nat)
	}
}

func TestSeedDecides(t *testing.T) {
	first := map[string]bool{}
	for seed := range uint64(100) {
		a, b := shuffled(sample().faults(), seed), shuffled(sample().faults(), seed)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d gives two orders", seed)
		}
		if len(a) != len(sample().faults()) {
			t.Fatalf("seed %d loses faults", seed)
		}
		first[a[0].Name] = true
	}
	if len(first) != len(kinds(sample().faults())) {
		t.Errorf("100 seeds begin with %d kinds only: %v", len(first), first)
	}
}

func TestNarrowed(t *testing.T) {
	for _, c := range []struct{ nic, gateway, want string }{
		{"10.1.0.2/24", "10.1.0.1", "10.1.0.2/30"},
		{"10.1.0.3/24", "10.1.0.1", "10.1.0.3/29"},
		{"10.1.0.200/24", "10.1.0.1", ""},
		{"10.1.0.2/30", "10.1.0.1", ""},
		{"10.1.0.2/24", "10.2.0.1", ""},
	} {
		got, ok := narrowed(netip.MustParsePrefix(c.nic), netip.MustParseAddr(c.gateway))
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s with %s: %v, %v; want %q", c.nic, c.gateway, got, ok, c.want)
		}
	}
	if got := last(netip.MustParsePrefix("10.1.0.0/20")).String(); got != "10.1.15.255" {
		t.Errorf("the last address of 10.1.0.0/20 is %s", got)
	}
}
