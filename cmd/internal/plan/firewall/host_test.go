package firewall_test

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// host is a machine with dockerd and iptables: every method applies at once what the Firewall says.
type host struct {
	t      *testing.T
	fw     *firewall.Firewall
	tables *rule.Tables
	lines  []string // all that was applied
}

func newHost(t *testing.T, f rule.Family, d firewall.Daemon) *host {
	t.Helper()
	fw, err := firewall.New(f, d)
	if err != nil {
		t.Fatal(err)
	}
	return &host{t: t, fw: fw, tables: rule.NewTables(f)}
}

// apply is handed the results of a Firewall's method.
func (h *host) apply(lines []string, err error) {
	h.t.Helper()
	if err == nil {
		err = h.tables.Apply(lines)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.lines = append(h.lines, lines...)
}

func (h *host) now() *rule.Ruleset { return h.tables.Snapshot() }
func (h *host) save() string       { return h.now().Save(rule.SaveOptions{}) }

func (h *host) start()                        { h.t.Helper(); h.apply(h.fw.Start(h.now())) }
func (h *host) addNetwork(n firewall.Network) { h.t.Helper(); h.apply(h.fw.AddNetwork(h.now(), n)) }
func (h *host) removeNetwork(bridge string) {
	h.t.Helper()
	h.apply(h.fw.RemoveNetwork(h.now(), bridge))
}

func (h *host) addEndpoint(bridge string, a netip.Addr) {
	h.t.Helper()
	h.apply(h.fw.AddEndpoint(h.now(), bridge, a))
}

func (h *host) removeEndpoint(bridge string, a netip.Addr) {
	h.t.Helper()
	h.apply(h.fw.RemoveEndpoint(h.now(), bridge, a))
}

func (h *host) addPorts(bridge string, ports ...firewall.Port) {
	h.t.Helper()
	h.apply(h.fw.AddPorts(h.now(), bridge, ports...))
}

func (h *host) removePorts(bridge string, ports ...firewall.Port) {
	h.t.Helper()
	h.apply(h.fw.RemovePorts(h.now(), bridge, ports...))
}

// chain returns the rules of one chain, without the -A CHAIN that they begin with.
func (h *host) chain(t rule.Table, name string) string {
	list, _ := h.now().Rules(t, name)
	var b strings.Builder
	for _, r := range list {
		b.WriteString(strings.TrimPrefix(r.String(), "-A "+name+" ") + "\n")
	}
	return b.String()
}

// same compares texts line by line.
func same(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		line := func(s []string) string {
			if i < len(s) {
				return s[i]
			}
			return "nothing"
		}
		if line(g) != line(w) {
			t.Errorf("line %d: got\n\t%s\nwant\n\t%s\nall of it:\n%s", i+1, line(g), line(w), got)
			return
		}
	}
}

// missing ends a test that this machine cannot run.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI is to run everything: "+format, args...)
	}
	t.Skipf(format, args...)
}
