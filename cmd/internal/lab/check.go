package lab

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"uswitch/switch/ipam"
)

// Check finds what a plan of this package's own making never has. A plan that came from somewhere else - over a socket -
// is as good as one of its own once Check has nothing to say, except for its rules, which package rule reads.
func (p *Plan) Check() error {
	if err := ValidateName("lab name", p.Name); err != nil {
		return err
	}
	if len(p.Networks) > maxNames || len(p.Hosts) > maxNames {
		return fmt.Errorf("%d networks and %d hosts: want at most %d of each", len(p.Networks), len(p.Hosts), maxNames)
	}
	if _, err := ParseUplink(p.Uplink.text()); err != nil {
		return err
	}
	sofar := &Plan{Name: p.Name, Uplink: p.Uplink}
	for i := range p.Networks {
		if err := sofar.CheckNetwork(&p.Networks[i]); err != nil {
			return err
		}
		sofar.Networks = append(sofar.Networks, p.Networks[i])
	}
	for i := range p.Hosts {
		if err := sofar.CheckHost(&p.Hosts[i]); err != nil {
			return err
		}
		sofar.Hosts = append(sofar.Hosts, p.Hosts[i])
	}
	return errors.Join(p.checkStations(), p.checkDependencies())
}

// text returns the uplink's short form, which ParseUplink reads.
func (u Uplink) text() string {
	if u.Kind == UplinkNetns {
		return string(u.Kind) + ":" + u.Netns
	}
	return string(u.Kind)
}

// CheckNetwork accepts a network that can be added to the plan.
func (p *Plan) CheckNetwork(n *Network) error {
	if err := checkOwnName("network name", n.Name); err != nil {
		return err
	}
	if p.Network(n.Name) != nil {
		return fmt.Errorf("network %s exists already", n.Name)
	}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("network %s: %w", n.Name, fmt.Errorf(format, args...))
	}
	pool, err := n.pool()
	switch {
	case err != nil:
		return wrong("%w", err)
	case n.Gateway != netip.PrefixFrom(pool.Gateway(), n.Subnet.Bits()):
		return wrong("gateway %v: want an address of %v with its length", n.Gateway, n.Subnet)
	case !n.GatewayMAC.IsStation():
		return wrong("gateway_mac %v: no station can have this address", n.GatewayMAC)
	case n.MTU < minMTU || n.MTU > maxMTU:
		return wrong("mtu %d: want a whole number from %d to %d", n.MTU, minMTU, maxMTU)
	case n.AgeingTime < minAgeingTime || n.AgeingTime > maxAgeingTime:
		return wrong("ageing_time %d: want a whole number from %d to %d", n.AgeingTime, minAgeingTime, maxAgeingTime)
	case n.FDBMaxLearned < 0 || n.FDBMaxLearned > maxFDB:
		return wrong("fdb_max_learned %d: want a whole number up to %d", n.FDBMaxLearned, maxFDB)
	}
	for _, other := range p.Networks {
		if n.Subnet.Overlaps(other.Subnet) {
			return wrong("%v: %w: network %s has %v", n.Subnet, ipam.ErrOverlap, other.Name, other.Subnet)
		}
	}
	if up := p.Uplink.Address; up.IsValid() && n.Subnet.Overlaps(up.Masked()) {
		return wrong("%v: %w: the uplink has %v", n.Subnet, ipam.ErrOverlap, up.Masked())
	}
	return n.Port.check(n.Name)
}

func (k PortKnobs) check(where string) error {
	if k.StormLimit < 0 || k.StormLimit > maxStormLimit {
		return fmt.Errorf("%s: storm_limit %d: want a whole number up to %d", where, k.StormLimit, maxStormLimit)
	}
	return nil
}

// checkOwnName accepts a name for something new.
func checkOwnName(what, name string) error {
	if err := ValidateName(what, name); err != nil {
		return err
	}
	if slices.Contains(reserved, name) {
		return fmt.Errorf("%s %q: the name is taken; %s mean something else to uswitch", what, name, strings.Join(reserved, ", "))
	}
	return nil
}

