package rule_test

import (
	"net/netip"
	"strings"
	"testing"

	"uswitch/nat/rule"
	"uswitch/switch/trace"
)

// newTables makes tables from command lines.
func newTables(t testing.TB, lines ...string) *rule.Tables {
	t.Helper()
	tables := rule.NewTables(rule.IPv4)
	if err := tables.Apply(lines); err != nil {
		t.Fatal(err)
	}
	return tables
}

// TestWalk follows packets through chains.
func TestWalk(t *testing.T) {
	for _, c := range []struct {
		name, chain string
		lines       []string
		verdict     rule.Verdict
		text        string
		reason      trace.Reason
	}{
		{"policy accept", "FORWARD", nil, rule.Accept, "-P FORWARD ACCEPT", trace.NoReason},
		{"policy drop", "FORWARD", []string{"-P FORWARD DROP"}, rule.Drop, "-P FORWARD DROP", trace.PolicyDrop},
		{"first match wins", "FORWARD", []string{"-A FORWARD -p tcp -j ACCEPT", "-A FORWARD -j DROP"},
			rule.Accept, "-A FORWARD -p tcp -j ACCEPT", trace.NoReason},
		{"drop", "FORWARD", []string{"-A FORWARD -p udp -j ACCEPT", "-A FORWARD -s 11.11.11.2 -j DROP"},
			rule.Drop, "-A FORWARD -s 11.11.11.2/32 -j DROP", trace.RuleDrop},
		{"reject", "FORWARD", []string{"-A FORWARD -j REJECT"},
			rule.Refuse, "-A FORWARD -j REJECT --reject-with icmp-port-unreachable", trace.RuleReject},
		{"rule without target goes on", "FORWARD", []string{"-A FORWARD -p tcp", "-A FORWARD -j DROP"},
			rule.Drop, "-A FORWARD -j DROP", trace.RuleDrop},
		{"user's chain decides", "c", []string{"-N c", "-A c -j DROP", "-A FORWARD -j c", "-A FORWARD -j ACCEPT"},
			rule.Drop, "-A c -j DROP", trace.RuleDrop},
		{"end of a user's chain returns", "FORWARD", []string{"-N c", "-A c -p udp -j DROP", "-A FORWARD -j c", "-A FORWARD -j ACCEPT"},
			rule.Accept, "-A FORWARD -j ACCEPT", trace.NoReason},
		{"RETURN returns", "FORWARD", []string{"-N c", "-A c -j RETURN", "-A c -j DROP", "-A FORWARD -j c", "-A FORWARD -j ACCEPT"},
			rule.Accept, "-A FORWARD -j ACCEPT", trace.NoReason},
		{"RETURN in a built-in chain is the policy", "FORWARD", []string{"-P FORWARD DROP", "-A FORWARD -j RETURN", "-A FORWARD -j ACCEPT"},
			rule.Drop, "-P FORWARD DROP", trace.PolicyDrop},
		{"goto does not come back", "FORWARD", []string{"-P FORWARD DROP", "-N c", "-A FORWARD -g c", "-A FORWARD -j ACCEPT"},
			rule.Drop, "-P FORWARD DROP", trace.PolicyDrop},
		{"goto within a call returns to the caller", "FORWARD",
			[]string{"-N c", "-N d", "-A FORWARD -j c", "-A FORWARD -j ACCEPT", "-A c -g d", "-A c -j DROP", "-A d -p udp -j DROP"},
			rule.Accept, "-A FORWARD -j ACCEPT", trace.NoReason},
		{"fifteen deep", "c15", deep(15), rule.Drop, "-A c15 -j DROP", trace.RuleDrop},
		{"a mark is seen by the next rule", "FORWARD",
			[]string{"-A FORWARD -j MARK --set-mark 7", "-A FORWARD -m mark --mark 7 -j DROP"},
			rule.Drop, "-A FORWARD -m mark --mark 0x7 -j DROP", trace.RuleDrop},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := syn(t)
			d := newTables(t, c.lines...).Snapshot().Evaluate(rule.Filter, trace.Forward, &p)
			if d.Verdict != c.verdict || d.Text != c.text || d.Chain != c.chain || d.Reason() != c.reason {
				t.Errorf("got %d %q in %q (%v), want %d %q in %q (%v)",
					d.Verdict, d.Text, d.Chain, d.Reason(), c.verdict, c.text, c.chain, c.reason)
			}
			if _, target, _ := strings.Cut(d.Text, " -j "); d.Rule != nil && !strings.HasPrefix(target, d.Target) {
				t.Errorf("target %q of %q", d.Target, d.Text)
			}
		})
	}
}

