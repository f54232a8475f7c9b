// Package simhost is a tap.Host in memory: namespaces are simulated hosts, cards are the ends of simulated cables, and
// programs are small ones of its own, so that a whole lab lives without privileges, on every system that Go runs on.
//
//	tap.Host.Create   sim.Host     a machine with IP, UDP, TCP and ARP of its own
//	tap.Host.Open     sim.Card     with a sim.Wire, whose other end is the Device that the switch's port reads
//	tap.Host.Start    process      ping, curl, ip ...: see Programs
//
// # Goroutines
//
// Everything of the simulated hosts runs on one goroutine, that of a sim.RealTime: nothing there needs a lock, and nothing
// there waits. A switch's port lives on its own goroutine and meets the cable in two queues; a program has a goroutine of
// its own too, and goes over to the hosts' (Host.do) for each thing that it does there, as a system call does. What a
// program prints goes through a queue (output), so that a terminal that nobody reads holds up the program alone.
//
// With no packet on its way nothing runs at all.
package simhost
