package world_test

import (
	"strings"
	"testing"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/dockerhost"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
	"uswitch/nat/rule"
)

const dockerWeb = `
name: w
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  WEB: {networks: [back], ports: ["8443:443", "8080:80"]}
  CLIENT: {networks: [front]}
x-uswitch: {uplink: sim, docker_rules: DIALECT}
`

func saved(w *world.World) string { return w.Gateway().Rules().Snapshot().Save(rule.SaveOptions{}) }

// TestDockerRules: the rules are those that uswitch compare docker prints, and behind them what Docker's proxy does.
func TestDockerRules(t *testing.T) {
	for _, test := range []struct {
		dialect firewall.Dialect
		proxy   []string
	}{
		{firewall.Docker29, []string{
			"-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -m comment --comment docker-proxy -j DNAT --to-destination 10.2.0.2:80",
			"-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8443 -m comment --comment docker-proxy -j DNAT --to-destination 10.2.0.2:443",
			"-A POSTROUTING -s 10.2.0.0/24 -d 10.2.0.2/32 -p tcp -m tcp --dport 80 -m comment --comment docker-proxy -j MASQUERADE",
			"-A POSTROUTING -s 10.2.0.0/24 -d 10.2.0.2/32 -p tcp -m tcp --dport 443 -m comment --comment docker-proxy -j MASQUERADE",
		}},
		{firewall.Classic, []string{
			"-A DOCKER-FORWARD -d 10.2.0.2/32 ! -i uplink -o back -p tcp -m tcp --dport 443 -m conntrack --ctstate DNAT -m comment --comment docker-proxy -j ACCEPT",
			"-A DOCKER-FORWARD -d 10.2.0.2/32 ! -i uplink -o back -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -m comment --comment docker-proxy -j ACCEPT",
			"-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -m comment --comment docker-proxy -j DNAT --to-destination 10.2.0.2:80",
			"-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8443 -m comment --comment docker-proxy -j DNAT --to-destination 10.2.0.2:443",
			"-A POSTROUTING -s 10.2.0.0/24 -d 10.2.0.2/32 -p tcp -m tcp --dport 80 -m comment --comment docker-proxy -j MASQUERADE",
			"-A POSTROUTING -s 10.2.0.0/24 -d 10.2.0.2/32 -p tcp -m tcp --dport 443 -m comment --comment docker-proxy -j MASQUERADE",
		}},
		{firewall.Docker20, []string{
			"-A DOCKER-ISOLATION-STAGE-1 -s 10.2.0.2/32 -i back ! -o uplink -p tcp -m tcp --sport 443 -m conntrack --ctstate DNAT -m comment --comment docker-proxy -j ACCEPT",
			"-A DOCKER-ISOLATION-STAGE-1 -d 10.2.0.2/32 ! -i uplink -o back -p tcp -m tcp --dport 443 -m conntrack --ctstate DNAT -m comment --comment docker-proxy -j ACCEPT",
			"-A DOCKER-ISOLATION-STAGE-1 -s 10.2.0.2/32 -i back ! -o uplink -p tcp -m tcp --sport 80 -m conntrack --ctstate DNAT -m comment --comment docker-proxy -j ACCEPT",
			"-A DOCKER-ISOLATION-STAGE-1 -d 10.2.0.2/32 ! -i uplink -o back -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -m comment --comment docker-proxy -j ACCEPT",
			"-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -m comment --comment docker-proxy -j DNAT --to-destination 10.2.0.2:80",
			"-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8443 -m comment --comment docker-proxy -j DNAT --to-destination 10.2.0.2:443",
			"-A POSTROUTING -s 10.2.0.0/24 -d 10.2.0.2/32 -p tcp -m tcp --dport 80 -m comment --comment docker-proxy -j MASQUERADE",
			"-A POSTROUTING -s 10.2.0.0/24 -d 10.2.0.2/32 -p tcp -m tcp --dport 443 -m comment --comment docker-proxy -j MASQUERADE",
		}},
	} {
		t.Run(test.dialect.String(), func(t *testing.T) {
			w, _ := up(t, strings.Replace(dockerWeb, "DIALECT", test.dialect.String(), 1), &worldtest.Host{})
			want, err := dockerhost.Describe(w.Plan(), test.dialect)
			if err != nil {
				t.Fatal(err)
			}
			rest := without(t, saved(w), test.proxy)
			if rest != want.Iptables {
				t.Errorf("without the proxy's rules:\n%s\nwant\n%s", rest, want.Iptables)
			}
		})
	}
}

