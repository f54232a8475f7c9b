package rule_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"uswitch/nat/rule"
)

// generated is how many rule sets the tests make up.
const generated = 800

// generator makes rule sets as people type them: options in any order, names and numbers, short and long forms.
type generator struct {
	*rand.Rand
	family rule.Family
}

func newGenerator(f rule.Family, seed uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, 1)), f}
}

// of returns the word of the generator's family.
func (g generator) of(four, six string) string {
	if g.family == rule.IPv6 {
		return six
	}
	return four
}

// pick returns one of several words.
func (g generator) pick(words ...string) string { return words[g.IntN(len(words))] }

// often is true in so many cases of a hundred.
func (g generator) often(percent int) bool { return g.IntN(100) < percent }

// not returns an exclamation mark in some cases.
func (g generator) not() string {
	if g.often(25) {
		return "! "
	}
	return ""
}

// chainKind says what may stand in a chain.
type chainKind struct {
	table, name string
	in, out     bool     // its packets have these interfaces
	targets     []string // beside those that may stand anywhere
	calls       []string
}

var (
	filterTargets = []string{"DROP", "REJECT", "REJECT", "DROP"}
	kinds         = []chainKind{
		{"mangle", "PREROUTING", true, false, []string{"DROP"}, nil},
		{"mangle", "FORWARD", true, true, []string{"DROP", "TCPMSS", "TCPMSS"}, []string{"fit"}},
		{"mangle", "POSTROUTING", false, true, []string{"DROP", "TCPMSS"}, []string{"fit"}},
		{"mangle", "fit", false, false, []string{"TCPMSS"}, nil},
		{"raw", "PREROUTING", true, false, []string{"DROP"}, []string{"early"}},
		{"raw", "OUTPUT", false, true, []string{"DROP"}, nil},
		{"raw", "early", false, false, []string{"DROP"}, nil},
		{"filter", "INPUT", true, false, filterTargets, []string{"users", "last"}},
		{"filter", "FORWARD", true, true, filterTargets, []string{"users", "DOCKER-FORWARD", "last"}},
		{"filter", "OUTPUT", false, true, filterTargets, []string{"last"}},
		{"filter", "users", false, false, filterTargets, []string{"last", "DOCKER-FORWARD"}},
		{"filter", "DOCKER-FORWARD", false, false, filterTargets, []string{"last"}},
		{"filter", "last", false, false, filterTargets, nil},
		{"nat", "PREROUTING", true, false, []string{"DNAT", "REDIRECT"}, []string{"published"}},
		{"nat", "INPUT", true, false, []string{"SNAT"}, nil},
		{"nat", "OUTPUT", false, true, []string{"DNAT", "REDIRECT"}, []string{"published"}},
		{"nat", "POSTROUTING", false, true, []string{"MASQUERADE", "SNAT", "MASQUERADE"}, []string{"hide"}},
		{"nat", "hide", false, false, []string{"MASQUERADE", "SNAT"}, nil},
		{"nat", "published", false, false, []string{"DNAT", "REDIRECT"}, nil},
	}
)

// set makes a rule set for iptables-restore -c.
func (g generator) set() string {
	var b strings.Builder
	for _, table := range []string{"mangle", "raw", "filter", "nat"} {
		fmt.Fprintf(&b, "*%s\n", table)
		for _, k := range kinds {
			if k.table != table {
				continue
			}
			policy := "-"
			if strings.ToUpper(k.name) == k.name && !strings.Contains(k.name, "-") {
				policy = "ACCEPT"
				if table != "nat" {
					policy = g.pick("ACCEPT", "DROP")
				}
				fmt.Fprintf(&b, ":%s %s [%d:%d]\n", k.name, policy, g.IntN(1000), g.IntN(100000))
				continue
			}
			fmt.Fprintf(&b, ":%s %s [0:0]\n", k.name, policy)
		}
		for _, k := range kinds {
			for range g.IntN(4) {
				if k.table == table {
					b.WriteString(g.line(k))
				}
			}
		}
		b.WriteString("COMMIT\n")
	}
	return b.String()
}

