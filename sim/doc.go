// Package sim is a lab in memory: simulated hosts, cables and an internet around the switch and the gateway of a real lab. It
// needs no privileges and no network, runs on every system that Go runs on, and in virtual time gives the same output on every
// run, to the byte.
//
//	Call      Call      programs, handed in by name: tasks of the         a Clock or a Loop:
//	   |         |      Loop, which take turns                            everything happens on it,
//	Sockets Sockets  Conn, Listener, Datagrams                            one thing at a time
//	   |         |
//	Machine   Machine                                  Machine   Machine   Machine
//	   |         |        what a computer does          8.8.8.8   1.1.1.1   example.com
//	  Host      Host      with IP, UDP, TCP                |         |         |
//	   |         |                                         +----+----+---------+
//	  Wire      Wire      latency, loss                         |
//	   |         |                                            router
//	===+=========+===     vswitch.Switch, the real one          |
//	        |                                                 router
//	   nat.Gateway ---- Station, its own sockets                |
//	        +--------------- Internet, a nat.Uplink ------------+
//
// A lab (package world) is on a Loop, whose time is virtual or this machine's: see there. Its hosts are Namespaces, as package tap has
// them for real ones:
//
//	tap.Host.Create   Namespace with its Host
//	tap.Host.Open     NIC, with a Wire whose other end is the Device that the switch's port is given
//	tap.Host.Start    Call of a Program
//
// An interface with IPv6 makes itself addresses, asks for routers and tells which groups it hears (inet6.go, nd.go); its neighbours stand
// in the one table of both families.
//
// Everything of them is on the Loop, and needs no lock against the rest of it. A frame from a host is brought to the switch's port there
// (Device.Push); one for a host is an event. What a program prints, and what it reads, waits outside of the Loop, so that a terminal
// that nobody reads holds up the program alone. With no packet on its way nothing runs at all. Chance comes from a seed. There is no
// wall clock, no map order and no goroutine behind what can be seen.
//
// A World is a copy of a lab, real or simulated, in which a question is tried out (Fork; package explain). One goroutine runs it: its
// Clock holds everything that will happen, and each step does the next thing and moves time to when that is due.
//
// The txtar files in testdata are labs with a story: a lab file, what somebody types while the lab is up in memory, and what must
// come of it. They are this repository's worked examples as much as its tests (test/stories_test.go).
package sim
