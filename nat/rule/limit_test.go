package rule_test

import (
	"testing"
	"time"

	"uswitch/nat/rule"
	"uswitch/switch/trace"
)

// TestLimit spends and refills a bucket of three with one token a second.
func TestLimit(t *testing.T) {
	tables := newTables(t, "-A FORWARD -m limit --limit 1/s --limit-burst 3 -j DROP")
	ask := func(at time.Duration) bool {
		p := syn(t, func(p *rule.Packet) { p.Now = p.Now.Add(at) })
		d := tables.Snapshot().Evaluate(rule.Filter, trace.Forward, &p)
		return d.Verdict == rule.Drop
	}
	for i, step := range []struct {
		at   time.Duration
		want bool
	}{
		{0, true}, {0, true}, {0, true}, {0, false}, {999 * time.Millisecond, false}, {time.Second, true}, {time.Second, false},
		{10 * time.Second, true}, {10 * time.Second, true}, {10 * time.Second, true}, {10 * time.Second, false},
		{5 * time.Second, false}, {6 * time.Second, true}, // the clock was set back
	} {
		if i == 6 {
			newRule := []string{"-A", "FORWARD", "-j", "ACCEPT"} // an edit beside the rule leaves its bucket alone
			if _, err := tables.Exec(newRule); err != nil {
				t.Fatal(err)
			}
		}
		if got := ask(step.at); got != step.want {
			t.Errorf("step %d at %v: %v, want %v", i, step.at, got, step.want)
		}
	}
}

// TestLimitsOfTheirOwn gives each rule of a list of addresses its own bucket.
func TestLimitsOfTheirOwn(t *testing.T) {
	s := newTables(t, "-A FORWARD -s 11.11.11.2,11.11.11.3 -m limit --limit 1/day --limit-burst 1 -j ACCEPT", "-P FORWARD DROP").Snapshot()
	for i, want := range []rule.Verdict{rule.Accept, rule.Accept, rule.Drop, rule.Drop} {
		p := syn(t)
		p.Tuple.SrcIP = host(byte(2 + i%2))
		if d := s.Evaluate(rule.Filter, trace.Forward, &p); d.Verdict != want {
			t.Errorf("packet %d: %d, want %d", i, d.Verdict, want)
		}
	}
}
