package plan_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"uswitch/cmd/internal/plan"
)

// TestMistakes gives files with mistakes in them, and compares the whole of what people are told.
func TestMistakes(t *testing.T) {
	const network = "networks: {br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}}\n"
	tests := []struct {
		name string
		file string
		opts plan.LoadOptions
		want string
	}{
		{name: "empty", file: "", want: `lab.yaml: the file is empty: want services: with at least one host in it`},
		{name: "a comment only", file: "# nothing\n", want: `lab.yaml: the file is empty: want services: with at least one host in it`},
		{name: "no mapping", file: "root:x:0", want: `lab.yaml: not a Compose file: want services: with at least one host in it`},
		{name: "no services", file: "networks: {br0: {}}", want: `lab.yaml: not a Compose file: want services: with at least one host in it`},
		{name: "services without one", file: "services: {}", want: `lab.yaml:1: services: no services: want at least one host`},
		{name: "a list", file: "[services]", want: `lab.yaml: not a Compose file: want services: with at least one host in it`},
		{name: "a tab", file: "services:\n\tRED: {}\n", want: `lab.yaml:2: not YAML: while scanning for the next token: found character that cannot start any token`},
		{name: "an open bracket", file: "services:\n  RED:\n    command: [a\n  B: x\n", want: `lab.yaml:4: not YAML: while parsing a flow sequence that begins in line 3: did not find expected ',' or ']'`},
		{name: "a lost blank", file: "services:\n  A: {}\n B: {}\n", want: `lab.yaml:3: not YAML: while parsing a block mapping that begins in line 1: did not find expected key`},
		{name: "a rule", file: "services:\n  A: {}\nx-uswitch:\n  rules:\n    - -A FORWARD -j ACCEPT\n    - -A FORWARD -p tcp --dport x -j DROP\n    - -A NOWHERE -j DROP\n",
			want: `lab.yaml:6: x-uswitch.rules.1: "-A FORWARD -p tcp --dport x -j DROP": invalid port/service ` + "`x' specified"},
		{name: "a network of none", file: "services:\n  A: {networks: [x]}\n", want: `lab.yaml:2: services.A.networks.x: no such network: there are none`},
		{name: "two documents", file: "services: {RED: {}}\n---\nservices: {BLUE: {}}\n", want: `lab.yaml:2: a second YAML document begins here: want one lab in one file`},
		{name: "a key twice", file: "services:\n  RED: {}\n  BLUE: {}\n  RED: {}\n", want: `lab.yaml:4: services.RED: this key stands here already, in line 2`},
		{name: "a key that is a number", file: "services:\n  1: {}\n", want: `lab.yaml:2: services: the key "1" is not a string: put it into quotes`},
		{name: "a tag", file: "services:\n  RED: !reset {}\n", want: "lab.yaml:2: services.RED: the tag !reset: want a plain value; a lab has no use for tags\n" +
			"lab.yaml:2: services.RED: want a mapping"},
		{name: "a bomb", file: bomb(), want: `lab.yaml: more than 100000 keys and values once the aliases are written out`},
		{name: "an endless alias", file: "services: &a\n  b: *a\n", want: "lab.yaml:2: services.b.b: nested more than 64 deep, or an alias inside its own anchor\n" +
			"lab.yaml:2: services.b.b: " + actsOnService},
		{name: "too long", file: strings.Repeat("#", 1<<20+1), want: `lab.yaml: the file is 1048577 bytes long: want at most 1048576`},

		{name: "misspelt keys", file: "servces: {}\nservices:\n  RED:\n    imge: x\n    networks:\n      br0: {ipv4: 1.2.3.4}\nnetworks:\n  br0:\n    intrnal: true\n    ipam: {config: [{subnt: x}]}\n", want: "lab.yaml:1: servces: no such key: uswitch acts on name, networks, services, x-uswitch\n" +
			"lab.yaml:4: services.RED.imge: " + actsOnService + "\n" +
			"lab.yaml:6: services.RED.networks.br0.ipv4: no such key: uswitch acts on aliases, gw_priority, interface_name, ipv4_address, ipv6_address, mac_address, priority, x-uswitch\n" +
			"lab.yaml:9: networks.br0.intrnal: no such key: uswitch acts on attachable, driver_opts, enable_ipv6, internal, ipam, name, x-uswitch\n" +
			"lab.yaml:10: networks.br0.ipam.config.0.subnt: no such key: uswitch acts on aux_addresses, gateway, ip_range, subnet"},
		{name: "wrong types", file: "services:\n  RED:\n    command: 3\n    networks: 3\n    environment: {A: [1]}\n  BLUE: null\nname: 3\n", want: "lab.yaml:3: services.RED.command: want a list or a text\n" +
			"lab.yaml:4: services.RED.networks: want a list or a mapping\n" +
			"lab.yaml:5: services.RED.environment.A: want a number or a text or true or false\n" +
			"lab.yaml:6: services.BLUE: want a mapping\n" +
			"lab.yaml:7: name: want a text"},
		{name: "names", file: "services:\n  a b: {}\n  -x: {}\n  \"a/b\": {}\n  \"..\": {}\n  \"é\": {}\n  \"%d\": {}\n", want: "lab.yaml:2: services.\"a b\": host name \"a b\": want letters, digits, '_', '.' and '-', with a letter or a digit first\n" +
			"lab.yaml:3: services.\"-x\": host name \"-x\": want letters, digits, '_', '.' and '-', with a letter or a digit first\n" +
			"lab.yaml:4: services.\"a/b\": host name \"a/b\": want letters, digits, '_', '.' and '-', with a letter or a digit first\n" +
			"lab.yaml:5: services.\"..\": host name \"..\": want letters, digits, '_', '.' and '-', with a letter or a digit first\n" +
			"lab.yaml:6: services.\"é\": host name \"é\": want letters, digits, '_', '.' and '-', with a letter or a digit first\n" +
			"lab.yaml:7: services.\"%d\": host name \"%d\": want letters, digits, '_', '.' and '-', with a letter or a digit first"},
		{name: "a reserved name", file: "services:\n  gateway: {}\n", want: `lab.yaml:2: services.gateway: host name "gateway": the name is taken; all, any, gateway, uplink mean something else to uswitch`},
		{name: "the lab's name", file: "name: a/b\nservices: {RED: {}}\n", want: `lab.yaml:1: name: lab name "a/b": want letters, digits, '_', '.' and '-', with a letter or a digit first`},

		{name: "extends in a circle", file: "services:\n  A: {extends: B}\n  B: {extends: {service: C}}\n  C: {extends: A}\n  D: {extends: X}\n",
			want: "lab.yaml:4: services.C.extends: a circle: A -> B -> C -> A\n" +
				"lab.yaml:5: services.D.extends: no such service \"X\": want one of A, B, C, D"},
		{name: "variables", file: "services:\n  RED:\n    command: ${A:?say which}\n    hostname: ${}\nnetworks:\n  br0: {internal: \"${B:-maybe}\"}\n", want: "lab.yaml:3: services.RED.command: required variable A is missing a value: say which\n" +
			"lab.yaml:4: services.RED.hostname: not a variable: want $NAME, ${NAME} or ${NAME:-default}, and $$ for a dollar sign\n" +
			"lab.yaml:6: networks.br0.internal: \"maybe\" is not a value of the kind that belongs here"},

		{name: "x-uswitch", file: "services:\n  RED:\n    networks: {br0: {x-uswitch: {isolatd: true, mtu: 9, learning: maybe, storm_limit: 1.5}}}\n    x-uswitch: {pasive: true, netns: ../x}\nnetworks:\n  br0:\n    x-uswitch: {ageing_time: -5, mtu: big, gateway_mac: \"01:00:00:00:00:00\", fdb: [{mac: x, host: RED}, {host: RED}, {mac: \"02:00:00:00:00:01\", host: NOBODY}, 7]}\nx-uswitch: {uplnk: host, rules: [\"\"], docker_rules: 28, ip_forward: 3}\n", want: "lab.yaml:3: services.RED.networks.br0.x-uswitch.isolatd: no such key: want one of bcast_flood, dhcp_guard, flood, isolated, learning, mcast_flood, mtu, nd_guard, ra_guard, storm_limit, veth\n" +
			"lab.yaml:3: services.RED.networks.br0.x-uswitch.learning: \"maybe\": want true or false\n" +
			"lab.yaml:3: services.RED.networks.br0.x-uswitch.mtu: 9: want a whole number from 68 to 65521\n" +
			"lab.yaml:3: services.RED.networks.br0.x-uswitch.storm_limit: want a whole number from 0 to 100000000\n" +
			"lab.yaml:4: services.RED.x-uswitch.netns: namespace \"../x\": want letters, digits, '_', '.' and '-', with a letter or a digit first, or an absolute path\n" +
			"lab.yaml:4: services.RED.x-uswitch.pasive: no such key: want one of netns, passive, veth\n" +
			"lab.yaml:7: networks.br0.x-uswitch.ageing_time: -5: want a whole number from 0 to 1000000\n" +
			"lab.yaml:7: networks.br0.x-uswitch.fdb.0.mac: \"x\": want six pairs of hex digits, as in 02:42:0b:0b:0b:02\n" +
			"lab.yaml:7: networks.br0.x-uswitch.fdb.1: mac is missing\n" +
			"lab.yaml:7: networks.br0.x-uswitch.fdb.2: host \"NOBODY\" is not on br0\n" +
			"lab.yaml:7: networks.br0.x-uswitch.fdb.3: mac is missing\n" +
			"lab.yaml:7: networks.br0.x-uswitch.fdb.3: want a mapping\n" +
			"lab.yaml:7: networks.br0.x-uswitch.gateway_mac: 01:00:00:00:00:00: no station can have this address: want one whose first octet is even, and not all zero\n" +
			"lab.yaml:7: networks.br0.x-uswitch.mtu: \"big\": want a whole number from 68 to 65521\n" +
			"lab.yaml:8: x-uswitch.docker_rules: \"28\": want 20.10, classic, 29 or off\n" +
			"lab.yaml:8: x-uswitch.ip_forward: want true or false\n" +
			"lab.yaml:8: x-uswitch.rules.0: want a line of iptables, as in -t nat -A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE\n" +
			"lab.yaml:8: x-uswitch.uplnk: no such key: want one of allow_host, checks, docker0, docker_rules, ip_forward, iptables_words, keep_up, rules, uplink"},

		{name: "checks", file: "services:\n  RED: {network_mode: none}\nx-uswitch:\n  checks:\n" +
			"    - {name: a, from: RED, to: 8.8.8.8}\n" +
			"    - {name: a, from: RED, tcp: 0, udp: 7, reason: policy-drop}\n" +
			"    - {name: b, from: RED, table: fdb}\n" +
			"    - {name: c, table: fbd, has: x}\n" +
			"    - {name: d, table: fdb}\n" +
			"    - {name: e, host: RED, command: \"ping x | wc\", status: many}\n" +
			"    - {name: f, from: RED, to: BLUE, path: [{hook: forwrad}, {}, {wya: answer}], reason: bad-luck, not: true}\n" +
			"    - {from: RED, to: BLUE, hsa: x}\n", want: "lab.yaml:6: x-uswitch.checks.1.name: a: check 0 has this name already\n" +
			"lab.yaml:6: x-uswitch.checks.1.reason: only with not: true; what is answered has none\n" +
			"lab.yaml:6: x-uswitch.checks.1.tcp: 0: want a whole number from 1 to 65535\n" +
			"lab.yaml:6: x-uswitch.checks.1.to: want an address, a host, gateway, or a name with a dot in it\n" +
			"lab.yaml:7: x-uswitch.checks.2: want one of from, table and command: who asks, which table, what to run\n" +
			"lab.yaml:8: x-uswitch.checks.3.table: \"fbd\": want one of conntrack, drops, fdb, hosts, neigh, networks, ports, published, routes, rules\n" +
			"lab.yaml:9: x-uswitch.checks.4: want has or lacks: what must be there, and what must not\n" +
			"lab.yaml:10: x-uswitch.checks.5.command: '|' is for a shell, and there is none: want [sh, -c, '...'], or quotes around it\n" +
			"lab.yaml:10: x-uswitch.checks.5.status: \"many\": want a whole number from 0 to 255\n" +
			"lab.yaml:11: x-uswitch.checks.6.path.0.hook: \"forwrad\": want one of decap, ingress, learn, bridge, arp, prerouting, route, input, forward, output, postrouting, neighbor, egress, encap, flood, local, interface, send, name, deliver, answer\n" +
			"lab.yaml:11: x-uswitch.checks.6.path.1: want at least one of way, at, hook, result, rule, becomes, reason\n" +
			"lab.yaml:11: x-uswitch.checks.6.path.2.wya: no such key: want one of at, becomes, hook, reason, result, rule, way\n" +
			"lab.yaml:11: x-uswitch.checks.6.reason: \"bad-luck\": want the name of a reason, as in policy-drop\n" +
			"lab.yaml:12: x-uswitch.checks.7.hsa: no such key: want one of df, from, name, not, path, reason, rule, size, tcp, to, udp\n" +
			"lab.yaml:12: x-uswitch.checks.7.name: check is empty: want letters, digits, '_', '.' and '-', with a letter or a digit first"},

		{name: "addresses", file: network + "services:\n" +
			"  A: {networks: {br0: {ipv4_address: 11.11.11.1}}}\n" +
			"  B: {networks: {br0: {ipv4_address: 11.11.11.7}}}\n" +
			"  C: {networks: {br0: {ipv4_address: 11.11.11.7}}}\n" +
			"  D: {networks: {br0: {ipv4_address: 11.11.12.7}}}\n" +
			"  E: {networks: {br0: {ipv4_address: 11.11.11.0}}}\n" +
			"  F: {networks: {br0: {ipv4_address: 11.11.11.255}}}\n" +
			"  G: {networks: {br0: {ipv4_address: x}}}\n", want: "lab.yaml:3: services.A.networks.br0.ipv4_address: 11.11.11.1: Address already in use: the gateway has it\n" +
			"lab.yaml:5: services.C.networks.br0.ipv4_address: 11.11.11.7: Address already in use: B has it\n" +
			"lab.yaml:6: services.D.networks.br0.ipv4_address: 11.11.12.7: requested address is out of range: it is outside 11.11.11.0/24\n" +
			"lab.yaml:7: services.E.networks.br0.ipv4_address: 11.11.11.0: requested address is out of range: it names the network 11.11.11.0/24 itself\n" +
			"lab.yaml:8: services.F.networks.br0.ipv4_address: 11.11.11.255: requested address is out of range: it is the broadcast address of 11.11.11.0/24\n" +
			"lab.yaml:9: services.G.networks.br0.ipv4_address: \"x\": want an IPv4 address, as in 11.11.11.2"},
		{name: "one MAC address twice", file: network + "services:\n" +
			"  A: {networks: {br0: {mac_address: 02:00:00:00:00:01}}}\n" +
			"  B: {networks: {br0: {mac_address: 02-00-00-00-00-01}}}\n" +
			"  C: {mac_address: 02:42:0b:0b:0b:01, networks: [br0]}\n", want: "lab.yaml:4: services.B.networks.br0.mac_address: 02:00:00:00:00:01: A has this MAC address on br0 already\n" +
			"lab.yaml:5: services.C.mac_address: 02:42:0b:0b:0b:01: the gateway has this MAC address on br0 already"},
		{name: "a full network", file: "networks: {br0: {ipam: {config: [{subnet: 11.11.11.0/30}]}}}\nservices:\n  A: {networks: [br0]}\n  B: {networks: [br0]}\n", want: `lab.yaml:4: services.B.networks.br0: no address for B on br0: 11.11.11.0/30: no available addresses on this pool`},
		{name: "subnets", file: "networks:\n  a: {ipam: {config: [{subnet: 10.0.0.0/8}]}}\n  b: {ipam: {config: [{subnet: 10.1.0.0/16}]}}\n  c: {ipam: {config: [{subnet: 11.0.0.1/24}]}}\n  d: {ipam: {config: [{gateway: 11.0.0.1}]}}\n  e: {ipam: {config: [{subnet: x}]}}\n  f: {ipam: {config: [{subnet: 12.0.0.0/24, gateway: 13.0.0.1}]}}\n  g: {ipam: {config: [{subnet: 14.0.0.0/24, ip_range: 15.0.0.0/25}]}}\nservices: {RED: {}}\n", want: "lab.yaml:3: networks.b.ipam.config: 10.1.0.0/16: Pool overlaps with other one on this address space: network a has 10.0.0.0/8\n" +
			"lab.yaml:4: networks.c.ipam.config: 11.0.0.1/24: invalid subnet: bits are set behind the prefix; the network is 11.0.0.0/24\n" +
			"lab.yaml:5: networks.d.ipam.config.0: subnet is missing: without it, the other addresses mean nothing\n" +
			"lab.yaml:6: networks.e.ipam.config.0.subnet: \"x\": want an IPv4 address and a length, as in 11.11.11.0/24\n" +
			"lab.yaml:7: networks.f.ipam.config: gateway 13.0.0.1: requested address is out of range: it is outside 12.0.0.0/24\n" +
			"lab.yaml:8: networks.g.ipam.config: range 15.0.0.0/25: invalid subnet: it is not inside 14.0.0.0/24"},
		{name: "a route of this machine", file: network + "services: {RED: {}}\nx-uswitch: {uplink: host}\n",
			opts: plan.LoadOptions{Taken: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("11.0.0.0/8")}},
			want: `lab.yaml:1: networks.br0.ipam.config: 11.11.11.0/24: Pool overlaps with other one on this address space: this machine has a route to 11.0.0.0/8, and the uplink is its network`},
		{name: "no pool left", file: "services: {RED: {}}\n",
			opts: plan.LoadOptions{Taken: []netip.Prefix{netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")}},
			want: `lab.yaml: networks.default: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network: all predefined address pools have been fully subnetted`},

		{name: "a network that is not there", file: network + "services:\n  RED:\n    networks:\n      - br1\n", want: `lab.yaml:5: services.RED.networks.br1: no such network: want one of br0`},
		{name: "networks of other kinds", file: "networks:\n  a: {driver: overlay}\n  b: {external: true}\nservices: {RED: {}}\n", want: "lab.yaml:2: networks.a.driver: \"overlay\" is not supported: want bridge or vxlan"},
		{name: "tunnels", file: "networks:\n  a:\n    driver: vxlan\n    driver_opts: {vni: 16777216, port: 0, ttl: x, learning: maybe, local: nodeA, peers: \"192.168.50.2, 224.0.0.1,a b,192.168.50.2\"}\n" +
			"  b:\n    driver: vxlan\n    x-uswitch: {vxlan: {vnii: 3, mtu: 9}}\n  c:\n    x-uswitch: {vxlan: {vni: 3}}\n  d:\n    driver: vxlan\n    driver_opts: {vni: 7, peers: 192.168.50.2}\n    x-uswitch: {vxlan: {vni: 8}}\n" +
			"services: {RED: {networks: [a]}, vx2: {networks: [d]}}\n", want: `lab.yaml:4: networks.a.driver_opts.learning: "maybe": want on or off
lab.yaml:4: networks.a.driver_opts.local: "nodeA": want an IPv4 address of this machine, as in 192.168.50.1
lab.yaml:4: networks.a.driver_opts.peers: "224.0.0.1": want the IPv4 address of one machine, as in 192.168.50.2
lab.yaml:4: networks.a.driver_opts.peers: "a b": want the address or the name of a machine, as in 192.168.50.2 or node-b
lab.yaml:4: networks.a.driver_opts.peers: 192.168.50.2 stands there twice
lab.yaml:4: networks.a.driver_opts.port: "0": want a whole number from 1 to 65535
lab.yaml:4: networks.a.driver_opts.ttl: "x": want a whole number from 1 to 255
lab.yaml:4: networks.a.driver_opts.vni: "16777216": want a whole number from 0 to 16777215
lab.yaml:5: networks.b.driver_opts: local: want this machine's address, as there is no peer from which it would follow
lab.yaml:5: networks.b.driver_opts: vni: want the network's number, from 0 to 16777215, the same on all machines
lab.yaml:7: networks.b.x-uswitch.vxlan.mtu: "9": want a whole number from 68 to 65521
lab.yaml:7: networks.b.x-uswitch.vxlan.vnii: no such key: want one of learning, local, mtu, peers, port, ttl, vni
lab.yaml:9: networks.c.x-uswitch.vxlan: only with driver: vxlan
lab.yaml:13: networks.d.x-uswitch.vxlan.vni: stands in driver_opts as well
lab.yaml:14: services.vx2: the port of network d to other machines is called so: give the service another name`},
		{name: "network modes", file: "services:\n  A: {network_mode: bridged}\n  B: {network_mode: \"service:X\"}\n  C: {network_mode: \"container:\"}\n  D: {network_mode: \"container:E-1\"}\n", want: "lab.yaml:2: services.A.network_mode: \"bridged\": " + modes + "\n" +
			"lab.yaml:3: services.B.network_mode: no such service: want one of A, B, C, D\n" +
			"lab.yaml:4: services.C.network_mode: \"container:\": " + modes + "\n" +
			"lab.yaml:5: services.D.network_mode: no such container: want one of A, B, C, D"},
		{name: "a circle of namespaces", file: "services:\n  A: {network_mode: \"service:B\"}\n  B: {network_mode: \"container:lab-C-1\"}\n  C: {network_mode: \"service:A\"}\n  D: {network_mode: \"service:D\"}\n", want: "lab.yaml:2: services.A.network_mode: a circle: A -> B -> C -> A\n" +
			"lab.yaml:5: services.D.network_mode: a circle: D -> D"},
		{name: "what a namespace of somebody else's excludes", file: "services:\n  A: {}\n  B: {network_mode: \"service:A\", ports: [80], mac_address: 02:00:00:00:00:01, hostname: b, x-uswitch: {netns: b, veth: v1}}\n  C: {network_mode: host, mac_address: 02:00:00:00:00:01, x-uswitch: {netns: c}}\n", want: "lab.yaml:3: services.B.hostname: conflicting options: hostname and the network mode: it is that of A\n" +
			"lab.yaml:3: services.B.mac_address: conflicting options: mac-address and the network mode: B has no interface of its own\n" +
			"lab.yaml:3: services.B.ports: conflicting options: port publishing and the container type network mode: publish them at A\n" +
			"lab.yaml:3: services.B.x-uswitch.netns: network_mode says already which namespace B is in\n" +
			"lab.yaml:3: services.B.x-uswitch.veth: B has no first interface that it could be for\n" +
			"lab.yaml:4: services.C.mac_address: conflicting options: mac-address and the network mode: C has no interface of its own\n" +
			"lab.yaml:4: services.C.x-uswitch.netns: network_mode says already which namespace C is in"},
		{name: "Docker's own bridge", file: "networks: {a: {ipam: {config: [{subnet: 172.17.3.0/24}]}}, docker0: {}}\nservices: {A: {network_mode: bridge}}\n", want: "lab.yaml:1: networks.a.ipam.config: 172.17.3.0/24: Pool overlaps with other one on this address space: network bridge has 172.17.0.0/16\n" +
			"lab.yaml:1: networks.docker0: bridge name docker0 is already used, by network_mode: bridge"},
		{name: "whom to ask, and names of one's own", file: "services:\n  A:\n    dns: [8.8.8.8.8, 0.0.0.0]\n    dns_search: [\"a b\"]\n    dns_opt: [\"\"]\n    extra_hosts: [\"a#=1.2.3.4\", \"b=here\"]\n", want: "lab.yaml:3: services.A.dns: \"0.0.0.0\": want the address of a resolver, as in 8.8.8.8\n" +
			"lab.yaml:3: services.A.dns: \"8.8.8.8.8\": want the address of a resolver, as in 8.8.8.8\n" +
			"lab.yaml:4: services.A.dns_search: \"a b\": want a domain, as in example.com\n" +
			"lab.yaml:5: services.A.dns_opt: \"\": want an option of resolv.conf, as in ndots:2\n" +
			"lab.yaml:6: services.A.extra_hosts: \"a#\": want a host name\n" +
			"lab.yaml:6: services.A.extra_hosts: \"here\": want an address, or host-gateway"},
		{name: "container names", file: "services:\n  A: {container_name: lab-B-1}\n  B: {}\n", want: "lab.yaml:3: services.B: the container name lab-B-1 is already in use, by A"},
		{name: "IPv6", file: "networks:\n  a: {enable_ipv6: true, x-uswitch: {mtu: 1279, ra: maybe}}\n  b: {x-uswitch: {ra: on}}\n  c:\n    enable_ipv6: true\n    ipam:\n      config: [{subnet: \"fd00:1::/48\"}]\n" +
			"  d:\n    enable_ipv6: true\n    ipam:\n      config: [{subnet: \"fd00:2::/64\"}, {subnet: \"fd00:3::/64\"}]\n  e:\n    enable_ipv6: true\n    ipam:\n      config: [{subnet: \"fd00:2::/64\"}]\n" +
			"services:\n  A: {networks: {b: {ipv6_address: \"fd00::5\"}, e: {ipv6_address: \"fd00:9::5\"}}}\n", want: "lab.yaml:2: networks.a.enable_ipv6: mtu 1279: IPv6 wants 1280 bytes at least (RFC 8200 5)\n" +
			"lab.yaml:2: networks.a.x-uswitch.ra: \"maybe\": want off, on or other\n" +
			"lab.yaml:3: networks.b.x-uswitch.ra: the network has no IPv6: want enable_ipv6: true\n" +
			"lab.yaml:7: networks.c.ipam.config: fd00:1::/48: invalid subnet: want /64 to /128\n" +
			"lab.yaml:11: networks.d.ipam.config.1: a second IPv6 subnet: want one for each network\n" +
			"lab.yaml:15: networks.e.ipam.config: fd00:2::/64: Pool overlaps with other one on this address space: network d has fd00:2::/64\n" +
			"lab.yaml:17: services.A.networks.b.ipv6_address: b has no IPv6: want enable_ipv6: true"},
		{name: "network names", file: "networks:\n  a: {name: x, driver_opts: {com.docker.network.bridge.name: c}}\n  b: {name: x}\n  c: {name: bridge}\n  d: {driver_opts: {com.docker.network.bridge.name: gateway}}\nservices: {A: {}}\n", want: "lab.yaml:3: networks.b.name: network with name x already exists: a has it\n" +
			"lab.yaml:4: networks.c: bridge name c is already used, by a\n" +
			"lab.yaml:4: networks.c.name: network with name bridge already exists: Docker itself has it\n" +
			"lab.yaml:5: networks.d.driver_opts.com.docker.network.bridge.name: \"gateway\" means something else to uswitch"},
		{name: "driver_opts", file: "networks:\n  a:\n    driver_opts:\n      com.docker.network.bridge.enable_icc: maybe\n      com.docker.network.bridge.gateway_mode_ipv4: isolated\n      com.docker.network.bridge.host_binding_ipv4: x\n      com.docker.network.bridge.name: a/b\n      com.docker.network.driver.mtu: 9\n  b: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: bridged}}\nservices: {A: {}}\n", want: "lab.yaml:4: networks.a.driver_opts.com.docker.network.bridge.enable_icc: \"maybe\": want \"true\" or \"false\"\n" +
			"lab.yaml:5: networks.a.driver_opts.com.docker.network.bridge.gateway_mode_ipv4: gateway mode 'isolated' can only be used for an internal network\n" +
			"lab.yaml:6: networks.a.driver_opts.com.docker.network.bridge.host_binding_ipv4: \"x\": want an IPv4 address, as in 11.11.11.2\n" +
			"lab.yaml:7: networks.a.driver_opts.com.docker.network.bridge.name: interface name \"a/b\": want letters, digits, '_', '.' and '-', with a letter or a digit first\n" +
			"lab.yaml:8: networks.a.driver_opts.com.docker.network.driver.mtu: \"9\": want a whole number from 68 to 65521\n" +
			"lab.yaml:9: networks.b.driver_opts.com.docker.network.bridge.gateway_mode_ipv4: \"bridged\": want nat, nat-unprotected, routed, isolated"},
		{name: "cables", file: "networks: {a: {}, b: {}}\nservices:\n  A: {networks: {a: {x-uswitch: {veth: v1}}, b: {x-uswitch: {veth: v1}}}}\n  B: {networks: {a: {x-uswitch: {veth: b}}, b: {x-uswitch: {veth: uplink}}}}\n", want: "lab.yaml:3: services.A.networks.b.x-uswitch.veth: \"v1\" is the name of the cable of A already\n" +
			"lab.yaml:4: services.B.networks.a.x-uswitch.veth: \"b\" is the name of a network already\n" +
			"lab.yaml:4: services.B.networks.b.x-uswitch.veth: \"uplink\" means something else to uswitch"},
		{name: "a mode and networks", file: network + "services:\n  A: {network_mode: none, networks: [br0]}\n", want: `lab.yaml:3: services.A.network_mode: network_mode and networks exclude each other`},
		{name: "one namespace twice", file: "services:\n  A: {}\n  B: {x-uswitch: {netns: A}}\n", want: `lab.yaml:3: services.B.x-uswitch.netns: A is the namespace of A already`},
		{name: "interface names", file: "networks: {a: {}, b: {}}\nservices:\n  RED:\n    networks:\n      a: {interface_name: lan0}\n      b: {interface_name: lan0}\n  BLUE: {networks: {a: {interface_name: lo}, b: {interface_name: sixteen-letters-}}}\n", want: "lab.yaml:6: services.RED.networks.b.interface_name: \"lan0\" is the name of another interface of RED\n" +
			"lab.yaml:7: services.BLUE.networks.a.interface_name: interface name \"lo\": the kernel uses this name itself\n" +
			"lab.yaml:7: services.BLUE.networks.b.interface_name: interface name \"sixteen-letters-\"... is 16 bytes long: want at most 15"},

		{name: "dependencies", file: "services:\n  A: {depends_on: [B]}\n  B: {depends_on: [C]}\n  C: {depends_on: [B, X]}\n", want: "lab.yaml:3: services.B.depends_on: a circle: B -> C -> B\n" +
			"lab.yaml:4: services.C.depends_on.X: no such service: want one of A, B, C"},
		{name: "commands", file: "services:\n  A: {command: \"ping x && ping y\"}\n  B: {command: \"echo 'a\"}\n", want: "lab.yaml:2: services.A.command: '&' is for a shell, and there is none: want [sh, -c, '...'], or quotes around it\n" +
			"lab.yaml:3: services.B.command: the quote '\\'' is not closed"},
		{name: "zero bytes", file: "services:\n  A: {command: [\"a\\0\"], working_dir: \"\\0\", environment: [\"A=\\0\"]}\n", want: "lab.yaml:2: services.A.command: want a program's name first, and no zero bytes\n" +
			"lab.yaml:2: services.A.environment: \"A\": want NAME=value, without zero bytes\n" +
			"lab.yaml:2: services.A.working_dir: want a path without zero bytes"},

		{name: "ports", file: "services:\n  A:\n    ports:\n      - 65536\n      - \"8080:0\"\n      - \"1-3:1-2\"\n      - \"80/sctp\"\n      - \"[::ffff:127.0.0.1]:80:80\"\n      - \"1-99999:1-99999\"\n      - \"80:80:80:80\"\n      - {published: 80}\n      - {target: 80, published: 9-8}\n      - {target: 80, published: x}\n", want: "lab.yaml:4: services.A.ports.0: \"65536\": " + portForms + "\n" +
			"lab.yaml:5: services.A.ports.1: \"8080:0\": target \"0\": want a port from 1 to 65535\n" +
			"lab.yaml:6: services.A.ports.2: \"1-3:1-2\": " + portForms + "\n" +
			"lab.yaml:7: services.A.ports.3: \"80/sctp\": protocol \"sctp\": want tcp or udp\n" +
			"lab.yaml:8: services.A.ports.4: \"[::ffff:127.0.0.1]:80:80\": host_ip \"::ffff:127.0.0.1\": want an address, as in 127.0.0.1 or ::1\n" +
			"lab.yaml:9: services.A.ports.5: \"1-99999:1-99999\": a range of more than 65535 ports\n" +
			"lab.yaml:10: services.A.ports.6: \"80:80:80:80\": " + portForms + "\n" +
			"lab.yaml:11: services.A.ports.7: target \"\": want a port from 1 to 65535\n" +
			"lab.yaml:12: services.A.ports.8: published \"8\": want a port from 9 to 65535\n" +
			"lab.yaml:13: services.A.ports.9: published \"x\": want a port from 0 to 65535"},
		{name: "one port twice", file: "services:\n  A: {ports: [\"8080:80\", \"8081:80\"]}\n  B:\n    ports:\n      - \"8080:80\"\n      - \"127.0.0.1:8081:80\"\n      - \"8080:80/udp\"\n", want: "lab.yaml:5: services.B.ports.0: Bind for 0.0.0.0:8080 failed: port is already allocated: A publishes 0.0.0.0:8080/tcp\n" +
			"lab.yaml:6: services.B.ports.1: Bind for 127.0.0.1:8081 failed: port is already allocated: A publishes 0.0.0.0:8081/tcp"},

		{name: "an uplink of another kind", file: "services: {A: {}}\nx-uswitch: {uplink: wifi}\n", want: `lab.yaml:2: x-uswitch.uplink: uplink "wifi": want none, host, sim or netns:NAME`},
		{name: "a gateway elsewhere", file: "services: {A: {}}\nx-uswitch:\n  uplink:\n    netns: wan\n    address: 192.0.2.2/24\n    gateway: 192.0.3.1\n", want: `lab.yaml:6: x-uswitch.uplink.gateway: want another station's address in 192.0.2.0/24`},
		{name: "the uplink's network inside", file: network + "services: {A: {}}\nx-uswitch: {uplink: {netns: wan, address: 11.11.11.5/28, gateway: 11.11.11.6}}\n", want: `lab.yaml:1: networks.br0.ipam.config: 11.11.11.0/24: Pool overlaps with other one on this address space: the uplink has 11.11.11.0/28`},
		{name: "an internet in memory and a namespace", file: "services: {A: {}}\nx-uswitch:\n  uplink: {sim: eth0, netns: wan, address: 10.0.2.15/24, gateway: 10.0.2.2}\n", want: `lab.yaml:3: x-uswitch.uplink.sim: want one of sim and netns`},
		{name: "IPv6 of an internet in memory", file: "services: {A: {}}\nx-uswitch:\n  uplink: {sim: eth0, address: 10.0.2.15/24, gateway: 10.0.2.2, address6: \"2001:db8::2/64\", gateway6: \"2001:db8::1\"}\n", want: `lab.yaml:3: x-uswitch.uplink.address6: goes with netns only: sim has addresses of its own`},
		{name: "IPv6 of a namespace without a router", file: "services: {A: {}}\nx-uswitch:\n  uplink: {netns: wan, address: 10.0.2.15/24, gateway: 10.0.2.2, address6: \"2001:db8::2/64\", gateway6: \"2001:db9::1\"}\n", want: `lab.yaml:3: x-uswitch.uplink.gateway6: want another station's address in 2001:db8::/64`},
		{name: "ports of a namespace here", file: "services: {A: {}}\nx-uswitch:\n  uplink: {netns: wan, address: 10.0.2.15/24, gateway: 10.0.2.2, publish_here: true}\n", want: `lab.yaml:3: x-uswitch.uplink.publish_here: goes with sim only: what is published on a namespace is open there`},
		{name: "a kind of network", file: "networks: {br0: {x-uswitch: {kind: tunnel}}}\nservices: {A: {}}\n", want: `lab.yaml:1: networks.br0.x-uswitch.kind: "tunnel": want interface, or nothing for a network`},
		{name: "the uplink of the options", file: "services: {A: {}}\n", opts: plan.LoadOptions{Uplink: "wifi"}, want: `lab.yaml: uplink "wifi": want none, host, sim or netns:NAME`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := plan.Parse("lab.yaml", []byte(test.file), test.opts)
			if err == nil {
				t.Fatalf("no mistake found, and the plan %+v", p)
			}
			if got := err.Error(); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			var first *plan.Mistake
			if !errors.As(err, &first) || first.File != "lab.yaml" {
				t.Errorf("the first mistake is %+v, want one of lab.yaml", first)
			}
		})
	}
}

