// Command bench measures uswitch beside what it is compared with, in one run on one machine: subjects take turns, round
// after round, so that drift meets all of them, and medians are printed with ratios. Absolute numbers say something about
// the machine only; ratios say something about the switch.
//
//	namespace A                                         namespace B
//	iperf3, sockperf -- eth0 --- the subject --- eth0 -- iperf3, sockperf
//
// A subject is whatever carries frames between the two: a bare cable (a loop that reads one TAP and writes the other, the
// most that any switch over the same TAPs can reach), a uswitch, the kernel's bridge. Everything happens in namespaces
// that the command makes and removes itself.
package main
