package rule_test

import (
	"testing"
	"time"

	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestFork: a fork decides as its original would, down to the last token of a limit, and neither feels the other.
func TestFork(t *testing.T) {
	tables := rule.NewTables(rule.IPv4)
	if err := tables.Apply([]string{"-P FORWARD DROP", "-N C", "-A FORWARD -j C", "-A C -m limit --limit 1/hour --limit-burst 3 -j ACCEPT"}); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	accepted := func(tables *rule.Tables) (n int) {
		for range 5 {
			q := rule.Packet{Tuple: frame.Tuple{Proto: frame.ProtoUDP}, Length: 100, Now: now}
			d := tables.Snapshot().Evaluate(rule.Filter, trace.Forward, &q)
			if d.Verdict != rule.Accept {
				continue
			}
			if n++; d.Rule == nil || d.Rule.Counter().Packets() == 0 {
				t.Errorf("%+v: want the rule that was counted", d)
			}
		}
		return n
	}
	list := func(tables *rule.Tables) string {
		text, err := tables.Exec([]string{"-S", "-v"})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	q := rule.Packet{Tuple: frame.Tuple{Proto: frame.ProtoUDP}, Length: 100, Now: now}
	tables.Snapshot().Evaluate(rule.Filter, trace.Forward, &q) // one token of three
	before := list(tables)
	fork := tables.Fork()
	if got := list(fork); got != before {
		t.Errorf("the fork begins as\n%s\nwant\n%s", got, before)
	}
	if n := accepted(fork); n != 2 {
		t.Errorf("the fork accepts %d, want the 2 that are left", n)
	}
	if _, err := fork.Exec([]string{"-F", "C"}); err != nil {
		t.Fatal(err)
	}
	if got := list(tables); got != before {
		t.Errorf("the original has become\n%s\nwas\n%s", got, before)
	}
	if n := accepted(tables); n != 2 {
		t.Errorf("the original accepts %d, want 2: the fork has taken its tokens", n)
	}
}
