package world

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/dockerhost"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// firstRules returns the rules of a family that a lab begins with, as lines of iptables: its own, Docker's, or the few that make
// of the gateway what a Docker host is; and the dockerd that goes on where the rules are Docker's, or nil. Published ports add
// theirs when they are opened (see openRules), and so do networks and hosts that come later.
func firstRules(p *plan.Plan, family rule.Family) (*firewall.Firewall, []string, error) {
	switch {
	case p.Rules != nil:
		return nil, p.RulesOf(family), nil
	case p.DockerRules == "":
		return nil, ownRules(p, family), nil
	}
	dialect, err := firewall.ParseDialect(p.DockerRules)
	if err != nil {
		return nil, nil, err
	}
	return dockerhost.Firewall(p, family, dialect)
}

// families are those of a gateway's tables.
var families = [...]rule.Family{rule.IPv4, rule.IPv6}

// beginning is the tables that a lab begins with, and the dockerds that go on where they are Docker's, or nil: in the order of
// families.
type beginning struct {
	tables [len(families)]*rule.Tables
	docker [len(families)]*firewall.Firewall
}

// tablesOf returns the rules that a lab begins with.
func tablesOf(p *plan.Plan) (b beginning, err error) {
	for i, family := range families {
		var lines []string
		b.tables[i] = rule.NewTables(family)
		if b.docker[i], lines, err = firstRules(p, family); err == nil {
			err = b.tables[i].Apply(lines)
		}
		if err != nil {
			return b, rulesError(p, err)
		}
	}
	return b, nil
}

// tables returns those of a family.
func (w *World) tables(family rule.Family) *rule.Tables {
	if family == rule.IPv6 {
		return w.gateway.Rules6()
	}
	return w.gateway.Rules()
}

// rulesError names the place of a bad rule, if the file has written it.
func rulesError(p *plan.Plan, err error) error {
	var bad *rule.Error
	if p.Rules == nil || !errors.As(err, &bad) || bad.Line < 1 || bad.Line > len(p.Rules) {
		return fmt.Errorf("the lab's rules: %w", err)
	}
	i := bad.Line - 1
	return fmt.Errorf("%s: x-uswitch.rules.%d: %q: %s", p.Source, i, p.Rules[i], bad.Text)
}

// ownRules are uswitch's own.
//
//	nat     POSTROUTING  what leaves a network takes the address of the way out, unless the lab says otherwise
//	filter  FORWARD      answers pass; networks reach themselves and, if they are not internal, the outside; others reach
//	                     them only as far as their gateway mode opens them
func ownRules(p *plan.Plan, family rule.Family) []string {
	lines := []string{
		"-P FORWARD DROP",
		"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
	}
	for i := range p.Networks {
		lines = append(lines, added(networkRules(&p.Networks[i], family, p.Uplink.Name()))...)
	}
	return lines
}

// networkRules are those of ownRules that one network has, beside a way out of that name.
func networkRules(n *plan.Network, family rule.Family, uplink string) (all []ruleText) {
	known, ok := dockerhost.Network(n, family)
	if !ok {
		return nil
	}
	ping := "icmp"
	if family == rule.IPv6 {
		ping = "ipv6-icmp"
	}
	rule := func(table, chain, format string, args ...any) {
		all = append(all, ruleText{table: table, chain: chain, text: fmt.Sprintf(format, args...)})
	}
	mode := known.GatewayMode
	if n.Masquerade && mode != firewall.Routed {
		rule("nat", "POSTROUTING", "-s %v ! -o %s -j MASQUERADE", known.Subnet, n.Name)
	}
	if !n.Internal {
		rule("filter", "FORWARD", "-i %s -o %s -j ACCEPT", n.Name, uplink)
	}
	if n.ICC {
		rule("filter", "FORWARD", "-i %s -o %s -j ACCEPT", n.Name, n.Name)
	}
	switch {
	case n.Internal:
	case mode == firewall.Routed:
		rule("filter", "FORWARD", "-o %s -p %s -j ACCEPT", n.Name, ping)
	case mode == firewall.NATUnprotected:
		rule("filter", "FORWARD", "-o %s -j ACCEPT", n.Name)
	}
	return all
}

// openNetwork makes the rules of a network that is added: all of them or, after an error, none.
func (w *World) openNetwork(n *Network) error {
	for i, family := range families {
		if err := w.openNetworkIn(n, i, family); err != nil {
			w.closeNetwork(n)
			return err
		}
	}
	return nil
}

// openNetworkIn is openNetwork in one family.
func (w *World) openNetworkIn(n *Network, i int, family rule.Family) error {
	known, ok := dockerhost.Network(n.Plan, family)
	switch docker := w.docker[i]; {
	case w.Plan().Rules != nil, !ok:
		return nil // the lab has rules of its own, or the network has none
	case docker != nil:
		return dockerDo(w.tables(family), func(now *rule.Ruleset) ([]string, error) { return docker.AddNetwork(now, known) },
			func(now *rule.Ruleset) ([]string, error) { return docker.RemoveNetwork(now, n.Plan.Name) })
	}
	return w.tables(family).Apply(added(networkRules(n.Plan, family, w.uplinkName())))
}

// closeNetwork takes the rules of a network away, as far as they are there.
func (w *World) closeNetwork(n *Network) {
	for i, family := range families {
		switch docker := w.docker[i]; {
		case w.Plan().Rules != nil, !n.Plan.Docked():
		case docker != nil:
			_ = dockerDo(w.tables(family), func(now *rule.Ruleset) ([]string, error) { return docker.RemoveNetwork(now, n.Plan.Name) }, nil)
		default:
			w.delete(family, networkRules(n.Plan, family, w.uplinkName()))
		}
	}
}

