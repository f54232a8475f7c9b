package rule_test

import (
	"strings"
	"sync"
	"testing"

	"uswitch/nat/rule"
	"uswitch/switch/trace"
)

// run carries out a command that must succeed.
func run(t *testing.T, tables *rule.Tables, line string) string {
	t.Helper()
	output, err := tables.Exec(words(t, line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return output
}

// TestTutorial types what tutorials type, and reads what they show.
func TestTutorial(t *testing.T) {
	tables := newTables(t, "iptables -P FORWARD DROP", "-A FORWARD -s 11.11.11.0/24 -j ACCEPT",
		"  # the way out isn't open", "", "iptables -t nat -A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE")
	for line, want := range map[string]string{
		"-t nat -S": `-P PREROUTING ACCEPT
-P INPUT ACCEPT
-P OUTPUT ACCEPT
-P POSTROUTING ACCEPT
-A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE
`,
		"-t filter -S": `-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT
-A FORWARD -s 11.11.11.0/24 -j ACCEPT
`,
		"-L FORWARD": `Chain FORWARD (policy DROP)
target     prot opt source               destination         
ACCEPT     all  --  11.11.11.0/24        anywhere            
`,
		"-t nat -nvL POSTROUTING --line-numbers": `Chain POSTROUTING (policy ACCEPT 0 packets, 0 bytes)
num   pkts bytes target     prot opt in     out     source               destination         
1        0     0 MASQUERADE  0    --  *      *       11.11.11.0/24        0.0.0.0/0           
`,
	} {
		if got := run(t, tables, line); got != want {
			t.Errorf("%s:%s", line, difference(want, got))
		}
	}
}

// TestAccepted types what must not be refused, for its quirks.
func TestAccepted(t *testing.T) {
	for line, want := range map[string]string{
		"-A FORWARD --jump=ACCEPT --protocol=tcp --dport=80":       "-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT",
		"-w 5 -A FORWARD -jDROP":                                   "-A FORWARD -j DROP",
		"-w -4 -A FORWARD -j DROP":                                 "-A FORWARD -j DROP",
		"-A FORWARD -c 1,2 -j DROP":                                "-A FORWARD -j DROP",
		"-t nat -t filter -A FORWARD -g c":                         "-A FORWARD -g c",
		"-A FORWARD -p tcp ! --dport 0:1023 -j DROP":               "-A FORWARD -p tcp -m tcp --dport 1024:65535 -j DROP",
		"-A FORWARD -p tcp --tcp-flags=SYN SYN -j DROP":            "-A FORWARD -p tcp -m tcp --tcp-flags SYN SYN -j DROP",
		"-A FORWARD -m limit --limit 5/Second --limit-burst 0":     "-A FORWARD -m limit --limit 5/sec",
		"-A FORWARD -d 10.0.0.0/8 -m comment --comment a.b -j c":   "-A FORWARD -d 10.0.0.0/8 -m comment --comment \"a.b\" -j c",
		"-A FORWARD -p tcp -m multiport --dports www -j REJECT":    "-A FORWARD -p tcp -m multiport --dports 80 -j REJECT --reject-with icmp-port-unreachable",
		"--append FORWARD --src 1.2.3.4 --in-interface b --jump c": "-A FORWARD -s 1.2.3.4/32 -i b -j c",
	} {
		tables := newTables(t, "-N c")
		run(t, tables, line)
		if rules, ok := tables.Snapshot().Rules(rule.Filter, "FORWARD"); !ok || len(rules) != 1 || rules[0].String() != want {
			t.Errorf("%s\n\tgot  %v\n\twant %s", line, rules, want)
		}
	}
}

// TestPolicyCounters sets and zeroes the numbers of a policy, and looks at a ruleset's parts.
func TestPolicyCounters(t *testing.T) {
	tables := newTables(t, "-P FORWARD DROP -c 5 6", "-N b", "-N a", "-A FORWARD -c 7 8 -j a")
	s := tables.Snapshot()
	text, count, ok := s.Policy(rule.Filter, "FORWARD")
	if !ok || text != "-P FORWARD DROP" || count.Packets() != 5 || count.Bytes() != 6 {
		t.Errorf("policy %q %v %d %d", text, ok, count.Packets(), count.Bytes())
	}
	if _, _, ok := s.Policy(rule.Filter, "a"); ok {
		t.Error("a user's chain has a policy")
	}
	if _, ok := s.Rules(rule.Filter, "nosuch"); ok {
		t.Error("a chain that is not there has rules")
	}
	if got := strings.Join(s.Chains(rule.Filter), " "); got != "INPUT FORWARD OUTPUT a b" {
		t.Errorf("chains: %s", got)
	}
	rules, _ := s.Rules(rule.Filter, "FORWARD")
	if r := rules[0]; r.Chain() != "FORWARD" || r.Target() != "a" || r.Counter().Packets() != 7 || r.Counter().Bytes() != 8 {
		t.Errorf("rule: %s %s %d", r.Chain(), r.Target(), r.Counter().Packets())
	}
	run(t, tables, "-Z")
	if got := run(t, tables, "-S FORWARD -v"); got != "-P FORWARD DROP -c 0 0\n-A FORWARD -c 0 0 -j a\n" {
		t.Errorf("after -Z: %s", got)
	}
	if count.Packets() != 5 {
		t.Error("-Z reached into a snapshot")
	}
}

// TestApplyIsAtomic refuses a list of which one line is wrong, names the line, and changes nothing.
func TestApplyIsAtomic(t *testing.T) {
	tables := newTables(t, "-A FORWARD -j ACCEPT")
	before := tables.Snapshot()
	for lines, want := range map[string]string{
		"-F\n-N c\n-A c -j nosuch":              "iptables: line 3: Chain 'nosuch' does not exist",
		"-F\n-A INPUT -j LOG --log-prefix \"x":  "iptables: line 2: a quote is not closed",
		"-A INPUT -j ACCEPT\n-C INPUT -j DROP":  "iptables: line 2: Bad rule (does a matching rule exist in that chain?).",
		"-P INPUT DROP\n-A INPUT -j MASQUERADE": "iptables: line 2: RULE_APPEND failed (Invalid argument): rule in chain INPUT: MASQUERADE is for the nat table",
	} {
		err := tables.Apply(strings.Split(lines, "\n"))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v", lines, err)
		}
	}
	if tables.Snapshot() != before {
		t.Error("something changed")
	}
}

// TestHelp prints help and version, in the family's name.
func TestHelp(t *testing.T) {
	tables := rule.NewTables(rule.IPv6)
	if got := run(t, tables, "-h"); !strings.HasPrefix(got, "Usage: ip6tables ") || !strings.Contains(got, "--ctorigdst") {
		t.Errorf("help: %.60s", got)
	}
	if got := run(t, tables, "--version"); got != "ip6tables v1.8.9 (uswitch)\n" {
		t.Errorf("version: %s", got)
	}
}

// TestConcurrent edits and evaluates at once; the race detector watches, and no packet is lost to a counter.
func TestConcurrent(t *testing.T) {
	tables := newTables(t, "-N c", "-A FORWARD -j c", "-A c -m limit --limit 1/s -j LOG")
	const packets = 2000
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for range packets {
				p := syn(t)
				tables.Snapshot().Evaluate(rule.Filter, trace.Forward, &p)
			}
		})
	}
	all.Go(func() {
		for range 100 {
			for _, line := range []string{"-I FORWARD 1 -p udp -j DROP", "-E c d", "-E d c", "-D FORWARD 1", "-S -v"} {
				if _, err := tables.Exec(strings.Fields(line)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	all.Wait()
	if got := run(t, tables, "-S FORWARD 1 -v"); got != "-A FORWARD -c 4000 240000 -j c\n" {
		t.Errorf("counted %s", got)
	}
}

// TestParseTable finds tables by name.
func TestParseTable(t *testing.T) {
	for _, table := range []rule.Table{rule.Mangle, rule.Raw, rule.Filter, rule.NAT} {
		if got, ok := rule.ParseTable(table.String()); !ok || got != table {
			t.Errorf("%v: %v %v", table, got, ok)
		}
	}
	if _, ok := rule.ParseTable("security"); ok || rule.Table(0).String() != "invalid table" {
		t.Error("a table that is not there was found")
	}
}

// TestEdits follows one chain through -A, -I, -R, -D and -C, and reads what -v says of each.
func TestEdits(t *testing.T) {
	tables := newTables(t)
	for _, step := range []struct{ line, output, chain string }{
		{"-A FORWARD -v -s 1.1.1.1,2.2.2.2 -j DROP",
			"DROP  all opt -- in * out *  1.1.1.1  -> 0.0.0.0/0  \nDROP  all opt -- in * out *  2.2.2.2  -> 0.0.0.0/0  \n", "1D 2D"},
		{"-I FORWARD -s 3.3.3.3,4.4.4.4 -j ACCEPT", "", "4A 3A 1D 2D"},
		{"-I FORWARD 5 -v -s 5.5.5.5 -p tcp --dport 80 ! -i b -j ACCEPT",
			"ACCEPT  tcp opt -- in !b out *  5.5.5.5  -> 0.0.0.0/0   tcp dpt:80\n", "4A 3A 1D 2D 5A"},
		{"-R FORWARD 2 -s 6.6.6.6 -j DROP", "", "4A 6D 1D 2D 5A"},
		{"-D FORWARD 1", "", "6D 1D 2D 5A"},
		{"-D FORWARD -v -s 1.1.1.1,2.2.2.2 -j DROP",
			"DROP  all opt -- in * out *  1.1.1.1  -> 0.0.0.0/0  \nDROP  all opt -- in * out *  2.2.2.2  -> 0.0.0.0/0  \n", "6D 5A"},
		{"-C FORWARD -s 6.6.6.6 -j DROP", "", "6D 5A"},
		{"-F FORWARD -v", "Flushing chain `FORWARD'\n", ""},
		{"-Z FORWARD -v", "Zeroing chain `FORWARD'\n", ""},
		{"-N c", "", ""},
		{"-X -v", "Deleting chain `c'\n", ""},
	} {
		if got := run(t, tables, step.line); got != step.output {
			t.Errorf("%s:%s", step.line, difference(step.output, got))
		}
		rules, _ := tables.Snapshot().Rules(rule.Filter, "FORWARD")
		var short []string
		for _, r := range rules {
			short = append(short, r.String()[len("-A FORWARD -s "):][:1]+r.Target()[:1])
		}
		if got := strings.Join(short, " "); got != step.chain {
			t.Errorf("%s: the chain is %s, want %s", step.line, got, step.chain)
		}
	}
}

// TestAmounts prints counters as iptables does: five digits, then thousands, and so on.
func TestAmounts(t *testing.T) {
	for counters, want := range map[string]string{
		"0 99999":                "    0 99999",
		"100000 9999499":         " 100K 9999K",
		"9999500 99995000000":    "  10M  100G",
		"1 9999500000000000":     "    1 10000T",
		"9999499499 99994994994": "9999M   100G",
	} {
		tables := newTables(t, "-A FORWARD -j ACCEPT -c "+counters)
		got, _, _ := strings.Cut(run(t, tables, "-v -L FORWARD 1"), " ACCEPT")
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%s: %q, want %q", counters, got, want)
		}
	}
}

// TestSplitLine cuts lines as a shell does.
func TestSplitLine(t *testing.T) {
	for line, want := range map[string]string{
		`-A FORWARD  -j	LOG`:              "-A|FORWARD|-j|LOG",
		`--log-prefix "a \"b\" \\ 'c'" x`: `--log-prefix|a "b" \ 'c'|x`,
		`--comment 'two "words" \ '`:      `--comment|two "words" \ `,
		`a"b c"'d e'f g\ h ""`:            "ab cd ef|g h|",
		`# isn't a command`:               "",
		" \r\n":                           "",
		`it\'s`:                           "it's",
	} {
		got, err := rule.SplitLine(line)
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %q %v, want %s", line, got, err, want)
		}
	}
	for _, line := range []string{`"`, `a 'b`, `a\`} {
		if got, err := rule.SplitLine(line); err == nil {
			t.Errorf("%s: %q", line, got)
		}
	}
}

// TestWords: with -n, older versions name the protocol all the same; the version is told as well.
func TestWords(t *testing.T) {
	tables := rule.NewTables(rule.IPv4)
	if err := tables.Apply([]string{"-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT", "-A INPUT -p 99 -j DROP", "-A INPUT ! -p udp", "-A INPUT -j DROP"}); err != nil {
		t.Fatal(err)
	}
	for w, want := range map[rule.Words][]string{rule.Words187: {"tcp", "99", "!udp", "all"}, rule.Words189: {"6", "99", "!17", "0"}} {
		text, err := tables.ExecAs(w, []string{"-n", "-L", "INPUT"})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(text), "\n")[2:]
		for i, line := range lines {
			if got := strings.TrimSpace(line[10:15]); got != want[i] {
				t.Errorf("%v: protocol %q, want %q in %s", w, got, want[i], line)
			}
		}
		if text, _ := tables.ExecAs(w, []string{"-V"}); text != "iptables v"+w.String()+" (uswitch)\n" {
			t.Errorf("%v: %s", w, text)
		}
		if got, err := rule.ParseWords(w.String()); got != w || err != nil {
			t.Errorf("ParseWords(%v) = %v, %v", w, got, err)
		}
	}
	if _, err := rule.ParseWords("1.6"); err == nil || err.Error() != `"1.6": want 1.8.9 or 1.8.7` {
		t.Errorf("an unknown version: %v", err)
	}
}
