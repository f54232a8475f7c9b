package firewall_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// TestRealIptables has the real iptables carry out the commands, in a namespace of its own that ends with the test.
func TestRealIptables(t *testing.T) {
	for _, tool := range []string{"unshare", "iptables", "ip6tables"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "%s is not installed", tool)
		}
	}
	if os.Geteuid() != 0 {
		missing(t, "only root can make a network namespace")
	}
	everyKind(t, func(t *testing.T, f rule.Family, d firewall.Daemon) {
		h := newHost(t, f, d)
		h.start()
		h.build(townOf(f, d.Dialect))
		same(t, realSave(t, f, h.lines), h.save())

		for _, n := range townOf(f, d.Dialect).networks {
			h.removeNetwork(n.Bridge)
		}
		same(t, realSave(t, f, h.lines), h.save())
	})
}

// realSave returns what iptables-save prints after some commands, without the comments.
func realSave(t *testing.T, f rule.Family, lines []string) string {
	t.Helper()
	tool := "iptables"
	if f == rule.IPv6 {
		tool = "ip6tables"
	}
	var script strings.Builder
	script.WriteString("set -e\n")
	for _, line := range lines {
		fmt.Fprintln(&script, line)
	}
	for _, table := range []string{"raw", "filter", "nat"} {
		fmt.Fprintf(&script, "%s-save -t %s | grep -v '^#'\n", tool, table)
	}
	cmd := exec.Command("unshare", "--net", "sh")
	cmd.Stdin = strings.NewReader(script.String())
	var output, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v: %s", tool, err, problems.String())
	}
	return output.String()
}
