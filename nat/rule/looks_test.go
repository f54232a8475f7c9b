package rule_test

import (
	"slices"
	"strings"
	"testing"

	"uswitch/nat/rule"
)

// TestOnlyLooks: no lab is begun for a command that shows rules, or that is refused for its form.
func TestOnlyLooks(t *testing.T) {
	for line, want := range map[string]bool{
		"-L": true, "-t nat -L -n -v --line-numbers": true, "-S FORWARD": true, "--list-rules": true, "-C FORWARD -j DROP": true, "-h": true,
		"-A": true, "-A FORWARD --nonsense": true, "": true,
		"-A FORWARD -j DROP": false, "-t nat -I PREROUTING 1 -j ACCEPT": false, "-D FORWARD 1": false, "-F": false, "-Z": false, "-L -Z": false,
		"-P FORWARD DROP": false, "-N MINE": false, "-X": false,
	} {
		if got := rule.OnlyLooks(rule.IPv4, strings.Fields(line)); got != want {
			t.Errorf("%q only looks: %v, want %v", line, got, want)
		}
	}
}

// TestWarnings: a range that is reversed is taken, with iptables' own warning; the words are those of iptables 1.8.9.
func TestWarnings(t *testing.T) {
	for line, want := range map[string]string{
		"-A FORWARD -m iprange --src-range 10.0.0.9-10.0.0.1 -j DROP":                                       "xt_iprange: range 10.0.0.9-10.0.0.1 is reversed and will never match",
		"-C FORWARD -m iprange ! --dst-range 10.0.0.9-9.255.0.1 -j DROP":                                    "xt_iprange: range 10.0.0.9-9.255.0.1 is reversed and will never match",
		"-I FORWARD -m iprange --src-range 10.0.0.1-10.0.0.9 --dst-range 10.0.0.1 -j DROP":                  "",
		"-A FORWARD -m iprange --src-range 10.0.0.9- -j DROP":                                               "",
		"-A FORWARD -m iprange --src-range 10.0.0.9-10.0.0.1 -m iprange --dst-range 2.0.0.0-1.0.0.0 -j LOG": "xt_iprange: range 10.0.0.9-10.0.0.1 is reversed and will never match xt_iprange: range 2.0.0.0-1.0.0.0 is reversed and will never match",
	} {
		if got := strings.Join(rule.Warnings(rule.IPv4, strings.Fields(line)), " "); got != want {
			t.Errorf("%s: warned %q, want %q", line, got, want)
		}
	}
}

func TestRestoreWarnings(t *testing.T) {
	const text = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m comment --comment \"a b\" -m iprange --src-range 10.0.0.9-10.0.0.1 -j DROP\n" +
		"[1:2] -A FORWARD -m iprange --dst-range 10.0.0.9-10.0.0.2 -j DROP\n# -A FORWARD -m iprange --dst-range 10.0.0.9-10.0.0.3\nCOMMIT\n"
	want := []string{"xt_iprange: range 10.0.0.9-10.0.0.1 is reversed and will never match", "xt_iprange: range 10.0.0.9-10.0.0.2 is reversed and will never match"}
	if got := rule.RestoreWarnings(rule.IPv4, text); !slices.Equal(got, want) {
		t.Errorf("warned %q, want %q", got, want)
	}
}
