package rule_test

import (
	"strings"
	"testing"

	"uswitch/nat/rule"
	"uswitch/switch/trace"
)

// FuzzRule types a line, prints what it made, types that again: the second print is the first. Nothing panics, neither
// the rule nor its listing nor a packet that meets it.
func FuzzRule(f *testing.F) {
	for _, line := range []string{
		"-A FORWARD -s 10/8 ! -d 1.2.3.4/255.0.255.0 -i eth+ ! -o br0 -p tcp --dport 80:90 ! --syn -j ACCEPT",
		"-t nat -A PREROUTING -p tcp --dport http -m addrtype --dst-type LOCAL -j DNAT --to 1.2.3.4-1.2.3.9:80-90/5000 --random",
		"-t nat -A POSTROUTING -s 1.2.3.4,5.6.7.8 -m mark --mark 1/3 -p udp -j MASQUERADE --to-ports 1-2",
		`-A INPUT -p icmp --icmp-type 3/1 -m limit --limit 7/h -m comment --comment "a \"b\" \\ 'c'" -j LOG --log-prefix "x " --log-level 7`,
		"-A INPUT -m conntrack --ctstate NEW,DNAT ! --ctorigdst 1.2.3.4/8 --ctreplsrcport 5: --ctdir REPLY -j REJECT --reject-with net-unreach",
		"-I INPUT 1 -m multiport -p 17 ! --ports 1,2:3 -m state --state I -m mac --mac-source 2:2:2:2:2:2 -g c -c 1 2",
		"-A FORWARD -f -j MARK --and-mark 0xff", "-E c d", "-N x", "-L -vn --line-numbers", "-A FORWARD -p 0x11 -m udp -j c",
	} {
		f.Add(line, false)
	}
	f.Add("-A FORWARD -p icmpv6 --icmpv6-type 1/4 -s fd00::/8 -j REJECT", true)
	f.Add("-t nat -A PREROUTING -p tcp -j DNAT --to-destination [fd00::1-fd00::2]:80", true)
	f.Fuzz(func(t *testing.T, line string, v6 bool) {
		family := rule.IPv4
		if v6 {
			family = rule.IPv6
		}
		first, second := rule.NewTables(family), rule.NewTables(family)
		if err := first.Apply([]string{"-N c", "-t nat -N c"}); err != nil {
			t.Fatal(err)
		}
		w, err := rule.SplitLine(line)
		if err != nil {
			return
		}
		if _, err := first.Exec(w); err != nil {
			return
		}
		text := first.Snapshot().Save(rule.SaveOptions{Counters: true})
		if err := second.Restore(strings.NewReader(text), rule.RestoreOptions{Counters: true}); err != nil {
			t.Fatalf("%q\n%s%v", line, text, err)
		}
		compareSave(t, line, first, second)
		for _, table := range []string{"raw", "filter", "nat"} {
			run(t, second, "-t "+table+" -L")
			run(t, second, "-t "+table+" -L -v -n")
		}
		for _, hook := range []trace.Hook{trace.Prerouting, trace.Input, trace.Forward, trace.Output, trace.Postrouting} {
			p := syn(t)
			second.Snapshot().Evaluate(rule.Filter, hook, &p)
			second.Snapshot().Evaluate(rule.NAT, hook, &p)
		}
	})
}

// FuzzRestore reads any text: it is taken as a whole, and then saved and restored the same, or not at all.
func FuzzRestore(f *testing.F) {
	f.Add("*filter\n:INPUT ACCEPT [0:0]\n:c - [0:0]\n[1:2] -A INPUT -p tcp --dport 80 -j c\nCOMMIT\n")
	f.Add("*nat\n-N x\n-A x -j RETURN\n-A POSTROUTING -j x\n-D POSTROUTING 1\nCOMMIT\n# end\n")
	for seed := range uint64(5) {
		f.Add(newGenerator(rule.IPv4, seed).set())
	}
	for seed := range uint64(5) {
		f.Add(newGenerator(rule.IPv6, seed).set())
	}
	f.Fuzz(func(t *testing.T, text string) {
		family := rule.IPv4
		if strings.Contains(text, "::") {
			family = rule.IPv6
		}
		first, second := rule.NewTables(family), rule.NewTables(family)
		empty := first.Snapshot()
		o := rule.RestoreOptions{Counters: true}
		if err := first.Restore(strings.NewReader(text), o); err != nil {
			if first.Snapshot() != empty {
				t.Error("refused, and changed something")
			}
			return
		}
		saved := first.Snapshot().Save(rule.SaveOptions{Counters: true})
		if err := second.Restore(strings.NewReader(saved), o); err != nil {
			t.Fatalf("%v\n%s", err, saved)
		}
		compareSave(t, text, first, second)
	})
}