// CheckHost accepts a host that can be added to the plan.
func (p *Plan) CheckHost(h *Host) error {
	if err := checkOwnName("host name", h.Name); err != nil {
		return err
	}
	if p.Host(h.Name) != nil {
		return fmt.Errorf("host %s exists already", h.Name)
	}
	if err := ValidateName("hostname", h.Hostname); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	if err := p.checkPlace(h); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	for _, text := range slices.Concat(h.Command, h.Environment, []string{h.WorkingDir}) {
		if strings.ContainsRune(text, 0) {
			return fmt.Errorf("host %s: a zero byte in its command, its environment or its working directory", h.Name)
		}
	}
	if len(h.Command) > 0 && h.Command[0] == "" {
		return fmt.Errorf("host %s: command: want a program's name first", h.Name)
	}
	bare := *h
	bare.Interfaces = nil
	for i := range h.Interfaces {
		if err := p.CheckInterface(&bare, &h.Interfaces[i]); err != nil {
			return err
		}
		bare.Interfaces = append(bare.Interfaces, h.Interfaces[i])
	}
	return errors.Join(p.checkRoute(h), p.checkPorts(h))
}

// checkPlace accepts the namespace of a host, if no other host is in it.
func (p *Plan) checkPlace(h *Host) error {
	switch {
	case strings.HasPrefix(h.Netns, "/"):
		if filepath.Clean(h.Netns) != h.Netns || len(h.Netns) > 4095 || strings.ContainsFunc(h.Netns, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("netns %q: want a name, or a clean absolute path, as in /proc/1234/ns/net", clip(h.Netns, 60))
		}
	case h.Netns != "":
		if err := ValidateName("namespace", h.Netns); err != nil {
			return err
		}
	}
	for i := range p.Hosts {
		if other := &p.Hosts[i]; cmp.Or(other.Netns, other.Name) == cmp.Or(h.Netns, h.Name) {
			return fmt.Errorf("netns: %s is the namespace of %s already", cmp.Or(h.Netns, h.Name), other.Name)
		}
	}
	return nil
}

// CheckInterface accepts an interface that can be added to a host of the plan, or to one that is about to be added.
func (p *Plan) CheckInterface(h *Host, i *Interface) error {
	n := p.Network(i.Network)
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("host %s on %s: %w", h.Name, clip(i.Network, MaxName), fmt.Errorf(format, args...))
	}
	if n == nil {
		return wrong("%s", p.noNetwork())
	}
	if err := ValidateInterfaceName(i.Name); err != nil {
		return wrong("%w", err)
	}
	for _, other := range h.Interfaces {
		switch {
		case other.Network == i.Network:
			return wrong("it is there already, with %s", other.Name)
		case other.Name == i.Name:
			return wrong("%s is the name of its interface on %s", i.Name, other.Network)
		}
	}
	switch {
	case i.Address.Bits() != n.Subnet.Bits() || !stationIn(n.Subnet, i.Address.Addr()):
		return wrong("%v: %w: want the address of a station in %v, and its length", i.Address, ipam.ErrOutOfRange, n.Subnet)
	case !i.MAC.IsStation():
		return wrong("%v: no station can have this MAC address", i.MAC)
	case i.MTU < minMTU || i.MTU > maxMTU:
		return wrong("mtu %d: want a whole number from %d to %d", i.MTU, minMTU, maxMTU)
	}
	if owner := p.owner(n, i); owner != "" {
		return wrong("%v %v: %w: %s has it", i.Address.Addr(), i.MAC, ipam.ErrInUse, owner)
	}
	for _, alias := range i.Aliases {
		if err := ValidateName("alias", alias); err != nil {
			return wrong("%w", err)
		}
	}
	return i.Port.check("host " + h.Name + " on " + i.Network)
}

