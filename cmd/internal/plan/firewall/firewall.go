package firewall

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

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
	if !d.Dialect.valid() {
		return nil, fmt.Errorf("dialect of Docker's rules: %d is none: want Docker20, Classic or Docker29", d.Dialect)
	}
	if f != rule.IPv4 && f != rule.IPv6 {
		return nil, fmt.Errorf("family of addresses: %d is none: want IPv4 or IPv6", f)
	}
	return &Firewall{family: f, daemon: d, uses: map[entry]int{}}, nil
}

// Dialect returns whose rules these are.
func (f *Firewall) Dialect() Dialect { return f.daemon.Dialect }

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
	f.jumps(p)
	return p.finish()
}

// AddNetwork returns the commands for a new network. A bridge can have one network only.
func (f *Firewall) AddNetwork(now *rule.Ruleset, n Network) ([]string, error) {
	if err := n.check(f.family); err != nil {
		return nil, err
	}
	if f.daemon.Dialect == Docker20 && !n.protected() {
		return nil, fmt.Errorf("network %s: gateway mode %q: Docker 20.10 has none: want nat", n.Bridge, n.GatewayMode)
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
	switch f.daemon.Dialect {
	case Docker20:
		return slices.Concat(f.translation(n), forwarding20(n), isolation20(n))
	case Classic:
		return slices.Concat(f.translation(n), f.forwarding(n), isolation(n))
	}
	return slices.Concat(f.translation(n), f.forwarding(n))
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

// entry is a rule, and the end of its chain that dockerd puts it at.
type entry struct {
	chainName
	head bool   // inserted before all others (-I); else appended behind them (-A)
	spec string // what follows -A CHAIN when iptables -S prints the rule
}

// inserted is a rule that dockerd puts at the head of a chain. Its words are joined; empty ones are left out.
func inserted(t rule.Table, chain string, words ...string) entry {
	e := appended(t, chain, words...)
	e.head = true
	return e
}

// appended is a rule that dockerd puts at the end of a chain.
func appended(t rule.Table, chain string, words ...string) entry {
	var b strings.Builder
	for _, w := range words {
		if w != "" && b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return entry{chainName: chainName{t, chain}, spec: b.String()}
}

// host returns an address as iptables -S prints it.
func host(a netip.Addr) string { return netip.PrefixFrom(a, a.BitLen()).String() }

// directAccess drops what comes to a container's own address from anywhere but its bridge and the interfaces that are
// trusted: the way in is a published port.
func (f *Firewall) directAccess(n *Network, endpoint netip.Addr) (rules []entry) {
	if n.Internal || !n.protected() || f.daemon.AllowDirectRouting || f.daemon.Dialect == Docker20 {
		return nil
	}
	to := "-d " + host(endpoint)
	for _, trusted := range n.TrustedInterfaces {
		rules = append(rules, appended(rule.Raw, "PREROUTING", to, "-i", trusted, "-j ACCEPT"))
	}
	return append(rules, appended(rule.Raw, "PREROUTING", to, "! -i", n.Bridge, "-j DROP"))
}

// plan returns an empty plan for the rules of this moment.
func (f *Firewall) plan(now *rule.Ruleset) *plan {
	p := &plan{tool: "iptables", now: now, chains: map[chainName][]string{}, counts: map[entry]int{}}
	if f.family == rule.IPv6 {
		p.tool = "ip6tables"
	}
	return p
}

// place plans rules, and counts their use if the plan can be carried out.
func (f *Firewall) place(now *rule.Ruleset, rules []entry) ([]string, error) {
	p := f.plan(now)
	inFront := false // of the jumps, which dockerd then puts to the head again
	for _, e := range rules {
		p.place(e)
		if e.head && e.name == "FORWARD" {
			inFront = true
		}
	}
	if inFront {
		f.jumps(p)
	}
	lines, err := p.finish()
	if err != nil {
		return nil, err
	}
	for _, e := range rules {
		f.uses[e]++
	}
	return lines, nil
}

// remove plans the end of rules, except for those that somebody else has asked for as well. (A dockerd removes them all the
// same; nobody notices, because all ports of a container end at once there.)
func (f *Firewall) remove(now *rule.Ruleset, rules []entry) ([]string, error) {
	p := f.plan(now)
	uses := maps.Clone(f.uses)
	for _, e := range rules {
		if uses[e]--; uses[e] == 0 {
			delete(uses, e)
			p.remove(e)
		}
	}
	lines, err := p.finish()
	if err != nil {
		return nil, err
	}
	f.uses = uses
	return lines, nil
}