// line makes one rule of a chain.
func (g generator) line(k chainKind) string {
	proto := g.pick("", "", "tcp", "tcp", "udp", g.of("icmp", g.pick("icmpv6", "ipv6-icmp")), "47", "sctp")
	parts := []string{}
	src, dst := g.address("-s"), g.address("-d")
	if strings.Contains(src, ",") {
		dst = strings.TrimPrefix(dst, "! ")
	}
	for _, p := range []string{src, dst, g.ifaces(k)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if proto != "" {
		parts = append(parts, "-p "+g.pick(proto, strings.ToUpper(proto)))
	}
	g.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	matches := g.matches(k, proto)
	g.Shuffle(len(matches), func(i, j int) { matches[i], matches[j] = matches[j], matches[i] })
	parts = append(parts, matches...)
	if t := g.target(k, proto); t != "" {
		parts = append(parts, t)
	}
	box := ""
	if g.family == rule.IPv4 && g.often(30) { // those of IPv6 the real ip6tables-nft-restore 1.8.9 reads, and forgets
		box = fmt.Sprintf("[%d:%d] ", g.IntN(1000000), g.IntN(1<<40))
	}
	return box + "-A " + k.name + " " + strings.Join(parts, " ") + "\n"
}

func (g generator) address(option string) string {
	if g.often(60) {
		return ""
	}
	a := fmt.Sprintf("%d.%d.%d.%d", 1+g.IntN(120), g.IntN(256), g.IntN(256), g.IntN(256))
	if g.family == rule.IPv6 {
		a = g.pick(fmt.Sprintf("fd%02x:%x::%x", g.IntN(256), g.IntN(65536), g.IntN(65536)), fmt.Sprintf("2001:DB8:0:0:%x::", g.IntN(65536)),
			fmt.Sprintf("2001:db8:%x:0:1:0:0:1", g.IntN(65536)), "::1", "fe80::1")
	}
	switch g.IntN(5) {
	case 0:
		return g.not() + option + " " + a
	case 1:
		if option == "-s" {
			return option + " " + a + "," + g.of(fmt.Sprintf("10.%d/16", g.IntN(256)), fmt.Sprintf("fd00:%x::/32", g.IntN(65536)))
		}
	case 2:
		return g.not() + option + " " + a + g.of("/255.255.0.255", "/ffff:0:ffff::")
	}
	return g.not() + option + fmt.Sprintf(" %s/%d", a, 8+g.IntN(map[rule.Family]int{rule.IPv4: 25, rule.IPv6: 121}[g.family]))
}

func (g generator) ifaces(k chainKind) string {
	var parts []string
	if k.in && g.often(40) {
		parts = append(parts, g.not()+"-i "+g.pick("br0", "docker0", "veth+", "lo"))
	}
	if k.out && g.often(40) {
		parts = append(parts, g.not()+"--out-interface "+g.pick("br0", "eth0", "wan+"))
	}
	return strings.Join(parts, " ")
}

func (g generator) port() string {
	return g.pick("80", "http", "22", "53", "8080", "1024:65535", ":1023", "5000:5010", "https")
}

// matches makes a handful of matches that suit the chain and the protocol.
func (g generator) matches(k chainKind, proto string) (all []string) {
	maybe := func(percent int, format string, args ...any) {
		if g.often(percent) {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	switch ports := proto == "tcp" || proto == "udp"; {
	case ports && g.often(80): // --sport behind -m multiport would be short for --sports
		maybe(70, "%s--dport %s", g.not(), g.port())
		maybe(20, "%s--sport %s", g.not(), g.port())
	case ports:
		maybe(90, "-m multiport %s--%s %s", g.not(), g.pick("dports", "sports", "ports"), g.pick("80", "80,443", "22,1000:2001,5"))
	}
	if proto == "tcp" {
		maybe(15, "%s", g.pick("--syn", "! --syn", "--tcp-flags ALL NONE", "--tcp-flags SYN,ACK,RST SYN", "--tcp-flags ALL ALL"))
	}
	if proto == "icmp" {
		maybe(50, "%s--icmp-type %s", g.not(), g.pick("echo-request", "8", "3/1", "any", "time-exceeded", "host-unreachable", "40"))
	}
	if strings.HasSuffix(proto, "6") || proto == "ipv6-icmp" {
		maybe(50, "%s--icmpv6-type %s", g.not(), g.pick("echo-request", "128", "1/3", "time-exceeded", "packet-too-big", "neighbour-solicitation", "200"))
	}
	maybe(20, "-m conntrack %s--ctstate %s", g.not(), g.pick("NEW", "RELATED,ESTABLISHED", "INVALID", "DNAT", "new,UNTRACKED"))
	maybe(8, "-m state --state %s", g.pick("NEW", "ESTABLISHED,RELATED"))
	maybe(8, "-m conntrack --ctproto tcp %s--ctorigdst %s --ctorigdstport %s --ctdir %s",
		g.not(), g.of("10.0.0.0/8", "fd00::/8"), g.pick("80", "1:9"), g.pick("ORIGINAL", "REPLY"))
	maybe(15, "-m addrtype %s--dst-type %s", g.not(), g.pick("LOCAL", g.of("BROADCAST,", "")+"MULTICAST", "unicast"))
	maybe(8, "-m addrtype --src-type LOCAL")
	maybe(8, "-m mark %s--mark %s", g.not(), g.pick("1", "0x10/0xf0", "0"))
	maybe(8, "-m limit --limit %d/%s --limit-burst %d", 1+g.IntN(300), g.pick("s", "minute", "hour", "day"), 1+g.IntN(20))
	maybe(10, "-m comment --comment %s", g.pick("plain", `"two words"`, `"it's \"quoted\""`, `"a\\b"`))
	maybe(6, "-m iprange %s--%s-range "+g.of("10.0.0.1-10.%d.0.5", "fd00::1-fd00::%d:5"), g.not(), g.pick("src", "dst"), g.IntN(256))
	maybe(6, "-m statistic --mode random %s--probability 0.%d", g.not(), g.IntN(1000))
	maybe(4, "-m statistic --mode nth %s--every %d --packet %d", g.not(), 3+g.IntN(9), g.IntN(3))
	maybe(6, "-m recent %s--%s --name %s %s", g.not(), g.pick("set", "remove", "rcheck --rttl", "update --seconds 60 --hitcount 4"),
		g.pick("ssh", "DEFAULT", "a.b"), g.pick("", "--rdest", g.of("--mask 255.255.255.0", "--mask ffff:ffff::")))
	maybe(6, "-m connlimit %s--connlimit-%s %d %s", g.not(), g.pick("upto", "above"), g.IntN(20),
		g.pick("", g.of("--connlimit-mask 24", "--connlimit-mask 64"), "--connlimit-mask 0 --connlimit-daddr"))
	if k.in {
		maybe(8, "-m mac %s--mac-source 02:42:AC:11:00:%02x", g.not(), g.IntN(256))
	}
	return all
}

// target makes the end of a rule.
func (g generator) target(k chainKind, proto string) string {
	ports := proto == "tcp" || proto == "udp"
	switch g.IntN(10) {
	case 0:
		return ""
	case 1:
		return g.pick("-j RETURN", "-j ACCEPT")
	case 2:
		return "-j LOG " + g.pick("", "--log-prefix short", `--log-prefix "seen: " --log-level debug`, "--log-level 3 --log-uid")
	case 3:
		return "-j MARK " + g.pick("--set-mark 7", "--set-xmark 1/3", "--or-mark 8", "--and-mark 0xf", "--xor-mark 2")
	case 4, 5:
		if len(k.calls) > 0 {
			return g.pick("-j ", "-g ") + g.pick(k.calls...)
		}
	}
	switch t := g.pick(k.targets...); t {
	case "TCPMSS":
		if proto != "tcp" {
			return ""
		}
		return "-j TCPMSS " + g.pick("--clamp-mss-to-pmtu", "--set-mss 1400")
	case "REJECT":
		if proto == "tcp" && g.often(50) {
			return "-j REJECT --reject-with tcp-reset"
		}
		return "-j REJECT" + g.pick("", " --reject-with "+g.of("icmp-host-prohibited", "icmp6-adm-prohibited"), " --reject-with "+g.of("net-unreach", "no-route"))
	case "MASQUERADE", "REDIRECT":
		if ports && g.often(50) {
			return "-j " + t + " --to-ports " + g.pick("8080", "1024-65535") + g.pick("", " --random")
		}
		return "-j " + t + g.pick("", " --random")
	case "SNAT", "DNAT":
		to := g.pick(g.of("192.0.2.1", "fd00::1"), g.of("192.0.2.1-192.0.2.9", "fd00::1-fd00::9"))
		if ports && g.often(66) {
			to = g.of(to, "["+to+"]") + g.pick(":80", ":8000-8009")
		}
		return "-j " + t + " --to " + to + g.pick("", " --persistent", " --random")
	default:
		return "-j " + t
	}
}

// familyOfSeed is IPv6 for the last 300 sets.
func familyOfSeed(seed uint64) rule.Family {
	if seed < generated-300 {
		return rule.IPv4
	}
	return rule.IPv6
}

// TestGeneratedAgree gives generated rule sets to the real iptables-restore and to ours; all views are the same.
func TestGeneratedAgree(t *testing.T) {
	t.Parallel()
	count := generated
	if testing.Short() {
		count = 25
	}
	texts, families := make([]string, count), make([]rule.Family, count)
	for i := range texts {
		families[i] = familyOfSeed(uint64(i))
		texts[i] = newGenerator(families[i], uint64(i)).set()
	}
	for i, complaint := range agreeOnSets(t, texts, families) {
		t.Errorf("seed %d:%s", i, complaint)
	}
}

// TestGeneratedRoundTrip saves and restores generated rule sets: the second text is the first, counters included.
func TestGeneratedRoundTrip(t *testing.T) {
	for seed := range uint64(generated) {
		f := familyOfSeed(seed)
		first, second := rule.NewTables(f), rule.NewTables(f)
		o := rule.RestoreOptions{Counters: true}
		if made := newGenerator(f, seed).set(); first.Restore(strings.NewReader(made), o) != nil {
			t.Fatalf("seed %d is not taken:\n%s", seed, made)
		}
		text := first.Snapshot().Save(rule.SaveOptions{Counters: true})
		if err := second.Restore(strings.NewReader(text), o); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		compareSave(t, fmt.Sprintf("seed %d", seed), first, second)
	}
}
