// Package simhost is a tap.Host in memory: namespaces are simulated hosts, cards are the ends of simulated cables, and
// programs are small ones of its own, so that a whole lab lives without privileges, on every system that Go runs on.
//
//	tap.Host.Create   sim.Host     a machine with IP, UDP, TCP and ARP of its own
//	tap.Host.Open     sim.Card     with a sim.Wire, whose other end is the Device that the switch's port reads
//	tap.Host.Start    process      ping, curl, ip ...: see Programs
//
// # One thing at a time
//
// Everything of the simulated hosts runs on a sim.Loop: nothing there needs a lock. A program is a task of it, which takes turns with
// all else: where it waits (call.there, sim.Conn, call.sleep), it lets others run. So it must not start goroutines, nor call what
// does: curl and serve speak HTTP themselves, and the shell has pipes and background commands of its own (pipeline.go). What a
// program prints, and what it reads, waits outside of the Loop, so that a terminal that nobody reads holds up the program alone.
//
// A frame from a host is brought to the switch's port on the Loop (Device.Push); one for a host is an event there.
//
// With no packet on its way nothing runs at all.
package simhost