// owner names who has the address of an interface, or its MAC address, on a network; empty if nobody.
func (p *Plan) owner(n *Network, i *Interface) string {
	if n.Gateway.Addr() == i.Address.Addr() || n.GatewayMAC == i.MAC {
		return "the gateway"
	}
	for _, h := range p.Hosts {
		for _, other := range h.Interfaces {
			if other.Network == n.Name && (other.Address.Addr() == i.Address.Addr() || other.MAC == i.MAC) {
				return h.Name
			}
		}
	}
	return ""
}

// checkRoute accepts a default route through an interface of the host.
func (p *Plan) checkRoute(h *Host) error {
	if !h.Gateway.IsValid() && h.GatewayDev == "" {
		return nil
	}
	for _, i := range h.Interfaces {
		if i.Name == h.GatewayDev && i.Address.Masked().Contains(h.Gateway) {
			return nil
		}
	}
	return fmt.Errorf("host %s: default route via %v on %q: want a neighbour on one of its interfaces", h.Name, h.Gateway, clip(h.GatewayDev, 20))
}

// checkPorts accepts ports that lead to the host and collide with no port of the plan's.
func (p *Plan) checkPorts(h *Host) error {
	if len(h.Ports) > maxPublished {
		return fmt.Errorf("host %s: more than %d published ports", h.Name, maxPublished)
	}
	for _, port := range h.Ports {
		switch {
		case port.Proto != "tcp" && port.Proto != "udp":
			return fmt.Errorf("host %s: ports: protocol %q: want tcp or udp", h.Name, clip(port.Proto, 20))
		case !port.HostIP.Is4():
			return fmt.Errorf("host %s: ports: host_ip %v: want an IPv4 address", h.Name, port.HostIP)
		case port.To.Port() == 0 || !slices.ContainsFunc(h.Interfaces, func(i Interface) bool { return i.Address.Addr() == port.To.Addr() }):
			return fmt.Errorf("host %s: ports: %v: want an address of the host, and a port", h.Name, port.To)
		}
		for _, other := range p.Hosts {
			for _, taken := range other.Ports {
				if port.collides(taken) {
					return fmt.Errorf("host %s: Bind for %v failed: port is already allocated: %s publishes it", h.Name,
						netip.AddrPortFrom(port.HostIP, port.HostPort), other.Name)
				}
			}
		}
	}
	return nil
}

// collides reports whether two ports would bind the same; the wildcard address holds a port on every address.
func (p Publish) collides(q Publish) bool {
	return p.HostPort != 0 && p.HostPortEnd == 0 && q.HostPortEnd == 0 && p.HostPort == q.HostPort && p.Proto == q.Proto &&
		(p.HostIP == q.HostIP || p.HostIP.IsUnspecified() || q.HostIP.IsUnspecified())
}

// checkStations accepts static stations behind hosts that are on the network.
func (p *Plan) checkStations() error {
	for _, n := range p.Networks {
		for _, e := range n.FDB {
			h := p.Host(e.Host)
			if !e.MAC.IsStation() || h == nil || !slices.ContainsFunc(h.Interfaces, func(i Interface) bool { return i.Network == n.Name }) {
				return fmt.Errorf("network %s: fdb: %v behind %q: want a station's address and a host on the network", n.Name, e.MAC, clip(e.Host, MaxName))
			}
		}
	}
	return nil
}

// checkDependencies accepts hosts that depend only on hosts before them.
func (p *Plan) checkDependencies() error {
	before := map[string]bool{}
	for _, h := range p.Hosts {
		for _, d := range h.DependsOn {
			if !before[d.Host] {
				return fmt.Errorf("host %s: depends_on %q: want a host that starts before it", h.Name, clip(d.Host, MaxName))
			}
		}
		before[h.Name] = true
	}
	return nil
}

// noNetwork says which networks there are.
func (p *Plan) noNetwork() string {
	if len(p.Networks) == 0 {
		return "there is no such network; there are none"
	}
	var names []string
	for _, n := range p.Networks {
		names = append(names, n.Name)
	}
	return "there is no such network; there are " + strings.Join(names, ", ")
}