// deep makes chains that call each other so deep, and drop there.
func deep(n int) (lines []string) {
	name := func(i int) string { return "c" + string(rune('0'+i/10)) + string(rune('0'+i%10)) }
	for i := 1; i <= n; i++ {
		lines = append(lines, "-N "+name(i))
	}
	lines = append(lines, "-A FORWARD -j "+name(1))
	for i := 1; i < n; i++ {
		lines = append(lines, "-A "+name(i)+" -j "+name(i+1))
	}
	return append(lines, "-A "+name(n)+" -j DROP")
}

// TestMarks computes what each option of MARK makes of a mark.
func TestMarks(t *testing.T) {
	for option, want := range map[string]uint32{
		"--set-mark 0x5":       0x5,
		"--set-mark 0x5/0xf0":  0xf0f & ^uint32(0xf5) ^ 0x5,
		"--set-xmark 0x5/0xf0": 0xf0f&^uint32(0xf0) ^ 0x5,
		"--and-mark 0xff":      0xf,
		"--or-mark 0xf0":       0xfff,
		"--xor-mark 0xf":       0xf00,
	} {
		p := syn(t, marked(0xf0f))
		newTables(t, "-A FORWARD -j MARK "+option).Snapshot().Evaluate(rule.Filter, trace.Forward, &p)
		if p.Mark != want {
			t.Errorf("%s: %#x, want %#x", option, p.Mark, want)
		}
	}
}

// TestRejects names what each REJECT sends.
func TestRejects(t *testing.T) {
	for with, code := range map[string]uint8{
		"icmp-net-unreachable": 0, "icmp-host-unreachable": 1, "icmp-proto-unreachable": 2, "icmp-port-unreachable": 3,
		"icmp-net-prohibited": 9, "icmp-host-prohibited": 10, "icmp-admin-prohibited": 13,
	} {
		p := syn(t)
		d := newTables(t, "-A FORWARD -j REJECT --reject-with "+with).Snapshot().Evaluate(rule.Filter, trace.Forward, &p)
		if got, ok := d.RejectWith.Code(); !ok || got != code {
			t.Errorf("%s: code %d %v, want %d", with, got, ok, code)
		}
	}
	p := syn(t)
	d := newTables(t, "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset").Snapshot().Evaluate(rule.Filter, trace.Forward, &p)
	if _, icmp := d.RejectWith.Code(); icmp || d.RejectWith != rule.RejectReset {
		t.Errorf("tcp-reset: %d", d.RejectWith)
	}
}

// TestTranslations reads what the nat table offers to choose from.
func TestTranslations(t *testing.T) {
	one, nine := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.9")
	for _, c := range []struct {
		line    string
		hook    trace.Hook
		verdict rule.Verdict
		want    rule.Range
	}{
		{"-A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE", trace.Postrouting, rule.Masquerade, rule.Range{}},
		{"-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1024-2048 --random", trace.Postrouting, rule.Masquerade,
			rule.Range{HasPorts: true, MinPort: 1024, MaxPort: 2048, Random: true}},
		{"-A POSTROUTING -j SNAT --to 192.0.2.1", trace.Postrouting, rule.SNAT, rule.Range{MinAddr: one, MaxAddr: one}},
		{"-A POSTROUTING -p tcp -j SNAT --to-source 192.0.2.1-192.0.2.9:80 --persistent --random-fully", trace.Postrouting, rule.SNAT,
			rule.Range{MinAddr: one, MaxAddr: nine, HasPorts: true, MinPort: 80, MaxPort: 80, Random: true, Persistent: true}},
		{"-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.0.2.1:8080", trace.Prerouting, rule.DNAT,
			rule.Range{MinAddr: one, MaxAddr: one, HasPorts: true, MinPort: 8080, MaxPort: 8080}},
		{"-A PREROUTING -p tcp -j DNAT --to-destination :80-89/5000", trace.Prerouting, rule.DNAT,
			rule.Range{HasPorts: true, MinPort: 80, MaxPort: 89, Shifted: true, BasePort: 5000}},
		{"-A PREROUTING -p tcp -j REDIRECT --to-ports 8080", trace.Prerouting, rule.Redirect,
			rule.Range{HasPorts: true, MinPort: 8080, MaxPort: 8080}},
		{"-A PREROUTING -p udp -j REDIRECT", trace.Prerouting, rule.Accept, rule.Range{}},
	} {
		p := syn(t)
		d := newTables(t, "-t nat "+c.line).Snapshot().Evaluate(rule.NAT, c.hook, &p)
		if d.Verdict != c.verdict || d.NAT != c.want {
			t.Errorf("%s: %d %+v, want %d %+v", c.line, d.Verdict, d.NAT, c.verdict, c.want)
		}
	}
}

