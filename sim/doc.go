// Package sim is a world in memory: the switch and the gateway of a real lab, with simulated hosts, cables and an internet
// around them. It needs no privileges and no network, runs on every system that Go runs on, and gives the same output on
// every run, to the byte.
//
//	Machine   Machine                                  Machine   Machine   Machine
//	   |         |        what a computer does          8.8.8.8   1.1.1.1   example.com
//	  Host      Host      with IP, UDP, TCP                |         |         |
//	   |         |                                         +----+----+---------+
//	  Wire      Wire      latency, loss                         |
//	   |         |                                            router
//	===+=========+===     vswitch.Switch, the real one          |
//	        |                                                 router
//	   nat.Gateway        the real one                          |
//	        +--------------- Internet, a nat.Uplink ------------+
//
// A World is built from a Topology. One goroutine runs it: its Clock holds everything that will happen, and each step
// does the next thing and moves time to when that is due. Chance comes from a seed. There is no wall clock, no map order
// and no goroutine behind what can be seen.
//
// Scenarios, the txtar files in testdata, are worlds with a story: a topology, what somebody types, and what must come
// of it. They are this repository's worked examples as much as its tests.
//
// Parts of a World serve labs of real time too, on a RealTime in place of a Clock: the Internet as the uplink called sim, and
// Hosts with their Wires as the hosts of a lab that lives in memory (cmd/internal/simhost).
package sim