// without takes lines out of a text, in which they must stand once and in this order.
func without(t *testing.T, text string, lines []string) string {
	t.Helper()
	var done strings.Builder
	for _, line := range lines {
		before, after, ok := strings.Cut(text, line+"\n")
		if !ok {
			t.Errorf("want %s in\n%s", line, text)
			continue
		}
		done.WriteString(before)
		text = after
	}
	return done.String() + text
}

// TestDockerPublishLive opens ports and closes them again: nothing is left, whatever somebody has deleted meanwhile.
func TestDockerPublishLive(t *testing.T) {
	for _, dialect := range []string{"20.10", "classic", "29"} {
		w, _ := up(t, strings.Replace(dockerWeb, "DIALECT", dialect, 1), &worldtest.Host{})
		before := saved(w)
		for _, text := range []string{"8081:80", "127.0.0.1:8082:82/udp"} {
			ports, err := plan.ParsePublish(w.Plan(), "CLIENT", text)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Publish("CLIENT", ports[0]); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(saved(w), "-A DOCKER -d 10.1.0.2/32 ! -i front -o front -p "+ports[0].Proto) {
				t.Errorf("%s: %s: Docker's rule is not there:\n%s", dialect, text, saved(w))
			}
			if ports[0].HostIP.IsLoopback() && !strings.Contains(saved(w), "-A PREROUTING -d 127.0.0.1/32 -p udp -m addrtype --dst-type LOCAL -m udp --dport 8082") {
				t.Errorf("%s: %s: nothing leads there:\n%s", dialect, text, saved(w))
			}
			by := "-A DOCKER -d 10.1.0.2/32 ! -i front -o front -p tcp --dport 80 -j ACCEPT"
			if ports[0].Proto == "tcp" {
				if err := w.Gateway().Rules().Apply([]string{strings.Replace(by, "-A", "-D", 1)}); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Unpublish("CLIENT", ports[0]); err != nil || saved(w) != before {
				t.Errorf("%s: %s: unpublished: %v\n%s\nwant\n%s", dialect, text, err, saved(w), before)
			}
		}
	}
}

// TestDockerPublishFails: a port that cannot have all of its rules has none, and can be had later.
func TestDockerPublishFails(t *testing.T) {
	w, _ := up(t, strings.Replace(dockerWeb, "DIALECT", "classic", 1), &worldtest.Host{})
	tables := w.Gateway().Rules()
	if err := tables.Apply([]string{"-F FORWARD", "-F DOCKER-FORWARD", "-X DOCKER-FORWARD"}); err != nil {
		t.Fatal(err)
	}
	before := saved(w)
	ports, err := plan.ParsePublish(w.Plan(), "CLIENT", "8081:80")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Publish("CLIENT", ports[0]); err == nil || saved(w) != before {
		t.Errorf("without DOCKER-FORWARD: %v\n%s\nwant\n%s", err, saved(w), before)
	}
	if err := tables.Apply([]string{"-N DOCKER-FORWARD"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Publish("CLIENT", ports[0]); err != nil {
		t.Errorf("with it: %v", err)
	}
}

func TestDockerRulesStepBack(t *testing.T) {
	own := parsed(t, strings.Replace(dockerWeb, "docker_rules: DIALECT", "docker_rules: 29, rules: ['-P FORWARD DROP']", 1))
	if lines, err := world.Rules(own); err != nil || strings.Join(lines, "\n") != "-P FORWARD DROP" {
		t.Errorf("the lab's own rules come first: %q, %v", lines, err)
	}
	off := parsed(t, strings.Replace(dockerWeb, "DIALECT", "off", 1))
	if lines, err := world.Rules(off); err != nil || strings.Contains(strings.Join(lines, "\n"), "DOCKER") {
		t.Errorf("off: %q, %v", lines, err)
	}
}
