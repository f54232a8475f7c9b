package world

import (
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/lab"
)

// UplinkName is what rules, routes and the trace call the way out.
const UplinkName = "uplink"

// Rules returns the rules that a lab begins with, as lines of iptables: its own, or those that make of the gateway what a
// Docker host is. Published ports add theirs (see publishRules) when they are opened.
//
//	nat     POSTROUTING  what leaves a network takes the address of the way out, unless the lab says otherwise
//	filter  FORWARD      answers pass; networks reach themselves and, if they are not internal, the outside; nothing else
func Rules(plan *lab.Plan) []string {
	if plan.Rules != nil {
		return plan.Rules
	}
	lines := []string{
		"-P FORWARD DROP",
		"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
	}
	for _, n := range plan.Networks {
		if n.Masquerade {
			lines = append(lines, fmt.Sprintf("-t nat -A POSTROUTING -s %v ! -o %s -j MASQUERADE", n.Subnet, n.Name))
		}
		if !n.Internal {
			lines = append(lines, fmt.Sprintf("-A FORWARD -i %s -o %s -j ACCEPT", n.Name, UplinkName))
		}
		lines = append(lines, fmt.Sprintf("-A FORWARD -i %s -o %s -j ACCEPT", n.Name, n.Name))
	}
	return lines
}

// publishRules returns the rules that lead one published port to its host; each is a rule without its command, so that
// the same text adds and deletes it. The last one is for a host that reaches its own network's port by the gateway: the
// answer must come back through the gateway, or the asker would not know it again.
func publishRules(p *Published) []ruleText {
	to := ""
	if !p.HostIP.IsUnspecified() && p.HostIP.IsValid() {
		to = fmt.Sprintf(" -d %v/32", p.HostIP)
	}
	host := netip.PrefixFrom(p.To.Addr(), 32)
	return []ruleText{
		{"nat", "PREROUTING", fmt.Sprintf("-p %s%s -m addrtype --dst-type LOCAL --dport %d -j DNAT --to-destination %v",
			p.Proto, to, p.HostPort, p.To)},
		{"filter", "FORWARD", fmt.Sprintf("-d %v -o %s -p %s --dport %d -j ACCEPT", host, p.Network, p.Proto, p.To.Port())},
		{"nat", "POSTROUTING", fmt.Sprintf("-s %v -d %v -p %s --dport %d -j MASQUERADE", p.Subnet, host, p.Proto, p.To.Port())},
	}
}

// ruleText is a rule and where it stands.
type ruleText struct{ table, chain, text string }

// line returns the command line that does verb, -A or -D, with the rule.
func (r ruleText) line(verb string) string {
	return fmt.Sprintf("-t %s %s %s %s", r.table, verb, r.chain, r.text)
}
