// Package plan reads a lab - a Compose file - into a [Plan]: networks, hosts, addresses, published ports, the way out.
//
// The package is pure. It reads the lab file, the .env beside it, the files that these name (include, extends, env_file) or that
// the options do, and nothing else: no namespace, device, route, environment variable or clock
// is looked at, and what the file system or the machine has to say comes in as [LoadOptions]. The same file and the same
// options give the same plan, so a plan can be printed, compared and kept in a test.
//
//	hello.yaml, .env         +--> Plan --> world         a lab that runs
//	LoadOptions  --> Load ---+      |----> dockerhost    what Docker would have put on a machine: uswitch compare
//	                         |      |----> firewall      its rules, in Docker's order
//	                         |      +----> JSON          /v1/plan, and back with Keep: uswitch apply
//	                         +--> Mistakes               all of them, with line and key
//
// # From text to plan
//
//	load.go             the bytes, from a built-in lab or a file
//	merge.go            several files as one, as compose-go merges them, each key with its place
//	source.go, tree.go  YAML nodes, which know their lines; what YAML allows and a lab does not (keys twice, endless aliases)
//	variables.go        ${VAR:-default}
//	name.go, schema.go  names, and Compose's own schema: misspelt keys, wrong types
//	scale.go            services of several hosts
//	compose.go          the keys that uswitch acts on, through compose-go's loader; a warning for the others
//	build.go            from here on, the plan, with every address given out:
//	  uplink.go           the way out
//	  networks.go         subnets, gateways, settings, what they are called; options.go what Docker's options say
//	  hosts.go            commands, interfaces, published ports, in the order in which hosts start; mode.go whose namespace
//
// Each stage collects all the mistakes it can find, with the line and the key of each, and building begins only when
// reading found none. Nothing is half valid: either there is a plan, or there is a list of mistakes.
//
// # What is uswitch's own
//
// A lab file is a Compose file that docker compose would read too. What only uswitch knows stands under x-uswitch, and
// there alone an unknown key is never passed over:
//
//	top level    uplink, rules, docker_rules, iptables_words, docker0, allow_host, ip_forward, keep_up, checks
//	a network    kind, gateway, gateway_mac, mtu, masquerade, ageing_time, fdb_max_learned, group_fwd_mask, fdb, and what an attachment has, for all ports
//	a service    netns, passive, veth
//	its attachment to a network (services.RED.networks.br0)
//	             mtu, veth, learning, flood, mcast_flood, bcast_flood, isolated, ra_guard, nd_guard, dhcp_guard,
//	             storm_limit
//
// checks are what must hold, for uswitch check; checks.go has their keys.
//
// docker_rules chooses whose rules are generated: 20.10, which is that Docker's, classic, Docker 28's and the default, 29, or
// off: uswitch's own, which are few. iptables_words is the iptables whose words they are listed in: 1.8.9, or 1.8.7. docker0: true makes Docker's own bridge for those who will come later; where a service has
// network_mode: bridge, it is there anyway.
package plan
