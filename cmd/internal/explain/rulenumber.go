package explain

import (
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/nat/rule"
	"uswitch/switch/trace"
)

// tablesAt are the tables that a hook asks, in order.
var tablesAt = map[trace.Hook][]rule.Table{
	trace.Prerouting:  {rule.Raw, rule.Mangle, rule.NAT},
	trace.Input:       {rule.Mangle, rule.Filter, rule.NAT},
	trace.Forward:     {rule.Mangle, rule.Filter},
	trace.Output:      {rule.Raw, rule.Mangle, rule.NAT, rule.Filter},
	trace.Postrouting: {rule.Mangle, rule.NAT},
}

// ruleOf finds the rule of a step: its table, and its number among the rules of its chain. Of several that read alike it is
// the first, which is the one that a packet meets.
func ruleOf(tables *rule.Tables, e *trace.Event) *api.Rule {
	if e.Rule == "" {
		return nil
	}
	candidates := tablesAt[e.Hook]
	if e.Hook != trace.Prerouting && e.Hook != trace.Postrouting && e.Reason == trace.NoReason && e.Verdict != trace.Rewrite && e.Note == trace.NoNote {
		candidates = []rule.Table{rule.Filter} // accepting rules are told by this table only
	}
	for _, t := range candidates {
		listing, err := tables.Exec([]string{"-t", t.String(), "-S", e.Chain})
		if err != nil {
			continue
		}
		number := 0
		for line := range strings.Lines(listing) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "-A ") {
				number++
			}
			if line == e.Rule {
				if strings.HasPrefix(line, "-P ") {
					number = 0
				}
				return &api.Rule{Table: t.String(), Chain: e.Chain, Number: number, Text: e.Rule}
			}
		}
	}
	return &api.Rule{Chain: e.Chain, Text: e.Rule}
}
