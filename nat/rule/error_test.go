package rule_test

import (
	"errors"
	"testing"

	"uswitch/nat/rule"
)

// TestErrors reads messages and exit statuses.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		line   string
		status rule.Status
		want   string
	}{
		{"", rule.ParameterProblem, "iptables: no command specified"},
		{"-A nosuch -j DROP", rule.OtherProblem, "iptables: No chain/target/match by that name."},
		{"-A FORWARD -j nosuch", rule.ParameterProblem, "iptables: Chain 'nosuch' does not exist"},
		{"-D FORWARD -j DROP", rule.OtherProblem, "iptables: Bad rule (does a matching rule exist in that chain?)."},
		{"-t security -L", rule.VersionProblem, "iptables: table 'security' is not supported: there are filter, mangle, nat and raw"},
		{"-A FORWARD -m time -j DROP", rule.ParameterProblem,
			"iptables: Couldn't load match `time': not supported here; there are addrtype comment connlimit conntrack icmp iprange limit mac mark multiport recent state statistic tcp udp"},
		{"-A FORWARD -j NFQUEUE", rule.ParameterProblem,
			"iptables: Couldn't load target `NFQUEUE': not supported here; there are ACCEPT DROP RETURN REJECT LOG MARK TCPMSS MASQUERADE SNAT DNAT REDIRECT"},
		{"-A FORWARD -m conntrack --ctstatus ASSURED -j DROP", rule.ParameterProblem,
			"iptables: conntrack: option \"--ctstatus\" is not supported: there is --ctstate"},
		{"-A FORWARD -s ! 1.2.3.4 -j DROP", rule.ParameterProblem, "iptables: the ! stands before its option: `! -s ...', not `-s !'"},
		{"-A FORWARD -j MASQUERADE", rule.ResourceProblem,
			"iptables: RULE_APPEND failed (Invalid argument): rule in chain FORWARD: MASQUERADE is for the nat table"},
		{"-t nat -A PREROUTING -j MASQUERADE", rule.ResourceProblem,
			"iptables: RULE_APPEND failed (Invalid argument): rule in chain PREROUTING: MASQUERADE is for POSTROUTING only"},
		{"-t nat -I POSTROUTING -j DNAT --to 1.2.3.4", rule.ResourceProblem,
			"iptables: RULE_INSERT failed (Invalid argument): rule in chain POSTROUTING: DNAT is for PREROUTING and OUTPUT only"},
		{"-A OUTPUT -m mac --mac-source 2:2:2:2:2:2 -j DROP", rule.ResourceProblem,
			"iptables: RULE_APPEND failed (Invalid argument): rule in chain OUTPUT: -m mac means nothing in OUTPUT"},
		{"-A INPUT -m addrtype --dst-type LOCAL --limit-iface-out", rule.ResourceProblem,
			"iptables: RULE_APPEND failed (Invalid argument): rule in chain INPUT: --limit-iface-out means nothing in INPUT"},
		{"-t mangle -A FORWARD -j TCPMSS --set-mss 1400", rule.ResourceProblem,
			"iptables: RULE_APPEND failed (Invalid argument): rule in chain FORWARD: TCPMSS needs -p tcp"},
		{"-A FORWARD -m recent --update --hitcount 256", rule.ResourceProblem,
			"iptables: RULE_APPEND failed (Invalid argument): rule in chain FORWARD: --hitcount may be up to 255"},
		{"-A used -j used", rule.ResourceProblem,
			"iptables: RULE_APPEND failed (Too many links): rule in chain used: chain used would call itself"},
		{"-X used", rule.ResourceProblem,
			"iptables: CHAIN_DEL failed (Device or resource busy): chain used: 1 rules still call it"},
		{"-X full", rule.ResourceProblem,
			"iptables: CHAIN_DEL failed (Device or resource busy): chain full: it has rules, which -F full would delete"},
		{"-X INPUT", rule.OtherProblem, "iptables: Can't delete built-in chain."},
		{"-Z FORWARD 7", rule.OtherProblem, "iptables: Index of counter too big."},
		{"-A FORWARD -j DROP !", rule.ParameterProblem, "iptables: nothing appropriate following !"},
		{"-A FORWARD --jump=DROP --numeric=1", rule.ParameterProblem, "iptables: option \"--numeric\" takes no argument"},
		{"-A FORWARD -w x -j DROP", rule.ParameterProblem, "iptables: wait seconds not numeric"},
		{"-6 -A FORWARD -j DROP", rule.ParameterProblem,
			"iptables: -4 and -6 are for files that both iptables-restore and ip6tables-restore read"},
		{"-A FORWARD -m comment --comment \"a\nb\"", rule.ParameterProblem, "iptables: Newlines not allowed in --comment"},
		{"-A FORWARD -j LOG --log-prefix \"a\nb\"", rule.ParameterProblem, "iptables: Newlines not allowed in --log-prefix"},
		{"-N \"a\\\"b\"", rule.ParameterProblem, "iptables: Invalid chain name `a\"b'"},
		{"-N a\x01", rule.ParameterProblem, "iptables: Invalid chain name `a\x01'"},
	} {
		tables := newTables(t, "-N used", "-N full", "-A FORWARD -j used", "-A full -j DROP")
		before := tables.Snapshot()
		output, err := tables.Exec(words(t, c.line))
		var e *rule.Error
		if !errors.As(err, &e) || e.Status != c.status || e.Error() != c.want || output != "" {
			t.Errorf("%s\n\tgot  %v (%+v)\n\twant %s (%d)", c.line, err, e, c.want, c.status)
		}
		if tables.Snapshot() != before {
			t.Errorf("%s changed something", c.line)
		}
	}
}
