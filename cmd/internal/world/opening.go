package world

import (
	"fmt"
	"net/netip"
)

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
	switch own := w.way.leg.Addr().Addr(); {
	case p.HostIP.IsUnspecified():
	case w.way.onMachine && p.HostIP != own:
		where = "-i " + UplinkName + " "
	default:
		where = fmt.Sprintf("-d %v/32 ", p.HostIP)
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
func (p *Published) inside() netip.Prefix { return netip.PrefixFrom(p.To.Addr(), 32) }

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
	case w.docker != nil:
		return w.openDocker(ports)
	}
	return w.gateway.Rules().Apply(added(each(ports, w.opening)))
}

// closeRules takes the rules of ports away. It needs a change that has begun.
func (w *World) closeRules(ports ...*Published) {
	switch {
	case w.Plan().Rules != nil:
	case w.docker != nil:
		w.closeDocker(ports)
	default:
		w.delete(each(ports, w.opening))
	}
}

// each returns the rules that of makes for each of the ports.
func each(ports []*Published, of func(*Published) []ruleText) (all []ruleText) {
	for _, p := range ports {
		all = append(all, of(p)...)
	}
	return all
}

// delete deletes rules as far as they are there: somebody may have deleted one by hand.
func (w *World) delete(rules []ruleText) {
	var lines []string
	for _, r := range rules {
		lines = append(lines, r.line("-D"))
	}
	if w.gateway.Rules().Apply(lines) == nil {
		return
	}
	for _, line := range lines {
		_ = w.gateway.Rules().Apply([]string{line})
	}
}
