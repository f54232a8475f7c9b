package firewall

import (
	"fmt"
	"net/netip"
	"slices"

	"uswitch/nat/rule"
)

// Firewall is dockerd as the rules of one family of addresses know it: which networks, endpoints and published ports there
// are, in the order in which they were made. It changes no rules: its methods return the command lines that do, each with
// the word iptables (ip6tables) in front, and take for granted that they are applied, as a whole, to the rules that they
// were made for. After an error nothing is returned, and what the Firewall knows is as before.
//
// A Firewall is not safe for concurrent use.
type Firewall struct {
	family   rule.Family
	daemon   Daemon
	networks []*network
	uses     map[entry]int // how many have asked for a rule: two ports outside may lead to one inside
}

// network is a Network and what is on it.
type network struct {
	Network
	endpoints []netip.Addr
	ports     []Port
}

// New returns a Firewall that knows of no networks.
func New(f rule.Family, d Daemon) (*Firewall, error) {
	if d.Dialect != Classic && d.Dialect != Docker29 {
		return nil, fmt.Errorf("dialect of Docker's rules: %d is none: want Classic or Docker29", d.Dialect)
	}
	if f != rule.IPv4 && f != rule.IPv6 {
		return nil, fmt.Errorf("family of addresses: %d is none: want IPv4 or IPv6", f)
	}
	return &Firewall{family: f, daemon: d, uses: map[entry]int{}}, nil
}

// Start returns the commands that make dockerd's chains and the jumps to them. Called again, it returns what is missing of
// all that the Firewall has ever returned and not removed: dockerd does that when the firewall was reloaded under it. An
// intact ruleset needs no command.
func (f *Firewall) Start(now *rule.Ruleset) ([]string, error) {
	p := f.plan(now)
	f.chains(p)
	for _, n := range f.networks {
		for _, e := range f.all(n) {
			p.place(e)
		}
	}
	return p.finish()
}

// AddNetwork returns the commands for a new network. A bridge can have one network only.
func (f *Firewall) AddNetwork(now *rule.Ruleset, n Network) ([]string, error) {
	if err := n.check(f.family); err != nil {
		return nil, err
	}
	if f.find(n.Bridge) != nil {
		return nil, fmt.Errorf("network %s exists already", n.Bridge)
	}
	n.TrustedInterfaces = slices.Clone(n.TrustedInterfaces)
	lines, err := f.place(now, f.networkRules(&n))
	if err != nil {
		return nil, err
	}
	f.networks = append(f.networks, &network{Network: n})
	return lines, nil
}

// RemoveNetwork returns the commands that undo a network, with whatever endpoints and ports are still on it.
func (f *Firewall) RemoveNetwork(now *rule.Ruleset, bridge string) ([]string, error) {
	n, err := f.named(bridge)
	if err != nil {
		return nil, err
	}
	lines, err := f.remove(now, f.all(n))
	if err != nil {
		return nil, err
	}
	f.networks = slices.DeleteFunc(f.networks, func(other *network) bool { return other == n })
	return lines, nil
}

// all is all the rules of a network and of what is on it, in the order in which they were asked for.
func (f *Firewall) all(n *network) []entry {
	rules := f.networkRules(&n.Network)
	for _, a := range n.endpoints {
		rules = append(rules, f.directAccess(&n.Network, a)...)
	}
	for _, p := range n.ports {
		rules = append(rules, f.publication(&n.Network, p)...)
	}
	return rules
}

// networkRules is the rules of a network by itself.
func (f *Firewall) networkRules(n *Network) []entry {
	if n.Internal {
		return f.internal(n)
	}
	rules := slices.Concat(f.translation(n), f.forwarding(n))
	if f.daemon.Dialect == Classic {
		rules = append(rules, isolation(n)...)
	}
	return rules
}

// find returns the network of a bridge, or nil.
func (f *Firewall) find(bridge string) *network {
	for _, n := range f.networks {
		if n.Bridge == bridge {
			return n
		}
	}
	return nil
}

// named is find with words for what is not there.
func (f *Firewall) named(bridge string) (*network, error) {
	if n := f.find(bridge); n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("network %s not found", bridge)
}
