package rule_test

import (
	"strings"
	"testing"
	"time"

	"uswitch/nat/rule"
)

// TestRestore reads inputs with each option.
func TestRestore(t *testing.T) {
	const input = `# a comment
*filter
:INPUT DROP [5:6]
:old - [0:0]
:new - [0:0]
[3:4] -A INPUT -s 1.1.1.1,2.2.2.2 -j new
-6 -A INPUT -p ipv6-icmp -j DROP

-I new -j LOG --log-prefix "a \"b\" c"
COMMIT
*nat
-A POSTROUTING -j MASQUERADE
COMMIT
`
	const head, old = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n*filter\n", "-A FORWARD -j old\n"
	const log = "-A new -j LOG --log-prefix \"a \\\"b\\\" c\"\n"
	const nat = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
	const plain = ":INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:new - [0:0]\n:old - [0:0]\n"
	const added = "-A INPUT -s 1.1.1.1/32 -j new\n-A INPUT -s 2.2.2.2/32 -j new\n"
	const untouched = head + ":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:old - [0:0]\n" + old + "-A old -j DROP\nCOMMIT\n"
	for _, c := range []struct {
		name    string
		options rule.RestoreOptions
		save    rule.SaveOptions
		want    string
	}{
		{"plain", rule.RestoreOptions{}, rule.SaveOptions{},
			head + plain + added + log + "COMMIT\n" + nat + "-A POSTROUTING -j MASQUERADE\nCOMMIT\n"},
		{"counters", rule.RestoreOptions{Counters: true}, rule.SaveOptions{Counters: true, Table: rule.Filter},
			"*filter\n:INPUT DROP [5:6]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:new - [0:0]\n:old - [0:0]\n" +
				"[3:4] -A INPUT -s 1.1.1.1/32 -j new\n[3:4] -A INPUT -s 2.2.2.2/32 -j new\n[0:0] " + log + "COMMIT\n"},
		{"noflush", rule.RestoreOptions{NoFlush: true}, rule.SaveOptions{},
			head + strings.Replace(plain, "FORWARD ACCEPT", "FORWARD DROP", 1) + added + old + log + "COMMIT\n" +
				nat + "-A POSTROUTING -j MASQUERADE\nCOMMIT\n"},
		{"one table", rule.RestoreOptions{Table: rule.NAT}, rule.SaveOptions{},
			untouched + nat + "-A POSTROUTING -j MASQUERADE\nCOMMIT\n"},
		{"test", rule.RestoreOptions{Test: true}, rule.SaveOptions{}, untouched + nat + "COMMIT\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tables := newTables(t, "-N old", "-A old -j DROP", "-A FORWARD -j old", "-P FORWARD DROP")
			if err := tables.Restore(strings.NewReader(input), c.options); err != nil {
				t.Fatal(err)
			}
			if got := tables.Snapshot().Save(c.save); got != c.want {
				t.Errorf("%s\n%s", difference(c.want, got), got)
			}
		})
	}
}

// TestRestoreErrors names the line, and changes nothing, not even in tables that were complete.
func TestRestoreErrors(t *testing.T) {
	for input, want := range map[string]string{
		"*filter\n-F\n-A INPUT --foo\nCOMMIT\n":               "line 3: unknown option \"--foo\"",
		"*filter\n-A nosuch -j DROP\nCOMMIT\n":                "line 2: No chain/target/match by that name.",
		"*filter\n:INPUT ACCEPT [0:0]\n":                      "line 3: COMMIT expected",
		"*security\nCOMMIT\n":                                 "line 1: table 'security' is not supported: there are filter, mangle, nat and raw",
		"-A INPUT -j DROP\n":                                  "line 1: expected *table, not `-A INPUT -j DROP'",
		"*filter\n-t nat -L\nCOMMIT\n":                        "line 2: The -t option cannot be used in iptables-restore.",
		"*filter\n:INPUT\nCOMMIT\n":                           "line 2: policy invalid: want :CHAIN POLICY [packets:bytes]",
		"*filter\n:INPUT REJECT\nCOMMIT\n":                    "line 2: Bad policy name.",
		"*filter\n:user DROP\nCOMMIT\n":                       "line 2: Can't set policy `DROP' on `user': only built-in chains have one",
		"*filter\n:LOG -\nCOMMIT\n":                           "line 2: chain name may not clash with target name",
		"*nat\n:OUTPUT DROP [0:0]\nCOMMIT\n":                  "line 2: The \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.",
		"*filter\n[1:2 -A INPUT\nCOMMIT\n":                    "line 2: need ]",
		"*filter\n[1;2] -A INPUT\nCOMMIT\n":                   "line 2: invalid counters `[1;2]'",
		"*filter\n-C INPUT -j DROP\nCOMMIT\n":                 "line 2: Bad rule (does a matching rule exist in that chain?).",
		"*filter\n-A INPUT -j LOG --log-prefix \"x\nCOMMIT\n": "line 2: a quote is not closed",
		"*filter\n-A INPUT -j ACCEPT\n-A INPUT -j SNAT --to 1.1.1.1\n-A INPUT -j DROP\nCOMMIT\n": "line 3: RULE_APPEND failed (Invalid argument): rule in chain INPUT: SNAT is for the nat table",
		"*filter\n:a -\n:b -\n-A a -j b\n-A b -j a\nCOMMIT\n":                                    "line 5: RULE_APPEND failed (Too many links): rule in chain b: chain a would call itself",
		"*filter\n-F\nCOMMIT\n*nat\n-A INPUT -j MASQUERADE\nCOMMIT":                              "line 5: RULE_APPEND failed (Invalid argument): rule in chain INPUT: MASQUERADE is for POSTROUTING only",
	} {
		tables := newTables(t, "-A FORWARD -j ACCEPT")
		before := tables.Snapshot()
		err := tables.Restore(strings.NewReader(input), rule.RestoreOptions{})
		if err == nil || err.Error() != "iptables-restore: "+want {
			t.Errorf("%q\n\tgot  %v\n\twant iptables-restore: %s", input, err, want)
		}
		if tables.Snapshot() != before {
			t.Errorf("%q changed something", input)
		}
	}
	bad := rule.RestoreOptions{Counters: true}
	err := newTables(t).Restore(strings.NewReader("*filter\n:INPUT ACCEPT [x]\nCOMMIT\n"), bad)
	if err == nil || err.Error() != "iptables-restore: line 2: invalid policy counters for chain 'INPUT'" {
		t.Error(err)
	}
	long := "*filter\n-A INPUT -m comment --comment " + strings.Repeat("x", 20000) + "\nCOMMIT\n"
	if err := newTables(t).Restore(strings.NewReader(long), rule.RestoreOptions{}); err == nil {
		t.Error("an endless line was read")
	}
}

// TestSaveComments prints the lines with the date that iptables-save has.
func TestSaveComments(t *testing.T) {
	now := time.Date(2026, time.November, 2, 5, 8, 15, 0, time.UTC)
	got := newTables(t).Snapshot().Save(rule.SaveOptions{Table: rule.Raw, Now: now})
	want := `# Generated by iptables-save v1.8.9 (uswitch) on Mon Nov  2 05:08:15 2026
*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT
# Completed on Mon Nov  2 05:08:15 2026
`
	if got != want {
		t.Error(difference(want, got))
	}
}