// dockers reports whether the rules are Docker's.
func (w *World) dockers() bool { return w.docker[0] != nil }

// join makes what an interface that is added needs besides its cable: Docker's rules for its address, and the stations that the
// lab file enters behind it. It goes with the interface's cleanup stack.
func (w *World) join(h *Host, c *NIC) error {
	c.cleanup.add(func() error {
		w.leaving.Lock() // other hosts go at the same time
		defer w.leaving.Unlock()
		w.leave(c)
		return nil
	})
	if w.dockers() && w.Network(c.Plan.Network).Plan.Docked() {
		if err := w.openEndpoint(c); err != nil {
			return err
		}
	}
	return enterStations(w.Network(c.Plan.Network), h.Plan.Name)
}

// leave undoes join, as far as there is something left of it; the stations go with the port.
func (w *World) leave(c *NIC) {
	if n := w.Network(c.Plan.Network); w.dockers() && n != nil && n.Plan.Docked() {
		w.closeEndpoint(c)
	}
}

// opening is the rules that lead one published port to its host, where all rules are uswitch's own.
func (w *World) opening(p *Published) []ruleText {
	pass := fmt.Sprintf("-d %v -o %s -p %s --dport %d -j ACCEPT", p.inside(), p.Network, p.Proto, p.To.Port())
	open := ruleText{table: "filter", chain: "FORWARD", text: pass}
	if p.routed {
		return []ruleText{open}
	}
	return []ruleText{w.translation(p), open, hairpin(p)}
}

// translation gives what comes in the host's address for its destination.
//
// A port that is bound to one address is open at that one only, and the rule says so. Where listeners are this machine's, what
// comes in has the uplink's own address as its destination, whichever of this machine's addresses the client asked for: there
// the listener has decided, and the rule keeps out the lab's own hosts, who could not have reached that address.
func (w *World) translation(p *Published) ruleText {
	where := ""
	switch own := w.way.addr(p.v6()); {
	case p.HostIP.IsUnspecified() && p.HostIP.Is6() == p.v6():
	case w.way.onMachine && p.HostIP != own:
		where = "-i " + w.uplinkName() + " "
	default:
		where = fmt.Sprintf("-d %v ", netip.PrefixFrom(p.HostIP, p.HostIP.BitLen()))
	}
	return ruleText{table: "nat", chain: "PREROUTING", text: fmt.Sprintf(
		"%s-p %s -m addrtype --dst-type LOCAL --dport %d -j DNAT --to-destination %v", where, p.Proto, p.HostPort, p.To)}
}

// hairpin is for a host that reaches its own network's port by the gateway: the answer must come back through the gateway,
// or the asker would not know it again.
func hairpin(p *Published) ruleText {
	return ruleText{table: "nat", chain: "POSTROUTING", text: fmt.Sprintf(
		"-s %v -d %v -p %s --dport %d -j MASQUERADE", p.Subnet, p.inside(), p.Proto, p.To.Port())}
}

// inside returns the host's address as rules write it.
func (p *Published) inside() netip.Prefix { return netip.PrefixFrom(p.To.Addr(), p.To.Addr().BitLen()) }

// ruleText is a rule without its command, so that the same text adds and deletes it, and where it stands.
type ruleText struct {
	table, chain, text string
	head               bool // before all others of the chain, not behind them
}

// added returns the lines that add rules.
func added(rules []ruleText) (lines []string) {
	for _, r := range rules {
		verb := "-A"
		if r.head {
			verb = "-I"
		}
		lines = append(lines, r.line(verb))
	}
	return lines
}

// line returns the command line that does verb with the rule.
func (r ruleText) line(verb string) string {
	return fmt.Sprintf("-t %s %s %s %s", r.table, verb, r.chain, r.text)
}

// openRules makes the rules of ports: all of them or, after an error, none. It needs a change that has begun.
func (w *World) openRules(ports ...*Published) error {
	switch {
	case w.Plan().Rules != nil:
		return nil // the lab has rules of its own
	case w.dockers():
		return w.openDocker(ports)
	}
	for i, some := range byFamily(ports) {
		if err := w.tables(families[i]).Apply(added(each(some, w.opening))); err != nil {
			return err
		}
	}
	return nil
}

// closeRules takes the rules of ports away. It needs a change that has begun.
func (w *World) closeRules(ports ...*Published) {
	switch {
	case w.Plan().Rules != nil:
	case w.dockers():
		w.closeDocker(ports)
	default:
		for i, some := range byFamily(ports) {
			w.delete(families[i], each(some, w.opening))
		}
	}
}

// byFamily takes ports apart by where they lead, in the order of families.
func byFamily(ports []*Published) (all [len(families)][]*Published) {
	for _, p := range ports {
		i := slices.Index(families[:], p.family())
		all[i] = append(all[i], p)
	}
	return all
}

// family is that of the tables with the port's rules.
func (p *Published) family() rule.Family {
	if p.v6() {
		return rule.IPv6
	}
	return rule.IPv4
}

// each returns the rules that of makes for each of the ports.
func each(ports []*Published, of func(*Published) []ruleText) (all []ruleText) {
	for _, p := range ports {
		all = append(all, of(p)...)
	}
	return all
}

// delete deletes rules as far as they are there: somebody may have deleted one by hand.
func (w *World) delete(family rule.Family, rules []ruleText) {
	var lines []string
	for _, r := range rules {
		lines = append(lines, r.line("-D"))
	}
	if w.tables(family).Apply(lines) == nil {
		return
	}
	for _, line := range lines {
		_ = w.tables(family).Apply([]string{line})
	}
}