// TestElsewhere asks tables at hooks that do not call them.
func TestElsewhere(t *testing.T) {
	s := newTables(t, "-P FORWARD DROP", "-t raw -P PREROUTING DROP").Snapshot()
	for _, c := range []struct {
		table rule.Table
		hook  trace.Hook
	}{{rule.Filter, trace.Prerouting}, {rule.NAT, trace.Forward}, {rule.Raw, trace.Egress}, {0, trace.Input}, {99, trace.Input}} {
		p := syn(t)
		if d := s.Evaluate(c.table, c.hook, &p); d.Verdict != rule.Accept || d.Text != "" {
			t.Errorf("table %d at %v: %d %q", c.table, c.hook, d.Verdict, d.Text)
		}
	}
}

// TestLog remembers the first LOG rules on the way, and goes on.
func TestLog(t *testing.T) {
	lines := []string{"-N c", "-A c -j LOG --log-prefix \"deep: \"", "-A FORWARD -j LOG", "-A FORWARD -j c"}
	for range 5 {
		lines = append(lines, "-A FORWARD -j LOG --log-prefix again")
	}
	p := syn(t)
	d := newTables(t, append(lines, "-A FORWARD -j DROP")...).Snapshot().Evaluate(rule.Filter, trace.Forward, &p)
	if d.Verdict != rule.Drop || d.LogCount != 7 || d.Logged[3] == nil {
		t.Fatalf("verdict %d after %d logs", d.Verdict, d.LogCount)
	}
	if prefix, ok := d.Logged[1].LogPrefix(); !ok || prefix != "deep: " {
		t.Errorf("second log: %q %v", prefix, ok)
	}
	if _, ok := d.Rule.LogPrefix(); ok {
		t.Error("DROP has a log prefix")
	}
}

// TestCounters counts packets and bytes at rules and policies, across edits.
func TestCounters(t *testing.T) {
	tables := newTables(t, "-N c", "-A FORWARD -p tcp -j c", "-A c -p udp -j DROP")
	old := tables.Snapshot()
	for range 3 {
		p := syn(t)
		old.Evaluate(rule.Filter, trace.Forward, &p)
	}
	if _, err := tables.Exec(words(t, "-I FORWARD -p icmp -j DROP")); err != nil {
		t.Fatal(err)
	}
	p := syn(t)
	old.Evaluate(rule.Filter, trace.Forward, &p) // a reader that still has the old snapshot counts for the new one
	got, err := tables.Exec(words(t, "-S -v"))
	want := `-P INPUT ACCEPT -c 0 0
-P FORWARD ACCEPT -c 4 240
-P OUTPUT ACCEPT -c 0 0
-N c
-A FORWARD -p icmp -c 0 0 -j DROP
-A FORWARD -p tcp -c 4 240 -j c
-A c -p udp -c 0 0 -j DROP
`
	if err != nil || got != want {
		t.Errorf("%v%s", err, difference(want, got))
	}
}

// TestNoAllocations evaluates a packet that lives on the stack through chains with every match, and allocates nothing.
func TestNoAllocations(t *testing.T) {
	s := newTables(t, "-N c", "-P FORWARD DROP",
		"-A FORWARD -p tcp --dport 81 -j DROP", "-A FORWARD -p udp --dport 80 -j DROP", "-A FORWARD -p icmp --icmp-type 8 -j DROP",
		"-A FORWARD -p tcp -m multiport --ports 5,6,7:9 -j DROP", "-A FORWARD -m state --state INVALID -j DROP",
		"-A FORWARD -m addrtype --dst-type MULTICAST -j DROP", "-A FORWARD -m mark --mark 1 -j DROP", "-A FORWARD -j LOG",
		"-A FORWARD -m mac --mac-source 2:2:2:2:2:2 -j DROP", "-A FORWARD -j MARK --set-mark 3", "-A FORWARD -j c",
		"-A c -m limit --limit 1/s -m comment --comment words", "-A c -m conntrack --ctorigdst 1.2.3.4 -j DROP",
		"-t nat -A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE").Snapshot()
	from := syn(t)
	allocs := testing.AllocsPerRun(100, func() {
		p := from
		if d := s.Evaluate(rule.Filter, trace.Forward, &p); d.Text != "-P FORWARD DROP" {
			t.Error(d.Text)
		}
		if d := s.Evaluate(rule.NAT, trace.Postrouting, &p); d.Verdict != rule.Masquerade {
			t.Error(d.Text)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a packet", allocs)
	}
}

// BenchmarkEvaluate is a packet's way through Docker's usual filter table.
func BenchmarkEvaluate(b *testing.B) {
	s := newTables(b, "-N DOCKER", "-N DOCKER-FORWARD", "-N DOCKER-CT", "-A FORWARD -j DOCKER-FORWARD",
		"-A DOCKER-FORWARD -j DOCKER-CT", "-A DOCKER-CT -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"-A DOCKER-FORWARD -o br0 -j DOCKER", "-A DOCKER-FORWARD -i br0 -j ACCEPT").Snapshot()
	from := syn(b)
	b.ReportAllocs()
	for b.Loop() {
		p := from
		s.Evaluate(rule.Filter, trace.Forward, &p)
	}
}
