package firewall_test

import (
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// town is networks, endpoints and ports that no golden file has together: docker0, a project's network, a routed one and an
// internal one.
type town struct {
	networks  []firewall.Network
	endpoints []endpoint
	ports     []published
}

type endpoint struct {
	bridge  string
	address netip.Addr
}

type published struct {
	bridge string
	port   firewall.Port
}

// townOf returns the town in one family's addresses, as far as a dialect knows what is in it: where there are no gateway modes,
// all networks have the usual one.
func townOf(f rule.Family, d firewall.Dialect) town {
	prefix, loopback, public := "10.0.%d.0/24", "127.0.0.1", "192.0.2.1"
	if f == rule.IPv6 {
		prefix, loopback, public = "fd00:%d::/64", "::1", "2001:db8::1"
	}
	subnet := func(number int) netip.Prefix { return netip.MustParsePrefix(fmt.Sprintf(prefix, number)) }
	second := func(number int) netip.Addr { return subnet(number).Addr().Next().Next() }
	web, app, lan := second(1), second(2), second(3)
	w := town{
		networks: []firewall.Network{
			{Bridge: "docker0", Subnet: subnet(1), ICC: true, Masquerade: true},
			{Bridge: "br-app", Subnet: subnet(2), Masquerade: true, GatewayMode: firewall.NAT, TrustedInterfaces: []string{"wg0"}},
			{Bridge: "br-lan", Subnet: subnet(3), ICC: true, Masquerade: true, GatewayMode: firewall.Routed},
			{Bridge: "br-db", Subnet: subnet(4), ICC: true, Masquerade: true, Internal: true, GatewayMode: firewall.Isolated},
		},
		endpoints: []endpoint{
			{"docker0", web}, {"docker0", web.Next()}, {"br-app", app}, {"br-lan", lan}, {"br-db", second(4)},
		},
		ports: []published{
			{"docker0", firewall.Port{Proto: "tcp", HostPort: 8443, To: netip.AddrPortFrom(web, 443)}},
			{"docker0", firewall.Port{Proto: "tcp", HostPort: 8080, To: netip.AddrPortFrom(web, 80)}},
			{"docker0", firewall.Port{Proto: "tcp", HostPort: 8081, To: netip.AddrPortFrom(web, 80)}},
			{"br-app", firewall.Port{Proto: "udp", HostIP: netip.MustParseAddr(public), HostPort: 53, To: netip.AddrPortFrom(app, 53)}},
			{"br-app", firewall.Port{Proto: "tcp", HostIP: netip.MustParseAddr(loopback), HostPort: 5432, To: netip.AddrPortFrom(app, 5432)}},
			{"br-lan", firewall.Port{Proto: "tcp", To: netip.AddrPortFrom(lan, 80)}},
			{"br-db", firewall.Port{Proto: "tcp", HostPort: 9000, To: netip.AddrPortFrom(second(4), 9000)}},
		},
	}
	if d == firewall.Docker20 {
		for i := range w.networks {
			w.networks[i].GatewayMode = ""
		}
		w.ports[5].port.HostPort = 8082
	}
	return w
}

// build makes the town: all networks, then all endpoints, then the ports of each network.
func (h *host) build(w town) {
	h.t.Helper()
	for _, n := range w.networks {
		h.addNetwork(n)
	}
	for _, e := range w.endpoints {
		h.addEndpoint(e.bridge, e.address)
	}
	for _, n := range w.networks {
		h.addPorts(n.Bridge, w.portsOf(n.Bridge)...)
	}
}

// portsOf returns a network's ports.
func (w town) portsOf(bridge string) (ports []firewall.Port) {
	for _, p := range w.ports {
		if p.bridge == bridge {
			ports = append(ports, p.port)
		}
	}
	return ports
}
