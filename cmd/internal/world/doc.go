// Package world turns a lab's plan into a running world, and changes it while it runs: namespaces with network cards,
// switches, a gateway with its rules, a way out, and the programs of the hosts.
//
//	lab.Plan --> New --> Up ----------------------------------> Run -----------> Down
//	             pure    namespaces, cards, ports, published     the hosts'       everything that Up has made, in reverse,
//	                     ports; half-way failures are undone     commands         however far it came
//
// New makes what needs no privileges: switches, the gateway, its rules. Up asks a tap.Host for what does. Each step that
// makes something leaves behind how to unmake it (undo.go), so that there is one way down from everywhere.
//
// A World is used from many goroutines: the ports', the commands', and those that answer the control socket. The plan
// says what was asked for and does not change; what can change is read from the switches and the gateway themselves.
package world
