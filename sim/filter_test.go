package sim_test

import (
	"strings"
	"testing"

	"uswitch/sim"
)

// filtered is redBlue where hosts reach each other only if a rule lets them.
func filtered(rules ...string) sim.Topology {
	t := redBlue()
	t.Networks[0].Filtered = true
	t.Rules = append(t.Rules, rules...)
	return t
}

// TestFiltered: what is bridged passes FORWARD, with the network's name on both sides, and connections are known there.
func TestFiltered(t *testing.T) {
	icc := "-A FORWARD -i br0 -o br0 -j DROP"
	for _, tt := range []struct {
		name     string
		rules    []string
		from, to string
		size     int
		received int
		contains string
	}{
		{name: "a drop, named", rules: []string{icc}, from: "RED", to: "11.11.11.3", contains: "gateway  forward      DROP netfilter-drop: a rule says DROP; by " + icc},
		{name: "a policy", rules: []string{"-P FORWARD DROP"}, from: "RED", to: "11.11.11.3", contains: "-P FORWARD DROP"},
		{name: "raw", rules: []string{"-t raw -A PREROUTING -i br0 -d 11.11.11.3 -j DROP"}, from: "RED", to: "11.11.11.3",
			contains: "-A PREROUTING -d 11.11.11.3/32 -i br0 -j DROP"},
		{name: "fragments", rules: []string{icc}, from: "RED", to: "11.11.11.3", size: 4000, contains: icc},
		{name: "nobody is against it", from: "RED", to: "11.11.11.3", received: 1},
		{name: "fragments, and nobody is against it", from: "RED", to: "11.11.11.3", size: 4000, received: 1},
		{name: "one way, with the answers",
			rules: []string{"-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT", "-A FORWARD -s 11.11.11.2 -j ACCEPT", icc},
			from:  "RED", to: "11.11.11.3", received: 1, contains: "ACCEPT by -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT"},
		{name: "not the other way",
			rules: []string{"-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT", "-A FORWARD -s 11.11.11.2 -j ACCEPT", icc},
			from:  "BLUE", to: "11.11.11.2", contains: "DROP netfilter-drop: a rule says DROP; by " + icc},
		{name: "the gateway is not asked for", rules: []string{icc}, from: "RED", to: "11.11.11.1", received: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := build(t, filtered(tt.rules...))
			f, err := sim.Fork(w.Origin())
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range []*sim.World{w, f} {
				observed := w.Observe()
				got, err := w.Ping(tt.from, ip(tt.to), sim.PingOptions{Count: 1, Size: tt.size}, new(strings.Builder))
				if err != nil {
					t.Fatal(err)
				}
				out, err := observed()
				if err != nil {
					t.Fatal(err)
				}
				text := strings.Join(strings.Fields(out), " ")
				if got.Received != tt.received || !strings.Contains(text, strings.Join(strings.Fields(tt.contains), " ")) {
					t.Errorf("%d answers, want %d, and %q in:\n%s", got.Received, tt.received, tt.contains, out)
				}
			}
		})
	}
}
