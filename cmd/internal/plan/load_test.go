package plan_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"uswitch/cmd/internal/plan"
)

// TestLoadFile reads labs from files of all sorts.
func TestLoadFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "My_Project")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("services: {RED: {}}\n"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil { // whatever the umask says
			t.Fatal(err)
		}
		return file
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	open := write("open.yaml", 0o666)
	tests := []struct {
		name, arg       string
		lab, warn, fail string
	}{
		{name: "a file gives its name", arg: write("Lab 7.yaml", 0o644), lab: "lab7"},
		{name: "compose.yaml gives its directory's", arg: write("compose.yaml", 0o644), lab: "my_project"},
		{name: "so does docker-compose.yml", arg: write("docker-compose.yml", 0o644), lab: "my_project"},
		{name: "one that all may write", arg: open, lab: "open", warn: open + ": everybody on this machine may change this file, and its commands run as you"},
		{name: "built in", arg: "red-blue", lab: "red-blue"},
		{name: "missing", arg: "nowhere", fail: "nowhere: no such lab: want a file, or a built-in lab: host, red-blue, two-networks, web"},
		{name: "a directory", arg: dir, fail: dir + ": not a regular file: want a Compose file"},
		{name: "a pipe", arg: fifo, fail: fifo + ": not a regular file: want a Compose file"},
		{name: "a device", arg: "/dev/zero", fail: "/dev/zero: not a regular file: want a Compose file"},
		{name: "a name that leads elsewhere", arg: "../builtin/red-blue", fail: "../builtin/red-blue: no such lab: want a file, or a built-in lab: host, red-blue, two-networks, web"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := plan.Load(test.arg, plan.LoadOptions{})
			if test.fail != "" {
				if err == nil || err.Error() != test.fail {
					t.Fatalf("err = %v, want %s", err, test.fail)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p.Name != test.lab {
				t.Errorf("Name = %q, want %q", p.Name, test.lab)
			}
			if got := strings.Join(p.Warnings, "\n"); got != test.warn {
				t.Errorf("Warnings = %q, want %q", got, test.warn)
			}
		})
	}
}

// TestDotEnv: the file beside a lab's own has values for its variables; the environment goes before it, and what it says wrongly
// is told without repeating it.
func TestDotEnv(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	file := write("lab.yaml", "services: {A: {hostname: \"${FIRST}-${SECOND:-none}\", profiles: [p]}}")
	env := write(".env", "# values\nFIRST=one\nexport SECOND='two'\nCOMPOSE_PROFILES=p\nCOMPOSE_FILE=other.yaml\n")
	p, err := plan.Load(file, plan.LoadOptions{Env: map[string]string{"SECOND": "2"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Hosts[0].Hostname; got != "one-2" {
		t.Errorf("the host is called %s", got)
	}
	if want := env + ": COMPOSE_FILE: not acted on: of Compose's own settings, COMPOSE_PROFILES alone is"; !slices.Contains(p.Warnings, want) {
		t.Errorf("warnings %q, want %s", p.Warnings, want)
	}
	write(".env", "hunter2 hunter2\n")
	if _, err := plan.Load(file, plan.LoadOptions{}); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "NAME=value") {
		t.Errorf("no .env: %v", err)
	}
	if err := os.Remove(env); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", env); err != nil {
		t.Fatal(err)
	}
	if p, err = plan.Load(file, plan.LoadOptions{Env: map[string]string{"COMPOSE_PROFILES": "p", "FIRST": "x"}}); err != nil ||
		!slices.Contains(p.Warnings, env+": not read: not a regular file") {
		t.Errorf("a link: %v %v", p, err)
	}
}

// TestNoContentsInErrors points uswitch at a file that is none of its business.
func TestNoContentsInErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for _, text := range []string{"root:$6$hunter2:19000:0:::\n", "[hunter2", "\thunter2", "- hunter2", "a: b: hunter2", "\xffhunter2", "%hunter2", "@hunter2", "*hunter2", "a: *hunter2", "!hunter2 a", "hunter2: {hunter2: {", "? hunter2\n: [", "hunter2: 1\nhunter2: 2"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Load(file, plan.LoadOptions{}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: err = %v, want one that does not repeat the file", text, err)
		}
	}
}

// addressesOf lists each host with its first address, and the gateways that are left.
// sixesOf says what a plan has of IPv6.
func sixesOf(p *plan.Plan) any {
	var all []string
	for _, n := range p.Networks {
		if n.IPv6 != nil {
			all = append(all, n.Key+" "+n.IPv6.Gateway.String())
		}
	}
	for _, h := range p.Hosts {
		line := h.Name
		for _, i := range h.Interfaces {
			if i.Address6.IsValid() {
				line += " " + i.Address6.String()
			} else {
				line += " -"
			}
		}
		all = append(all, line+" via "+h.Gateway6.String()+" "+h.GatewayDev6)
	}
	return all
}

func addressesOf(p *plan.Plan) any {
	var all []string
	for _, h := range p.Hosts {
		all = append(all, h.Name, h.Interfaces[0].Address.Addr().String())
	}
	all = append(all, "via")
	for _, n := range p.Networks {
		if n.Gateway.IsValid() {
			all = append(all, n.Gateway.String())
		}
	}
	if err := p.Verify(); err != nil {
		return err.Error()
	}
	return strings.Join(all, " ")
}

// TestPlans reads small files, and compares the part of the plan that each is about.
func TestPlans(t *testing.T) {
	ports := func(text string) string {
		return "services:\n  A:\n    ports: " + text + "\n"
	}
	tests := []struct {
		name string
		file string
		opts plan.LoadOptions
		of   func(*plan.Plan) any
		want any
	}{
		{name: "the default network", file: "services: {A: {}, B: {}}", want: "br-5011f0944278 lab_default 172.18.0.0/16 172.18.0.1/16 172.18.0.2/16 02:42:ac:12:00:02 172.18.0.3/16 02:42:ac:12:00:03",
			of: func(p *plan.Plan) any {
				n, a, b := p.Network("default"), p.Host("A").Interfaces[0], p.Host("B").Interfaces[0]
				return strings.Join([]string{n.Name, n.Docker, n.Subnet.String(), n.Gateway.String(), a.Address.String(), a.MAC.String(), b.Address.String(), b.MAC.String()}, " ")
			}},
		{name: "pools skip what is taken", file: "networks: {a: {}, b: {ipam: {config: [{subnet: 172.19.5.0/24}]}}, c: {}}\nservices: {A: {network_mode: none}}",
			opts: plan.LoadOptions{Taken: []netip.Prefix{netip.MustParsePrefix("172.18.4.0/24"), netip.MustParsePrefix("0.0.0.0/0")}},
			of:   func(p *plan.Plan) any { return []netip.Prefix{p.Network("a").Subnet, p.Network("c").Subnet} },
			want: []netip.Prefix{netip.MustParsePrefix("172.20.0.0/16"), netip.MustParsePrefix("172.21.0.0/16")}},
		{name: "IPv6: a ULA of the lab's own, and subnets and addresses of the file", of: sixesOf,
			file: "networks:\n  a: {enable_ipv6: true}\n  b: {enable_ipv6: true, internal: true, ipam: {config: [{subnet: 10.9.0.0/16}, {subnet: \"fd00:9::/64\", gateway: \"fd00:9::fe\"}]}}\n  c: {enable_ipv6: true}\n  d: {}\n" +
				"services:\n  A: {networks: [a, b]}\n  B: {networks: {b: {ipv6_address: \"fd00:9::77\"}, c: {}, d: {}}}\n",
			want: []string{"a fdd3:8077:ff99::1/64", "b fd00:9::fe/64", "c fdd3:8077:ff99:1::1/64", "A fdd3:8077:ff99::2/64 fd00:9::1/64 via fdd3:8077:ff99::1 eth0",
				"B fd00:9::77/64 fdd3:8077:ff99:1::2/64 - via fdd3:8077:ff99:1::1 eth1"}},
		{name: "a resolver that would be this machine's own", file: "services:\n  A: {dns: [127.0.0.1, 9.9.9.9]}",
			of: func(p *plan.Plan) any { return strings.Join(p.Warnings, "\n") },
			want: "services.A.dns: 127.0.0.1 will not be asked: it would be this machine's own, since the lab's name server asks in place of the host; " +
				"`x-uswitch: {allow_host: true}` allows it"},
		{name: "the lab may use this machine's resolver", file: "services: {A: {dns: [127.0.0.1]}}\nx-uswitch: {allow_host: true}",
			of: func(p *plan.Plan) any { return p.Warnings }, want: []string(nil)},
		{name: "gateway: none: nobody has the first address, and a router may", of: addressesOf, want: "r1 10.0.0.1 r2 10.0.0.2 via",
			file: "networks: {link: {ipam: {config: [{subnet: 10.0.0.0/30}]}, x-uswitch: {gateway: none}}}\n" +
				"services: {r1: {networks: {link: {ipv4_address: 10.0.0.1}}}, r2: {networks: [link]}}"},
		{name: "gateway: none: who asks for no address gets the first one last", of: addressesOf, want: "r1 10.0.0.2 r2 10.0.0.1 via",
			file: "networks: {link: {ipam: {config: [{subnet: 10.0.0.0/30}]}, x-uswitch: {gateway: none}}}\n" +
				"services: {r1: {networks: [link]}, r2: {networks: [link]}}"},
		{name: "the default route: gw_priority, then the full name, and never priority", want: []string{"eth1 172.31.1.1", "eth1 172.31.4.1", "eth0 172.31.2.1"},
			file: "name: pp\nservices:\n  one: {networks: {alpha: {}, beta: {priority: 1000}}}\n  two: {networks: [gamma, delta]}\n" +
				"  three: {networks: {alpha: {}, beta: {priority: 1000, gw_priority: 1}}}\nnetworks:\n" +
				"  alpha: {ipam: {config: [{subnet: 172.31.1.0/24}]}}\n  beta: {ipam: {config: [{subnet: 172.31.2.0/24}]}}\n" +
				"  delta: {name: zzz, ipam: {config: [{subnet: 172.31.3.0/24}]}}\n  gamma: {ipam: {config: [{subnet: 172.31.4.0/24}]}}\n",
			of: func(p *plan.Plan) any {
				var all []string
				for _, h := range p.Hosts {
					all = append(all, h.GatewayDev+" "+h.Gateway.String())
				}
				return all
			}},
		{name: "a service extends another one of the file", file: "services:\n" +
			"  one: {extends: base, command: b, environment: {B: 2}, ports: ['81']}\n  two: {extends: {service: one}, hostname: second}\n" +
			"  base: {command: a, environment: {A: 1}, networks: [n], ports: ['80'], depends_on: [first], x-uswitch: {passive: true}}\n  first: {networks: [n]}\n" +
			"networks: {n: {}}\n",
			of: func(p *plan.Plan) any {
				var all []string
				for _, h := range p.Hosts {
					all = append(all, fmt.Sprint(h.Name, h.Hostname, h.Command, h.Environment, h.Passive, len(h.Ports), h.Interfaces[0].Network, len(h.DependsOn)))
				}
				return all
			},
			want: []string{"firstfirst[] [] false 0n0", "oneone[b] [A=1 B=2] true 2n1", "twosecond[b] [A=1 B=2] true 2n1", "basebase[a] [A=1] true 1n1"}},
		{name: "a given address is not handed out before", file: "services: {A: {}, B: {networks: {default: {ipv4_address: 172.18.0.2}}}}",
			of:   func(p *plan.Plan) any { return p.Host("A").Interfaces[0].Address.String() },
			want: "172.18.0.3/16"},
		{name: "dependencies start first, and take the first addresses", file: "services: {A: {depends_on: [C]}, B: {}, C: {}}",
			of: func(p *plan.Plan) any {
				var all []string
				for _, h := range p.Hosts {
					all = append(all, h.Name+" "+h.Interfaces[0].Address.Addr().String())
				}
				return all
			},
			want: []string{"C 172.18.0.2", "A 172.18.0.3", "B 172.18.0.4"}},
		{name: "no default route over an internal network", file: "networks: {a: {internal: true}, b: {}}\nservices: {A: {networks: [a]}, B: {networks: [a, b]}}",
			of: func(p *plan.Plan) any {
				return []string{p.Host("A").GatewayDev, p.Host("B").GatewayDev, p.Host("B").Gateway.String()}
			},
			want: []string{"", "eth1", "172.19.0.1"}},
		{name: "Docker's own bridge", file: "services: {A: {network_mode: bridge}, B: {}, C: {network_mode: bridge, mac_address: 02:00:00:00:00:07, x-uswitch: {veth: veth0000001}}}",
			of: func(p *plan.Plan) any {
				n, c := p.Network("bridge"), p.Host("C").Interfaces[0]
				return []any{p.Networks[0].Name, n.Name, n.Docker, n.IsDefaultBridge(), n.Subnet.String(), p.Host("A").Interfaces[0].Address.String(), p.Host("A").Interfaces[0].Name,
					c.Address.String(), c.MAC.String(), c.Veth, c.Name, p.Host("B").Interfaces[0].Address.String(), p.Host("A").Gateway.String()}
			},
			want: []any{"docker0", "docker0", "bridge", true, "172.17.0.0/16", "172.17.0.2/16", "eth0", "172.17.0.3/16", "02:00:00:00:00:07", "veth0000001", "eth0", "172.18.0.2/16", "172.17.0.1"}},
		{name: "Docker's own bridge, for those who will come", file: "services: {}\nx-uswitch: {docker0: true}",
			of: func(p *plan.Plan) any { return []any{len(p.Networks), p.Networks[0].Name, len(p.Hosts), p.KeepUp} }, want: []any{1, "docker0", 0, true}},
		{name: "Docker's own bridge evades a route", file: "services: {A: {network_mode: bridge}, B: {}}",
			opts: plan.LoadOptions{Taken: []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16")}},
			of: func(p *plan.Plan) any {
				return []any{p.Networks[0].Subnet.String(), p.Networks[1].Subnet.String()}
			},
			want: []any{"172.18.0.0/16", "172.19.0.0/16"}},
		{name: "whom to ask, and names of one's own", file: "services: {A: {dns: 8.8.8.8, dns_search: [a.example, b.example], dns_opt: [\"ndots:2\"], extra_hosts: [\"db=10.1.2.3\", \"host.docker.internal:host-gateway\"]}, B: {dns: [1.1.1.1, 9.9.9.9], dns_search: .}}",
			of: func(p *plan.Plan) any {
				a, b := p.Host("A"), p.Host("B")
				return fmt.Sprint(a.DNS, a.DNSSearch, a.DNSOptions, a.ExtraHosts, b.DNS, b.DNSSearch, p.Warnings)
			},
			want: "[8.8.8.8] [a.example b.example] [ndots:2] [{db 10.1.2.3} {host.docker.internal invalid IP}] [1.1.1.1 9.9.9.9] [.] []"},
		{name: "the machine's own namespace", file: "services: {A: {network_mode: host, ports: [80]}}",
			of: func(p *plan.Plan) any {
				return []any{p.Host("A").Mode, len(p.Host("A").Interfaces), len(p.Host("A").Ports), p.Uplink.Kind, p.Warnings}
			},
			want: []any{plan.ModeHost, 0, 0, plan.UplinkNone, []string{"services.A.ports: Published ports are discarded when using host network mode: A is on this machine's own network"}}},
		{name: "another one's namespace", file: "services: {A: {network_mode: \"service:B\"}, B: {network_mode: \"container:cc\"}, C: {container_name: cc, hostname: sea}, D: {network_mode: \"container:lab-A-1\"}, E: {network_mode: \"container:A\"}}",
			of: func(p *plan.Plan) any {
				var all []any
				for _, h := range p.Hosts {
					all = append(all, h.Name, h.Mode, h.Shares, h.Hostname, len(h.Interfaces), h.DependsOn, p.Home(&h).Name)
				}
				return all
			},
			want: []any{
				"C", plan.ModeOwn, "", "sea", 1, []plan.Dependency(nil), "C",
				"B", plan.ModeShared, "C", "sea", 0, []plan.Dependency{{Host: "C"}}, "C",
				"A", plan.ModeShared, "C", "sea", 0, []plan.Dependency{{Host: "B"}}, "C",
				"D", plan.ModeShared, "C", "sea", 0, []plan.Dependency{{Host: "A"}}, "C",
				"E", plan.ModeShared, "C", "sea", 0, []plan.Dependency{{Host: "A"}}, "C"}},
		{name: "options of the bridge", file: "networks:\n  a:\n    attachable: true\n    enable_ipv6: false\n    driver_opts: {com.docker.network.bridge.name: br-own, com.docker.network.bridge.enable_icc: \"0\", com.docker.network.bridge.enable_ip_masquerade: \"f\", com.docker.network.bridge.host_binding_ipv4: 127.0.0.1, com.docker.network.bridge.gateway_mode_ipv4: nat-unprotected, com.docker.network.driver.mtu: 1400, com.docker.network.bridge.enable_ic: x}\nservices: {A: {networks: [a], ports: [80, \"0.0.0.0:81:81\"]}}",
			of: func(p *plan.Plan) any {
				n := p.Network("a")
				return []any{n.Name, n.Key, n.Docker, n.Attachable, n.ICC, n.Masquerade, n.HostIP.String(), n.GatewayMode, n.MTU, len(n.Options), n.Options["com.docker.network.bridge.enable_ip_masquerade"],
					p.Host("A").Ports[0].HostIP.String(), p.Host("A").Ports[1].HostIP.String(), p.Warnings}
			},
			want: []any{"br-own", "a", "lab_a", true, false, false, "127.0.0.1", "nat-unprotected", 1400, 7, "f", "127.0.0.1", "0.0.0.0",
				[]string{"com.docker.network.bridge.enable_ic: not acted on (a): uswitch knows com.docker.network.bridge.name, com.docker.network.bridge.enable_icc, com.docker.network.bridge.enable_ip_masquerade, com.docker.network.bridge.host_binding_ipv4, com.docker.network.bridge.gateway_mode_ipv4, com.docker.network.bridge.gateway_mode_ipv6, com.docker.network.driver.mtu"}}},
		{name: "ports of a routed network", file: "networks: {a: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}}}\nservices: {A: {networks: [a], ports: [80, \"8080:80\", \"127.0.0.1:8081:81/udp\", \"8000-8001:82\"]}}",
			of: func(p *plan.Plan) any {
				var all []string
				for _, port := range p.Host("A").Ports {
					all = append(all, fmt.Sprint(netip.AddrPortFrom(port.HostIP, port.HostPort), port.HostPortEnd, " ", port.To, "/", port.Proto))
				}
				return all
			},
			want: []string{"172.18.0.2:80 0 172.18.0.2:80/tcp", "172.18.0.2:81 0 172.18.0.2:81/udp", "172.18.0.2:82 0 172.18.0.2:82/tcp"}},
		{name: "no gateway on an isolated network", file: "networks: {a: {internal: true, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: isolated}}}\nservices: {A: {networks: [a]}}",
			of: func(p *plan.Plan) any {
				n := p.Network("a")
				return []any{n.Gateway.IsValid(), n.GatewayMAC.String(), p.Host("A").Interfaces[0].Address.String(), p.Host("A").GatewayDev}
			},
			want: []any{false, "00:00:00:00:00:00", "172.18.0.1/16", ""}},
		{name: "a network whose key is no device's name", file: "networks: {a-network-with-a-long-name: {}}\nservices: {A: {networks: [a-network-with-a-long-name]}}",
			of: func(p *plan.Plan) any {
				n := p.Network("a-network-with-a-long-name")
				return []any{n.Name == "br-"+n.ID()[:12], p.Network(n.Docker) == n, p.Network("") == nil}
			},
			want: []any{true, true, true}},
		{name: "no uplink unless asked for", file: "services: {A: {}}",
			of: func(p *plan.Plan) any { return p.Uplink.Kind }, want: plan.UplinkNone},
		{name: "a published port asks for one", file: ports("[80]"),
			of: func(p *plan.Plan) any { return p.Uplink.Kind }, want: plan.UplinkHost},
		{name: "the options choose the uplink", file: ports("[80]") + "x-uswitch: {uplink: none}",
			opts: plan.LoadOptions{Uplink: "sim"},
			of:   func(p *plan.Plan) any { return p.Uplink.Kind }, want: plan.UplinkSim},
		{name: "the options choose the name", file: "name: other\nservices: {A: {}}",
			opts: plan.LoadOptions{Name: "Mine"},
			of:   func(p *plan.Plan) any { return p.Name + " " + p.Networks[0].Docker }, want: "Mine Mine_default"},
		{name: "ports without a way", file: "services: {A: {network_mode: none, ports: [80]}}",
			of: func(p *plan.Plan) any { return p.Warnings }, want: []string{"services.A.ports: not published: A is on no network with a way out"}},
		{name: "a range in short form", file: ports(`["127.0.0.1:8000-8002:80-82/udp"]`),
			of: func(p *plan.Plan) any {
				var all []string
				for _, port := range p.Host("A").Ports {
					all = append(all, port.Proto+" "+port.HostIP.String()+" "+port.To.String())
				}
				return all
			},
			want: []string{"udp 127.0.0.1 172.18.0.2:80", "udp 127.0.0.1 172.18.0.2:81", "udp 127.0.0.1 172.18.0.2:82"}},
		{name: "one port, any of a range", file: ports(`["8000-8002:80"]`),
			of: func(p *plan.Plan) any {
				q := p.Host("A").Ports[0]
				return []uint16{q.HostPort, q.HostPortEnd, q.To.Port()}
			},
			want: []uint16{8000, 8002, 80}},
		{name: "one port for two protocols", file: ports(`["53:53/udp", "53:53/tcp"]`),
			of: func(p *plan.Plan) any { return len(p.Host("A").Ports) }, want: 2},
		{name: "one port on two addresses", file: ports(`["127.0.0.1:80:80", "127.0.0.2:80:80"]`),
			of: func(p *plan.Plan) any { return len(p.Host("A").Ports) }, want: 2},
		{name: "a command in words", file: "services: {A: {entrypoint: sh -c, command: \"'a; b' c\\\\ d\"}}",
			of: func(p *plan.Plan) any { return p.Host("A").Command }, want: []string{"sh", "-c", "a; b", "c d"}},
		{name: "an empty command is none", file: "services: {A: {command: []}}",
			of: func(p *plan.Plan) any { return p.Host("A").Command == nil && p.KeepUp }, want: true},
		{name: "a host without a command keeps the lab up", file: "services: {A: {command: x}, B: {}}",
			of: func(p *plan.Plan) any { return p.KeepUp }, want: true},
		{name: "not when it is passive", file: "services: {A: {command: x}, B: {x-uswitch: {passive: true}}}",
			of: func(p *plan.Plan) any { return p.KeepUp }, want: false},
		{name: "all passive is not the end", file: "services: {B: {x-uswitch: {passive: true}}}",
			of: func(p *plan.Plan) any { return p.KeepUp }, want: true},
		{name: "unless the file says so", file: "services: {A: {command: x}}\nx-uswitch: {keep_up: true}",
			of: func(p *plan.Plan) any { return p.KeepUp }, want: true},
		{name: "no rules and an empty list differ", file: "services: {A: {}}\nx-uswitch: {rules: []}",
			of: func(p *plan.Plan) any { return p.Rules != nil && len(p.Rules) == 0 }, want: true},
		{name: "Docker's rules, by number", file: "services: {A: {}}\nx-uswitch: {docker_rules: 29}",
			of: func(p *plan.Plan) any { return p.DockerRules }, want: "29"},
		{name: "Docker's rules, by a number that YAML cuts short", file: "services: {A: {}}\nx-uswitch: {docker_rules: 20.10}",
			of: func(p *plan.Plan) any { return p.DockerRules }, want: "20.10"},
		{name: "Docker's rules, by that number as a text", file: "services: {A: {}}\nx-uswitch: {docker_rules: '20.10'}",
			of: func(p *plan.Plan) any { return p.DockerRules }, want: "20.10"},
		{name: "iptables' words", file: "services: {A: {}}\nx-uswitch: {iptables_words: 1.8.7}",
			of: func(p *plan.Plan) any { return p.IptablesWords }, want: "1.8.7"},
		{name: "iptables' usual words", file: "services: {A: {}}\nx-uswitch: {iptables_words: 1.8.9}",
			of: func(p *plan.Plan) any { return p.IptablesWords }, want: ""},
		{name: "Docker's rules, by name", file: "services: {A: {}}\nx-uswitch: {docker_rules: classic}",
			of: func(p *plan.Plan) any { return p.DockerRules }, want: "classic"},
		{name: "Docker's rules, if nothing is said", file: "services: {A: {}}",
			of: func(p *plan.Plan) any { return p.DockerRules }, want: "classic"},
		{name: "the lab's own rules in place of Docker's", file: "services: {A: {}}\nx-uswitch: {rules: []}",
			of: func(p *plan.Plan) any { return p.DockerRules }, want: ""},
		{name: "Docker's rules, off", file: "services: {A: {}}\nx-uswitch: {docker_rules: off}",
			of: func(p *plan.Plan) any { return p.DockerRules }, want: ""},
		{name: "Docker's rules beside the lab's own", file: "services: {A: {}}\nx-uswitch: {docker_rules: classic, rules: []}",
			of:   func(p *plan.Plan) any { return p.Warnings },
			want: []string{"x-uswitch.docker_rules: not acted on: the lab has rules of its own"}},
		{name: "profiles", file: "services: {A: {profiles: [x]}, B: {}}",
			opts: plan.LoadOptions{Env: map[string]string{"COMPOSE_PROFILES": "x"}},
			of:   func(p *plan.Plan) any { return len(p.Hosts) }, want: 2},
		{name: "variables become numbers", file: "networks: {default: {internal: \"${I}\", x-uswitch: {mtu: \"$MTU\"}}}\nservices: {A: {}}",
			opts: plan.LoadOptions{Env: map[string]string{"I": "true", "MTU": "1400"}},
			of:   func(p *plan.Plan) any { return []any{p.Networks[0].Internal, p.Networks[0].MTU} }, want: []any{true, 1400}},
		{name: "words for true", file: "networks: {default: {internal: yes, attachable: \"no\"}}\nservices: {A: {}}",
			of: func(p *plan.Plan) any { return p.Networks[0].Internal }, want: true},
		{name: "a variable that is not set", file: "services: {A: {hostname: \"a$NOPE\"}}",
			of:   func(p *plan.Plan) any { return append(p.Warnings, p.Hosts[0].Hostname) },
			want: []string{"services.A.hostname: the variable NOPE is not set, so it is empty; ${NOPE:-default} would give it a default", "a"}},
		{name: "the options are left alone", file: "name: My.Lab\nservices: {A: {environment: [COMPOSE_PROJECT_NAME, \"A=$COMPOSE_PROJECT_NAME\"]}}",
			opts: plan.LoadOptions{Env: map[string]string{}},
			of:   func(p *plan.Plan) any { return append(p.Hosts[0].Environment, p.Name) },
			want: []string{"A=mylab", "COMPOSE_PROJECT_NAME=mylab", "My.Lab"}},
		{name: "keys that nothing is done about", file: "services:\n  A: {image: x, deploy: {replicas: 1, resources: {}}}\n  B: {image: y}\nvolumes: {v: {}}\n",
			of: func(p *plan.Plan) any { return p.Warnings },
			want: []string{"deploy: not acted on (A)",
				"image: not acted on (A, B): no image is used; commands run on this machine's own files",
				"volumes: not acted on (the file): commands see this machine's own files"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			labPlan, err := plan.Parse("lab.yaml", []byte(test.file), test.opts)
			if err != nil {
				t.Fatal(err)
			}
			if got := test.of(labPlan); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if _, set := test.opts.Env["COMPOSE_PROJECT_NAME"]; set {
				t.Error("the caller's environment was changed")
			}
		})
	}
}

// TestLargeLab fills a lab with as many hosts as it may have, and then with one more.
func TestLargeLab(t *testing.T) {
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range 4096 {
		fmt.Fprintf(&text, "  host%d: {image: x, depends_on: [host%d]}\n", i, max(i-1, 1-i))
	}
	file := strings.Replace(text.String(), "depends_on: [host1]", "", 1)
	p, err := plan.Parse("lab.yaml", []byte(file), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Host("host4095").Interfaces[0].Address; got != netip.MustParsePrefix("172.18.16.1/16") {
		t.Errorf("the last host has %v, want the 4097th address after the network's", got)
	}
	_, err = plan.Parse("lab.yaml", []byte(file+"  more: {}\n"), plan.LoadOptions{})
	if want := "lab.yaml:1: services: 4097 of them: want at most 4096"; err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
}

// TestValidateName tries the one rule for names.
func TestValidateName(t *testing.T) {
	for _, good := range []string{"RED", "red-1", "a.b_c", "7", strings.Repeat("x", 63)} {
		if err := plan.ValidateName("host name", good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", ".", "..", "-x", "_x", "a/b", "../x", "a b", "a\nb", "a\x00b", "é", "%d", "eth0:1", "a@b", strings.Repeat("x", 64), strings.Repeat("x", 300)} {
		err := plan.ValidateName("host name", bad)
		if err == nil {
			t.Errorf("%q was accepted", bad)
		} else if len(err.Error()) > 200 || strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%q: the message is no line for a person: %q", bad, err)
		}
	}
	for _, bad := range []string{"", "sixteen-letters-", "lo", "a/b", "all", "%d"} {
		if plan.ValidateInterfaceName(bad) == nil {
			t.Errorf("interface name %q was accepted", bad)
		}
	}
	if err := plan.ValidateInterfaceName("fifteen-letters"); err != nil {
		t.Error(err)
	}
}

// FuzzParse feeds anything at all: no panic, no plan along with an error, and every plan holds what it promises.
func FuzzParse(f *testing.F) {
	for _, b := range plan.Builtins() {
		text, _ := plan.Source(b.Name)
		f.Add(text)
	}
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	for _, text := range []string{
		bomb(), "services: &a\n  b: *a\n", "services: {A: {<<: [{}, 3]}}", "services: {A: {command: \"${A:-${B:-${C}}}\"}}",
		"services: {A: {networks: {default: {x-uswitch: 3}}}}\nx-uswitch: []", "services: {A: {ports: [{target: 1e9, published: [1]}]}}",
		"services: {A: {network_mode: \"service:B\"}, B: {network_mode: \"container:C\"}, C: {network_mode: bridge, ports: [80]}, D: {network_mode: host}}",
		"services: {}\nx-uswitch: {docker0: true}", "networks: {A: {ipam: {config: [{subnet: 0.0.0.0/31}]}}}\nservices: {A: {}}",
		"networks: {default: {internal: true, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: isolated, com.docker.network.bridge.name: default}}}\nservices: {A: {}}",
		"networks: {a: {ipam: {config: [{subnet: 10.0.0.0/31, ip_range: 10.0.0.1/32}]}}}\nservices: {A: {networks: [a]}}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := plan.Parse("lab.yaml", data, plan.LoadOptions{Env: map[string]string{"A": "1"}})
		if (p == nil) == (err == nil) {
			t.Fatalf("plan = %v, err = %v: want one of them", p, err)
		}
		if err != nil {
			if len(err.Error()) > 200_000 {
				t.Fatalf("a message of %d bytes", len(err.Error()))
			}
			return
		}
		check(t, p)
	})
}

// check holds a plan against the promises of its type.
func check(t *testing.T, p *plan.Plan) {
	t.Helper()
	if _, err := json.Marshal(p); err != nil {
		t.Error(err)
	}
	if len(p.Hosts) == 0 && p.Network("docker0") == nil || plan.ValidateName("lab", p.Name) != nil {
		t.Errorf("%d hosts in %q", len(p.Hosts), p.Name)
	}
	started, seen := make(map[string]bool), make(map[string]bool)
	for i, n := range p.Networks {
		if plan.ValidateInterfaceName(n.Name) != nil || p.Network(n.Name) != &p.Networks[i] || n.Gateway.IsValid() == (n.GatewayMode == "isolated") {
			t.Errorf("network %+v", n)
		}
		for _, other := range p.Networks[:i] {
			if n.Subnet.Overlaps(other.Subnet) {
				t.Errorf("%s and %s overlap", n.Name, other.Name)
			}
		}
		seen[n.Name+n.Gateway.Addr().String()], seen[n.Name+n.GatewayMAC.String()] = true, true
	}
	for _, h := range p.Hosts {
		if plan.ValidateName("host", h.Name) != nil || plan.ValidateName("hostname", h.Hostname) != nil {
			t.Errorf("host %q, %q", h.Name, h.Hostname)
		}
		for _, d := range h.DependsOn {
			if !started[d.Host] {
				t.Errorf("%s starts before %s, on which it depends", h.Name, d.Host)
			}
		}
		started[h.Name] = true
		if home := p.Home(&h); home == nil || !started[home.Name] || home.Mode == plan.ModeShared || (h.Mode == plan.ModeShared) != (home.Name != h.Name) {
			t.Errorf("%s is at home in %+v", h.Name, home)
		}
		if h.Mode != plan.ModeOwn && len(h.Interfaces)+len(h.Ports) > 0 {
			t.Errorf("%s has no namespace of its own and yet %+v, %+v", h.Name, h.Interfaces, h.Ports)
		}
		for _, i := range h.Interfaces {
			n := p.Network(i.Network)
			if n == nil || !n.Subnet.Contains(i.Address.Addr()) || n.Subnet.Bits() != i.Address.Bits() || !i.MAC.IsStation() || plan.ValidateInterfaceName(i.Name) != nil {
				t.Fatalf("%s: %+v on %+v", h.Name, i, n)
			}
			for _, key := range []string{i.Network + i.Address.Addr().String(), i.Network + i.MAC.String()} {
				if seen[key] {
					t.Errorf("%s is there twice", key)
				}
				seen[key] = true
			}
		}
	}
}

// TestUplinkNamespace: a namespace outside has addresses, of a network that is none of the lab's.
func TestUplinkNamespace(t *testing.T) {
	for subnet, want := range map[string]string{"10.1.0.0/24": "192.0.2.2/24 via 192.0.2.1", "192.0.2.128/25": "198.51.100.2/24 via 198.51.100.1"} {
		text := "name: w\nnetworks: {lan: {ipam: {config: [{subnet: " + subnet + "}]}}}\nservices: {A: {networks: [lan]}}\nx-uswitch: {uplink: \"netns:wan\"}\n"
		p, err := plan.Parse("lab.yaml", []byte(text), plan.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Uplink.Address.String() + " via " + p.Uplink.Gateway.String(); got != want {
			t.Errorf("beside %s: %s, want %s", subnet, got, want)
		}
	}
}
