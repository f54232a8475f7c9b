package firewall_test

import (
	"testing"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// classicDaemon is dockerd as it is installed.
var classicDaemon = firewall.Daemon{Dialect: firewall.Classic, UserlandProxy: true, UserChain: true, ForwardDrop: true}

// TestOrder has the order of several networks' rules, chain by chain, as dockerd's -I and -A leave it.
func TestOrder(t *testing.T) {
	h := newHost(t, rule.IPv4, classicDaemon)
	h.start()
	h.build(townOf(rule.IPv4, firewall.Classic))
	if text, _, _ := h.now().Policy(rule.Filter, "FORWARD"); text != "-P FORWARD DROP" {
		t.Errorf("FORWARD's policy: got %s, want DROP", text)
	}
	for _, c := range []struct {
		table rule.Table
		chain string
		want  string
	}{
		{rule.Filter, "FORWARD", `
-j DOCKER-USER
-j DOCKER-FORWARD
`},
		{rule.Filter, "DOCKER-USER", "\n"},
		{rule.Filter, "DOCKER-FORWARD", `
-j DOCKER-CT
-j DOCKER-ISOLATION-STAGE-1
-j DOCKER-BRIDGE
-i docker0 -j ACCEPT
-i br-app -o br-app -j DROP
-i br-app ! -o br-app -j ACCEPT
-i br-lan -j ACCEPT
-i br-db -o br-db -j ACCEPT
`},
		// Ports at the head, the last one first; then what each network says of all other ports.
		{rule.Filter, "DOCKER", `
-d 10.0.3.2/32 ! -i br-lan -o br-lan -p tcp -m tcp --dport 80 -j ACCEPT
-d 10.0.2.2/32 ! -i br-app -o br-app -p tcp -m tcp --dport 5432 -j ACCEPT
-d 10.0.2.2/32 ! -i br-app -o br-app -p udp -m udp --dport 53 -j ACCEPT
-d 10.0.1.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 443 -j ACCEPT
-d 10.0.1.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
! -i docker0 -o docker0 -j DROP
! -i br-app -o br-app -j DROP
-o br-lan -p icmp -j ACCEPT
! -i br-lan -o br-lan -j DROP
`},
		{rule.Filter, "DOCKER-ISOLATION-STAGE-1", `
! -s 10.0.4.0/24 -o br-db -j DROP
! -d 10.0.4.0/24 -i br-db -j DROP
-i br-lan -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-o br-lan -j RETURN
-i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-i br-app ! -o br-app -j DOCKER-ISOLATION-STAGE-2
-i br-lan ! -o br-lan -j DOCKER-ISOLATION-STAGE-2
`},
		{rule.Filter, "DOCKER-ISOLATION-STAGE-2", `
-o br-lan -j DROP
-o br-app -j DROP
-o docker0 -j DROP
`},
		{rule.Filter, "DOCKER-CT", `
-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-o br-app -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-o br-lan -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
`},
		{rule.Filter, "DOCKER-BRIDGE", `
-o docker0 -j DOCKER
-o br-app -j DOCKER
-o br-lan -j DOCKER
`},
		{rule.NAT, "POSTROUTING", `
-s 10.0.2.0/24 ! -o br-app -j MASQUERADE
-s 10.0.1.0/24 ! -o docker0 -j MASQUERADE
`},
		// Ports at the end, in the order of the ports inside.
		{rule.NAT, "DOCKER", `
-i br-lan -j RETURN
-i br-app -j RETURN
-i docker0 -j RETURN
! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.1.2:80
! -i docker0 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 10.0.1.2:80
! -i docker0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.1.2:443
-d 192.0.2.1/32 ! -i br-app -p udp -m udp --dport 53 -j DNAT --to-destination 10.0.2.2:53
-d 127.0.0.1/32 ! -i br-app -p tcp -m tcp --dport 5432 -j DNAT --to-destination 10.0.2.2:5432
`},
		{rule.Raw, "PREROUTING", `
-d 10.0.1.2/32 ! -i docker0 -j DROP
-d 10.0.1.3/32 ! -i docker0 -j DROP
-d 10.0.2.2/32 -i wg0 -j ACCEPT
-d 10.0.2.2/32 ! -i br-app -j DROP
-d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 5432 -j DROP
`},
	} {
		t.Run(c.table.String()+" "+c.chain, func(t *testing.T) {
			same(t, "\n"+h.chain(c.table, c.chain), c.want)
		})
	}
}

// TestAllowDirectRouting has no rule in the raw table.
func TestAllowDirectRouting(t *testing.T) {
	d := classicDaemon
	d.AllowDirectRouting = true
	h := newHost(t, rule.IPv4, d)
	h.start()
	h.build(town{networks: townOf(rule.IPv4, firewall.Classic).networks, endpoints: townOf(rule.IPv4, firewall.Classic).endpoints})
	same(t, h.chain(rule.Raw, "PREROUTING"), "")
}
