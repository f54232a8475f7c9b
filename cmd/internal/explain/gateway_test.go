package explain_test

import (
	"net/netip"
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/explain"
	"uswitch/nat"
	"uswitch/sim"
)

func inMemory(t *testing.T, rules ...string) *explain.Lab {
	t.Helper()
	l := real(t, nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: noUplink{}}, explain.Uplink{Kind: explain.Sim, Internet: sim.InternetConfig{}})
	for _, line := range rules {
		if err := l.Gateway.Rules().Apply([]string{line}); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// TestTheMachineAsks: the machine that the gateway is asks by its own routes and its OUTPUT chain, and hears what comes for it by INPUT.
func TestTheMachineAsks(t *testing.T) {
	for _, c := range []struct {
		rule string
		q    api.Question
		want api.Verdict
		stop string // where and why
	}{
		{"", api.Question{From: "gateway", To: "RED", Protocol: "icmp"}, api.Yes, ""},
		{"", api.Question{From: "host", To: "BLUE", Protocol: "tcp", Port: 80}, api.Yes, ""},
		{"", api.Question{From: "host", To: "gateway", Protocol: "icmp"}, api.Yes, ""},
		{"", api.Question{From: "gateway", To: "BLUE", Protocol: "tcp", Port: 81}, api.No, "BLUE deliver no-socket"},
		{"", api.Question{From: "gateway", To: "10.1.0.77", Protocol: "icmp"}, api.No, "gateway arp neigh-failed"},
		{"-A OUTPUT -d 10.1.0.2 -j DROP", api.Question{From: "gateway", To: "RED", Protocol: "icmp"}, api.No, "gateway output netfilter-drop"},
		{"-A OUTPUT -p tcp --sport 999 -j DROP", api.Question{From: "gateway", To: "RED", Protocol: "tcp", Port: 80, FromPort: 999}, api.No, "gateway output netfilter-drop"},
		{"-A OUTPUT -p tcp --sport 999 -j DROP", api.Question{From: "gateway", To: "RED", Protocol: "tcp", Port: 80, FromPort: 998}, api.Yes, ""},
		{"-A INPUT -s 10.1.0.2 -j DROP", api.Question{From: "gateway", To: "RED", Protocol: "icmp"}, api.No, "gateway input netfilter-drop"},
		{"-A FORWARD -j DROP", api.Question{From: "gateway", To: "RED", Protocol: "icmp"}, api.Yes, ""},
	} {
		l := inMemory(t)
		if c.rule != "" {
			l = inMemory(t, c.rule)
		}
		a, err := l.Explain(c.q)
		if err != nil {
			t.Errorf("%s with %q: %v", c.q, c.rule, err)
			continue
		}
		stop := ""
		if a.Stop != nil {
			stop = a.Stop.Where + " " + a.Stop.Type + " " + a.Stop.Reason
		}
		if a.Verdict != c.want || stop != c.stop {
			t.Errorf("%s with %q: %s, %q: %s", c.q, c.rule, a.Verdict, stop, a.Sentence)
		}
		advice, err := l.WhyNot(c.q)
		if err != nil || advice.Verdict != c.want || c.rule != "" && c.want == api.No && !advice.Solved {
			t.Errorf("why not %s with %q: %+v (%v)", c.q, c.rule, advice, err)
		}
	}
	l := inMemory(t)
	for _, wrong := range []struct {
		q    api.Question
		says string
	}{
		{api.Question{From: "gateway", To: "example.com", Protocol: "icmp"}, "want an address"},
		{api.Question{From: "RED", To: "BLUE", Protocol: "icmp", FromPort: 7}, "no ports"},
		{api.Question{From: "RED", To: "BLUE", Protocol: "tcp", Port: 80, FromPort: 80}, "a server in RED has it"},
	} {
		if _, err := l.Explain(wrong.q); err == nil || !strings.Contains(err.Error(), wrong.says) {
			t.Errorf("%s: %v", wrong.q, err)
		}
	}
	l.Hosts[0].Name = "host" // a service of the lab's goes first
	if a, err := l.Explain(api.Question{From: "host", To: "BLUE", Protocol: "icmp"}); err != nil || a.Phases[0].Where != "host" {
		t.Errorf("a host called host: %+v (%v)", a, err)
	}
}

// TestGroupsAreAsked: what is for a group is delivered to all, and who of them answers is not known.
func TestGroupsAreAsked(t *testing.T) {
	for _, q := range []api.Question{{From: "RED", To: "224.0.0.1", Protocol: "icmp"}, {From: "RED", To: "224.0.0.251", Protocol: "udp", Port: 5353}} {
		a, err := inMemory(t).Explain(q)
		if err != nil || a.Verdict != api.NotKnown || !strings.Contains(a.Sentence, "delivered to BLUE") {
			t.Errorf("%s: %+v (%v)", q, a, err)
		}
		advice, err := inMemory(t).WhyNot(q)
		if err != nil || advice.Verdict != api.NotKnown || advice.Solved {
			t.Errorf("why not %s: %+v (%v)", q, advice, err)
		}
	}
}
