package rule_test

import (
	"testing"

	"uswitch/nat/rule"
)

func TestDraftLeavesTheOriginalAlone(t *testing.T) {
	tables := rule.NewTables(rule.IPv4)
	if err := tables.Apply([]string{"-N WEB", "-A WEB -p tcp --dport 80 -j ACCEPT", "-A FORWARD -j WEB"}); err != nil {
		t.Fatal(err)
	}
	before := tables.Snapshot().Save(rule.SaveOptions{})
	draft := tables.Snapshot().Draft()
	if got := draft.Snapshot().Save(rule.SaveOptions{}); got != before {
		t.Errorf("the draft begins with\n%swant\n%s", got, before)
	}
	if err := draft.Apply([]string{"-D FORWARD 1", "-F WEB", "-X WEB", "-P FORWARD DROP"}); err != nil {
		t.Fatal(err)
	}
	if got := tables.Snapshot().Save(rule.SaveOptions{}); got != before {
		t.Errorf("after edits of the draft, the original has\n%swant\n%s", got, before)
	}
}
