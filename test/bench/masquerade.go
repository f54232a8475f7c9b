//go:build linux

package main

// masquerade is the kernel's NAT, which is in another class: nothing leaves the kernel. Outside is a namespace behind the one
// that translates.
func masquerade(p *pair) error {
	if err := vethPair(p); err != nil {
		return err
	}
	p.target = serverIP.Addr()
	for _, line := range []string{
		"ip addr add " + serverIP.String() + " dev lo",
		"sysctl -qw net.ipv4.ip_forward=1 net.ipv4.tcp_tw_reuse=1",
		"iptables -t nat -A INPUT -s " + inside.Masked().String() + " -j SNAT --to-source " + serverIP.Addr().String(),
	} {
		if err := p.do(p.b, line); err != nil {
			return err
		}
	}
	if err := p.do(p.a, "sysctl -qw net.ipv4.tcp_tw_reuse=1"); err != nil {
		return err
	}
	return p.reachable(p.forth())
}

// vethPair is a cable of the kernel's between a and b, where the gateway's address is.
func vethPair(p *pair) error {
	for _, line := range []string{
		"ip link add gw type veth peer name eth0 netns " + p.a.Path,
		"ip addr add " + gateway.String() + "/24 dev gw",
		"ip link set gw up",
	} {
		if err := p.do(p.b, line); err != nil {
			return err
		}
	}
	for _, line := range []string{
		"ip addr add " + inside.String() + " dev eth0",
		"ip link set eth0 up",
		"ip route add default via " + gateway.String(),
	} {
		if err := p.do(p.a, line); err != nil {
			return err
		}
	}
	return nil
}
