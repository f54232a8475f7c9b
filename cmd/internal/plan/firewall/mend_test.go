package firewall_test

import (
	"strings"
	"testing"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// TestStartMends breaks the rules by hand, as learners do, and starts again.
func TestStartMends(t *testing.T) {
	for name, c := range map[string]struct {
		breaking []string
		rest     string // what Start cannot know, and leaves
	}{
		"nothing broken":        {},
		"a rule removed":        {breaking: []string{"-D DOCKER-ISOLATION-STAGE-2 -o br-app -j DROP"}},
		"a chain flushed":       {breaking: []string{"-F DOCKER"}},
		"a policy set":          {breaking: []string{"-P FORWARD ACCEPT"}},
		"jumps behind another":  {breaking: []string{"-I FORWARD -s 10.9.9.9 -j ACCEPT"}, rest: "-A FORWARD -s 10.9.9.9/32 -j ACCEPT"},
		"a rule of one's own":   {breaking: []string{"-A DOCKER-USER -i eth0 -j DROP"}, rest: "-A DOCKER-USER -i eth0 -j DROP"},
		"a jump removed":        {breaking: []string{"-t nat -D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"}},
		"all flushed":           {breaking: []string{"-F", "-t nat -F", "-t raw -F"}},
		"all flushed and wiped": {breaking: []string{"-F", "-X", "-P FORWARD ACCEPT", "-t nat -F", "-t nat -X", "-t raw -F"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, rule.IPv4, classicDaemon)
			h.start()
			h.build(townOf(rule.IPv4, firewall.Classic))
			before := h.save()
			if err := h.tables.Apply(c.breaking); err != nil {
				t.Fatal(err)
			}
			h.start()
			want := before
			if c.rest != "" {
				want = c.rest + "\n" + before
			}
			same(t, sorted(h.save()), sorted(want))
			if lines, err := h.fw.Start(h.now()); err != nil || len(lines) > 0 {
				t.Errorf("a third start still has\n%s\nto do (%v)", strings.Join(lines, "\n"), err)
			}
		})
	}
}

// TestRemoveAfterFlush removes a network whose rules have gone already.
func TestRemoveAfterFlush(t *testing.T) {
	h := newHost(t, rule.IPv4, classicDaemon)
	h.start()
	h.build(townOf(rule.IPv4, firewall.Classic))
	if err := h.tables.Apply([]string{"-F", "-X", "-t nat -F", "-t nat -X"}); err != nil {
		t.Fatal(err)
	}
	for _, n := range townOf(rule.IPv4, firewall.Classic).networks {
		h.removeNetwork(n.Bridge)
	}
	same(t, h.chain(rule.Raw, "PREROUTING"), "")
}

// TestAddAfterWipe has dockerd's best known error, and Start as the way out of it.
func TestAddAfterWipe(t *testing.T) {
	h := newHost(t, rule.IPv4, classicDaemon)
	h.start()
	if err := h.tables.Apply([]string{"-t nat -F", "-t nat -X"}); err != nil {
		t.Fatal(err)
	}
	docker0 := townOf(rule.IPv4, firewall.Classic).networks[0]
	_, err := h.fw.AddNetwork(h.now(), docker0)
	const want = "iptables -t nat -I DOCKER -i docker0 -j RETURN: iptables: No chain/target/match by that name."
	if err == nil || err.Error() != want {
		t.Fatalf("got %v, want %s", err, want)
	}
	h.start()
	h.addNetwork(docker0)
}
