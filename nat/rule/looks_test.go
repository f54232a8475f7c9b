package rule_test

import (
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
