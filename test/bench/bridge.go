//go:build linux

package main

// linuxBridge is what Docker has: a bridge and two veth pairs. The bridge is in B.
func linuxBridge(p *pair) error {
	for _, line := range []string{
		"ip link add br0 type bridge",
		"ip link set br0 up",
		"ip link add eth0 type veth peer name portb",
		"ip link add porta type veth peer name eth0 netns " + p.a.Path,
		"ip link set porta master br0 up",
		"ip link set portb master br0 up",
		"ip link set eth0 up",
		"ip addr add " + addrB.String() + " dev eth0",
	} {
		if err := p.do(p.b, line); err != nil {
			return err
		}
	}
	return endOfVeth(p)
}

// endOfVeth sets up A's end of a veth pair.
func endOfVeth(p *pair) error {
	p.target = addrB.Addr()
	if err := p.do(p.a, "ip addr add "+addrA.String()+" dev eth0"); err != nil {
		return err
	}
	if err := p.do(p.a, "ip link set eth0 up"); err != nil {
		return err
	}
	return p.reachable(p.forth())
}
