package dockerhost_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/dockerhost"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// parse makes a plan from a file's content.
func parse(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, err := plan.Parse("web.yaml", []byte(text), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRules compares with rules that were read line by line, in every dialect; package rules compares with the real dockerd's.
func TestRules(t *testing.T) {
	plan := parse(t, read(t, "web.yaml"))
	for _, d := range []firewall.Dialect{firewall.Docker20, firewall.Classic, firewall.Docker29} {
		t.Run(d.String(), func(t *testing.T) {
			h, err := dockerhost.Describe(plan, d)
			if err != nil {
				t.Fatal(err)
			}
			if want := read(t, "web."+d.String()); h.Iptables != want {
				t.Errorf("got\n%s\nwant\n%s", h.Iptables, want)
			}
			again, err := dockerhost.Describe(plan, d)
			if err != nil || !reflect.DeepEqual(h, again) {
				t.Errorf("a second time it is different: %+v, %v", again, err)
			}
		})
	}
}

func TestBridgesAndVeths(t *testing.T) {
	h, err := dockerhost.Describe(parse(t, read(t, "web.yaml")), firewall.Classic)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Bridges) != 2 || len(h.Veths) != 2 {
		t.Fatalf("got %+v", h)
	}
	b := h.Bridges[1]
	if b.Name != "back" || b.Network != "web_back" || b.Subnet.String() != "10.2.0.0/24" || b.Address.String() != "10.2.0.1/24" || b.MTU != 1500 {
		t.Errorf("bridge %+v", b)
	}
	v := h.Veths[0]
	name, mac := dockerhost.VethName("web", "WEB", &plan.Interface{Name: "eth0"})
	if v.Name != name || v.Bridge != "back" || v.Container != "WEB" || v.Address.String() != "10.2.0.2/24" || v.MAC.String() != "02:42:0a:02:00:02" {
		t.Errorf("veth %+v", v)
	}
	if len(name) != len("veth")+7 || mac[0]&3 != 2 {
		t.Errorf("%s %v: want seven digits, and a station's address of local administration", name, mac)
	}
}

// TestChosenPorts: what Docker would be left to choose is chosen, and never twice.
func TestChosenPorts(t *testing.T) {
	text := strings.Replace(read(t, "web.yaml"), `ports: ["8080:80"]`,
		`ports: ["81", {target: 82, published: "8000-8002"}, {target: 83, published: "8000-8002"}, "8001:84", "32768:85", "86/udp"]`, 1)
	h, err := dockerhost.Describe(parse(t, text), firewall.Docker29)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"tcp --dport 32769 -j DNAT --to-destination 10.2.0.2:81", "tcp --dport 8000 -j DNAT --to-destination 10.2.0.2:82",
		"tcp --dport 8002 -j DNAT --to-destination 10.2.0.2:83", "tcp --dport 8001 -j DNAT --to-destination 10.2.0.2:84",
		"tcp --dport 32768 -j DNAT --to-destination 10.2.0.2:85", "udp --dport 32768 -j DNAT --to-destination 10.2.0.2:86",
	} {
		if !strings.Contains(h.Iptables, want+"\n") {
			t.Errorf("want %s in\n%s", want, h.Iptables)
		}
	}
	full := strings.Replace(read(t, "web.yaml"), `ports: ["8080:80"]`, `ports: ["8000:80", "8001:80", {target: 82, published: "8000-8001"}]`, 1)
	if _, err := dockerhost.Describe(parse(t, full), firewall.Docker29); err == nil || !strings.Contains(err.Error(), "host WEB: no port is left for 10.2.0.2:82/tcp") {
		t.Errorf("a range that is taken: %v", err)
	}
}

// TestFirewall: the lines, for empty tables, come to what Describe shows without the ports; and dockerd goes on from there.
func TestFirewall(t *testing.T) {
	plan := parse(t, read(t, "web.yaml"))
	daemon, lines, err := dockerhost.Firewall(plan, rule.IPv4, firewall.Classic)
	if err != nil {
		t.Fatal(err)
	}
	tables := rule.NewTables(rule.IPv4)
	if err := tables.Apply(lines); err != nil {
		t.Fatal(err)
	}
	if text := tables.Snapshot().Save(rule.SaveOptions{}); strings.Contains(text, "8080") {
		t.Errorf("a port is published already:\n%s", text)
	}
	lines, err = daemon.AddPorts(tables.Snapshot(), "back", dockerhost.Port(plan.Network("back"), plan.Host("WEB").Ports[0]))
	if err == nil {
		err = tables.Apply(lines)
	}
	if got, want := tables.Snapshot().Save(rule.SaveOptions{}), read(t, "web.classic"); err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

// TestOptions: what the lab file says in Docker's words comes out in Docker's rules, cables and bridges.
func TestOptions(t *testing.T) {
	h, err := dockerhost.Describe(parse(t, `
services:
  A: {networks: {closed: {x-uswitch: {veth: veth0000007}}}}
  B: {networks: [routed], ports: ["8080:80", "8081:80"]}
  C: {networks: [open], ports: ["127.0.0.1:82:82"]}
  D: {networks: [alone]}
  E: {network_mode: bridge}
  F: {network_mode: "service:E"}
networks:
  closed: {driver_opts: {com.docker.network.bridge.enable_icc: "false", com.docker.network.bridge.enable_ip_masquerade: "false"}}
  routed: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}}
  open: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: nat-unprotected, com.docker.network.bridge.name: br-open}}
  alone: {internal: true, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: isolated}}
`), firewall.Classic)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"-A DOCKER-FORWARD -i docker0 -j ACCEPT",
		"-A DOCKER-FORWARD -i closed -o closed -j DROP",
		"-A DOCKER-FORWARD -i closed ! -o closed -j ACCEPT",
		"-A DOCKER -o routed -p icmp -j ACCEPT",
		"-A DOCKER -d 172.19.0.2/32 ! -i routed -o routed -p tcp -m tcp --dport 80 -j ACCEPT",
		"-A DOCKER ! -i br-open -o br-open -j ACCEPT",
		"-A POSTROUTING -s 172.20.0.0/16 ! -o br-open -j MASQUERADE",
		"-A DOCKER-ISOLATION-STAGE-1 ! -d 172.21.0.0/16 -i alone -j DROP",
	} {
		if strings.Count(h.Iptables, want+"\n") != 1 {
			t.Errorf("want %s in\n%s", want, h.Iptables)
		}
	}
	for _, not := range []string{"-s 172.18.0.0/16", "-s 172.19.0.0/16", "--dport 8080", "-A PREROUTING -d 172.20.0.2/32"} {
		if strings.Contains(h.Iptables, not) {
			t.Errorf("do not want %s in\n%s", not, h.Iptables)
		}
	}
	if h.Veths[0].Name != "veth0000007" || len(h.Veths) != 5 {
		t.Errorf("veths %+v", h.Veths)
	}
	if b := h.Bridges[4]; b.Name != "alone" || b.Address.IsValid() || h.Bridges[0].Network != "bridge" {
		t.Errorf("bridges %+v", h.Bridges)
	}
}

func TestMistakes(t *testing.T) {
	if _, _, err := dockerhost.Firewall(parse(t, read(t, "web.yaml")), rule.IPv4, 0); err == nil {
		t.Error("no dialect is one")
	}
}
