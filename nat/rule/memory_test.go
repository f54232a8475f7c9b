package rule_test

import (
	"net/netip"
	"testing"
	"time"

	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// seen shows a packet to the rules of FORWARD and reports whether it was dropped.
func seen(tables *rule.Tables, p rule.Packet) bool {
	d := tables.Snapshot().Evaluate(rule.Filter, trace.Forward, &p)
	return d.Verdict == rule.Drop
}

// from makes a packet of that host's, so long after the first.
func from(n byte, after time.Duration) func(*rule.Packet) {
	return func(p *rule.Packet) { p.Tuple.SrcIP, p.Now = host(n), p.Now.Add(after) }
}

// host is the address of a host of syn's network.
func host(n byte) frame.Addr { return frame.AddrOf(netip.AddrFrom4([4]byte{11, 11, 11, n})) }

// TestEveryNth counts packets off, from the one that --packet names.
func TestEveryNth(t *testing.T) {
	for _, c := range []struct {
		rule string
		want string
	}{
		{"--every 3 --packet 0", "x..x..x"},
		{"--every 3 --packet 2", "..x..x."},
		{"! --every 3 --packet 0", ".xx.xx."},
		{"--every 1 --packet 0", "xxxxxxx"},
	} {
		tables := newTables(t, "-A FORWARD -m statistic --mode nth "+c.rule+" -j DROP")
		got := ""
		for range c.want {
			got += map[bool]string{true: "x", false: "."}[seen(tables, syn(t))]
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
	}
}

// TestRecent is the rule of every page about ssh: the fourth new connection within a minute is dropped.
func TestRecent(t *testing.T) {
	tables := newTables(t,
		"-A FORWARD -m recent --name ssh --update --seconds 60 --hitcount 3 -j DROP",
		"-A FORWARD -m recent --name ssh --set -j ACCEPT")
	for i, c := range []struct {
		host byte
		at   time.Duration
		want bool
	}{
		{2, 0, false}, {2, time.Second, false}, {2, 2 * time.Second, false}, {2, 3 * time.Second, true},
		{3, 3 * time.Second, false}, // another host
		{2, 50 * time.Second, true}, // what was dropped has counted too
		{2, 200 * time.Second, false},
	} {
		if got := seen(tables, syn(t, from(c.host, c.at))); got != c.want {
			t.Errorf("packet %d: dropped %v, want %v", i, got, c.want)
		}
	}
}

// TestRecentLists: rules share a list by its name, also across edits; a fork's is its own; --remove and --rttl do as they say.
func TestRecentLists(t *testing.T) {
	tables := newTables(t, "-A FORWARD -s 11.11.11.2 -m recent --name a --set", "-A FORWARD -s 11.11.11.3 -m recent --name a --rdest --set")
	seen(tables, syn(t))
	seen(tables, syn(t, from(3, 0)))
	ask := func(tables *rule.Tables, lines ...string) bool {
		t.Helper()
		if err := tables.Apply(append([]string{"-F"}, lines...)); err != nil {
			t.Fatal(err)
		}
		return seen(tables, syn(t))
	}
	if err := tables.Apply([]string{"-A INPUT -m recent --name a --rcheck", "-A INPUT -m recent --name b --set"}); err != nil {
		t.Fatal(err)
	}
	fork := tables.Fork()
	trial := tables.Snapshot().Draft()
	for _, c := range []struct {
		name string
		got  bool
		want bool
	}{
		{"a draft begins with lists of its own", ask(trial, "-A FORWARD -m recent --name a --rcheck -j DROP"), false},
		{"in the fork", ask(fork, "-A INPUT -m recent --name a --rcheck", "-A FORWARD -m recent --name a --rcheck -j DROP"), true},
		{"removed in the fork", ask(fork, "-A INPUT -m recent --name a --rcheck", "-A FORWARD -m recent --name a --remove -j DROP"), true},
		{"gone in the fork", ask(fork, "-A INPUT -m recent --name a --rcheck", "-A FORWARD -m recent --name a --rcheck -j DROP"), false},
		{"not removed here", ask(tables, "-A INPUT -m recent --name a --rcheck", "-A FORWARD -m recent --name a --rcheck -j DROP"), true},
		{"inverted", ask(tables, "-A INPUT -m recent --name a --rcheck", "-A FORWARD -m recent --name a ! --rcheck -j DROP"), false},
		{"another list", ask(tables, "-A INPUT -m recent --name a --rcheck", "-A FORWARD -m recent --name b --rcheck -j DROP"), false},
		{"by destination", ask(tables, "-A INPUT -m recent --name a --rcheck", "-A FORWARD -m recent --name a --rdest --rcheck -j DROP"), true},
		{"no rule names it any more: it is forgotten", ask(tables, "-A FORWARD -j ACCEPT"), false},
		{"and begins empty", ask(tables, "-A FORWARD -m recent --name a --rcheck -j DROP"), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

// TestRecentIsBounded: the list holds a hundred addresses, and the one that was seen least recently makes room.
func TestRecentIsBounded(t *testing.T) {
	set := "-A FORWARD -m recent --name a --set"
	tables := newTables(t, set)
	for n := range byte(101) {
		seen(tables, syn(t, from(n, time.Duration(n)*time.Second)))
	}
	if err := tables.Apply([]string{"-I FORWARD -m recent --name a --rcheck -j DROP", "-D FORWARD 2"}); err != nil {
		t.Fatal(err)
	}
	for n := range byte(101) {
		if got, want := seen(tables, syn(t, from(n, 200*time.Second))), n != 0; got != want {
			t.Errorf("host %d: on the list %v, want %v", n, got, want)
		}
	}
	p, rules := syn(t, from(101, time.Hour)), newTables(t, set).Snapshot()
	n := testing.AllocsPerRun(1000, func() {
		p.Tuple.SrcIP = p.Tuple.SrcIP.Add(256)
		rules.Evaluate(rule.Filter, trace.Forward, &p)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// counter counts everything as a connection of its own, whose rule is asked for the last time.
type counter map[frame.Addr]int

func (c counter) Connections(_ any, _ uint64, network frame.Addr) int {
	c[network]++
	return c[network]
}

// TestConnLimit: the third connection of a network is one too many, and a packet without a connection is alone.
func TestConnLimit(t *testing.T) {
	for _, c := range []struct {
		rule string
		want string // of packets from hosts 0 to 4
	}{
		{"--connlimit-above 2 --connlimit-mask 30", "..xx."},
		{"--connlimit-upto 2 --connlimit-mask 30", "xx..x"},
		{"--connlimit-above 0", "xxxxx"},
		{"--connlimit-above 1 --connlimit-daddr", ".xxxx"},
		{"--connlimit-above 4 --connlimit-mask 0", "....x"},
	} {
		tables, conns, got := newTables(t, "-A FORWARD -m connlimit "+c.rule+" -j DROP"), counter{}, ""
		for host := range byte(5) {
			p := syn(t, from(host, 0))
			p.Conn, p.Conns = "its own", conns
			got += map[bool]string{true: "x", false: "."}[seen(tables, p)]
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
	}
	if seen(newTables(t, "-A FORWARD -m connlimit --connlimit-above 1 -j DROP"), syn(t)) {
		t.Error("a packet without a connection is not alone")
	}
}

// TestMSS: rules of TCPMSS ask for the least of all, and evaluation goes on.
func TestMSS(t *testing.T) {
	s := newTables(t, "-t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 1400", "-t mangle -A FORWARD -p tcp -j TCPMSS --set-mss 1300",
		"-t mangle -A FORWARD -p tcp --dport 81 -j TCPMSS --clamp-mss-to-pmtu", "-t mangle -A FORWARD -p tcp -j TCPMSS --set-mss 1500").Snapshot()
	p := syn(t)
	if d := s.Evaluate(rule.Mangle, trace.Forward, &p); d.Verdict != rule.Accept || d.Text != "-P FORWARD ACCEPT" ||
		!p.MSS.Set || p.MSS.Value != 1300 || p.MSS.Clamp || p.MSS.Rule.String() != "-A FORWARD -p tcp -j TCPMSS --set-mss 1300" {
		t.Errorf("%+v %+v", d, p.MSS)
	}
}
