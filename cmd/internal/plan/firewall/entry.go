package firewall

import (
	"net/netip"
	"strings"

	"uswitch/nat/rule"
)

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
