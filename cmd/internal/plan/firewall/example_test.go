package firewall_test

import (
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// docker run -p 8080:80, for the rules.
func Example() {
	tables := rule.NewTables(rule.IPv4)
	fw, err := firewall.New(rule.IPv4, firewall.Daemon{Dialect: firewall.Classic, UserlandProxy: true})
	apply := func(lines []string, problem error) {
		if err == nil {
			err = problem
		}
		if err == nil {
			err = tables.Apply(lines)
		}
	}
	web := netip.MustParseAddrPort("172.17.0.2:80")
	apply(fw.Start(tables.Snapshot()))
	apply(fw.AddNetwork(tables.Snapshot(), firewall.Network{
		Bridge: "docker0", Subnet: netip.MustParsePrefix("172.17.0.1/16"), ICC: true, Masquerade: true,
	}))
	apply(fw.AddEndpoint(tables.Snapshot(), "docker0", web.Addr()))
	lines, problem := fw.AddPorts(tables.Snapshot(), "docker0", firewall.Port{Proto: "tcp", HostPort: 8080, To: web})
	apply(lines, problem)
	if err != nil {
		fmt.Println(err)
	}
	for _, line := range lines {
		fmt.Println(line)
	}
	// Output:
	// iptables -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
	// iptables -t filter -I DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
}
