//go:build linux

// Command bench measures uswitch beside what it is compared with, in one run on one machine: subjects take turns, round
// after round, so that drift meets all of them, and what is judged is the median of the ratios within the rounds. Absolute
// numbers say something about the machine only.
//
//	go run ./test/bench [-quick] [-only TEXT] [-rounds N] [-time D] [-out DIR]
//
// There are two scenes, each of two namespaces that the command makes and removes itself:
//
//	namespace A                                         namespace B
//	iperf3, sockperf -- eth0 --- the subject --- eth0 -- iperf3, sockperf             (l2.go)
//
//	namespace INSIDE                                    namespace OUTSIDE, whose sockets the subject uses
//	iperf3, load -- its interface --- the subject ---------- iperf3, load                  (nat.go, publish.go)
//
//	The same with more and more open connections, rules and hosts shows what grows with them (growth.go).
//
//	With a rootless lab in between, INSIDE, A and B are namespaces that the lab has made (rootless.go).
//
//	A third namespace sends without end while two are measured: beside the kernel's bridge, with the same sender (flood.go).
//
// A subject is whatever carries the bytes between the two: the uswitch command with a lab of its own, a bare cable (a loop
// that reads one TAP and writes the other: the most that any switch over the same interfaces can reach), the kernel, and the
// peers, one file each. A chapter is subjects and cells that belong together, with the goals that are set for them.
//
// What is not installed is named and left out; `make bench` installs what the distribution has.
package main