const (
	actsOnService = "no such key: uswitch acts on cap_add, cap_drop, command, container_name, depends_on, deploy, dns, dns_opt, dns_search, entrypoint, env_file, environment, extra_hosts, group_add, hostname, links, mac_address, network_mode, networks, ports, privileged, profiles, read_only, scale, security_opt, sysctls, ulimits, user, working_dir, x-uswitch"
	modes         = "want bridge, none, host, service:NAME or container:NAME, or networks in its place"
	portForms     = "want [[HOST_IP:]HOST_PORT:]PORT[/tcp|udp], as in 127.0.0.1:8080:80, or a mapping with target and published"
)

// bomb is a file of a few hundred bytes that would be ten to the ninth values.
func bomb() string {
	var b strings.Builder
	b.WriteString("x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 8 {
		digit := string(rune('0' + i))
		next := string(rune('1' + i))
		b.WriteString("x-" + next + ": &a" + next + " [" + strings.Repeat("*a"+digit+", ", 9) + "*a" + digit + "]\n")
	}
	return b.String() + "services: {RED: {}}\n"
}

// TestManyMistakes bounds what a hopeless file makes a person read.
func TestManyMistakes(t *testing.T) {
	_, err := plan.Parse("lab.yaml", []byte("services:\n"+strings.Repeat("  \"\": {}\n", 30_000)), plan.LoadOptions{})
	if err == nil {
		t.Fatal("no mistake found")
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines > 60 {
		t.Errorf("%d lines of mistakes", lines)
	}
}
