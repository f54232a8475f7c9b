// Package simhost has the programs of simulated hosts: ping, curl, ip, nc, dig, sh and others, each as far as it makes sense there. New
// and NewVirtual hand them to package sim, whose Namespaces run them.
//
//	tap.Host.Start    sim.Call     a program by its name, in a sim.Namespace
//	                   |
//	programs           +--> runPing, runCurl, runShell ...     what they do: words, options, exit statuses
//	                   |
//	the host's own     +--> sim.Machine, sim.Sockets, sim.NIC what they do it with
//
// A program is a task of the Loop, which takes turns with all else: where it waits (There, sim.Conn, sleep), it lets others run. So it
// must not start goroutines, nor call what does: curl and serve speak HTTP themselves, and the shell has pipes and background commands
// of its own (pipeline.go).
package simhost
