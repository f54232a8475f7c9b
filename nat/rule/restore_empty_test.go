package rule_test

import (
	"strings"
	"testing"

	"uswitch/nat/rule"
	"uswitch/switch/trace"
)

// TestRestoreOfNothing: input without a table changes nothing, least of all whether the rules are obeyed.
func TestRestoreOfNothing(t *testing.T) {
	for name, input := range map[string]string{"empty": "", "a comment": "# nothing\n", "another table": "*nat\nCOMMIT\n"} {
		t.Run(name, func(t *testing.T) {
			tables := rule.NewTables(rule.IPv4)
			if err := tables.Apply([]string{"-P INPUT DROP", "-N WEB", "-A FORWARD -j WEB", "-A WEB -j DROP"}); err != nil {
				t.Fatal(err)
			}
			if err := tables.Restore(strings.NewReader(input), rule.RestoreOptions{Table: rule.Filter}); err != nil {
				t.Fatal(err)
			}
			for _, hook := range []trace.Hook{trace.Input, trace.Forward} {
				if d := tables.Snapshot().Evaluate(rule.Filter, hook, &rule.Packet{}); d.Verdict != rule.Drop {
					t.Errorf("%v: %v, want a drop", hook, d.Verdict)
				}
			}
		})
	}
}
