// Package world turns a lab's plan into a running world, and changes it while it runs: namespaces with network interfaces,
// switches, a gateway with its rules, a way out, and the programs of the hosts.
//
//	plan.Plan --> New --> Up ----------------------------------> Run -----------> Down
//	             pure    namespaces, interfaces, ports, published     the hosts'       everything that was made, in reverse,
//	                     ports; half-way failures are undone     commands         however far it came
//	                                                              |
//	            AddNetwork AddHost Connect Publish StartHost  <---+   while it is up, from any goroutine
//	            RemoveNetwork RemoveHost Disconnect Unpublish StopHost
//
// New makes what needs no privileges: switches, the gateway, its rules. Up asks a tap.Host for what does. Each step that
// makes something leaves behind how to unmake it (cleanup.go), so that there is one way down from everywhere: a network, a
// host and an interface each have a cleanup stack of their own, and can go in any order. Hosts are made many at a time, and unmade
// likewise (parallel.go); what can be seen of it - the order of hosts and ports, lines, errors - is as if they were not.
//
// What a world waits for, it waits for by its Clock (clock.go). Where hosts are simulated that is a sim.Loop, on which frames, programs
// and commands take turns, and whose time may be virtual:
//
//	Up, and each change      held: nothing runs before all of it is done
//	Run                      attended: time jumps from one thing to the next, until the commands have ended, and a second more
//	Stay                     time stands still, but while a program that was started by Exec, or a question, is waited for
//
// A World is used from many goroutines: the ports', the commands', and those that answer the control socket. There is one
// change at a time; one that fails has unmade what it had made. Readers look at a snapshot (snapshot.go) that never changes:
// what Plan, Networks, Hosts and Published return belongs to one moment, and so does a Host or a Network. What is not in the
// snapshot - the rules, the stations that a switch has learned - is read from the switches and the gateway themselves.
package world
