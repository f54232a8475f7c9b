// Package lab reads a lab - a Compose file - into a [Plan]: networks, hosts, addresses, published ports, the way out.
//
// The package is pure. It reads the lab file and nothing else: no namespace, device, route, environment variable or clock
// is looked at, and what the file system or the machine has to say comes in as [LoadOptions]. The same file and the same
// options give the same plan, so a plan can be printed, compared and kept in a test.
//
// # From text to plan
//
//	read.go       the bytes, from a built-in lab or a file
//	source.go     YAML nodes, which know their lines; what YAML allows and a lab does not (aliases without end, keys twice)
//	variables.go  ${VAR:-default}
//	schema.go     Compose's own schema: misspelt keys, wrong types
//	extension.go  x-uswitch, decoded strictly
//	compose.go    the keys that uswitch acts on, through compose-go's loader
//	networks.go, hosts.go, ports.go, uplink.go
//	              the plan, with every address given out
//
// Each stage collects all the mistakes it can find, with the line and the key of each, and a later stage runs only when
// the earlier ones found none. Nothing is half valid: either there is a plan, or there is a list of mistakes.
//
// # What is uswitch's own
//
// A lab file is a Compose file that docker compose would read too. What only uswitch knows stands under x-uswitch: on the
// top level, on a network, on a service, and on a service's attachment to a network. [Keys] lists it.
package lab
