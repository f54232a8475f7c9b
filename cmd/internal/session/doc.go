// Package session is one `uswitch run`, from the first check to the last thing unmade: what the person sees of a lab while
// it is up.
//
//	stdout   RED | 64 bytes from 11.11.11.3 ...        the hosts' output, a line at a time
//	         #3  RED > BLUE  ICMP echo request ...     the trace between them, a journey at a time
//	stderr   RED: unplugged: ...                       what changed without having been asked for
//
//	Check     is there what it takes?          LAB.lock
//	  |       whose lab is it?                     |
//	Reclaim   what a killed run has left           |
//	  |                                            |
//	world.New --> listen (trace, --pcap) --> Up --> serve (LAB.sock) --> Run, or Beside --> Down
//	                                                control/server
//
// A lab in memory (--sim) is the same run on another tap.Host: simulated hosts in place of namespaces. One that ends by itself, or
// is there for a command or a lesson, is in virtual time, and prints the same every time (virtual.go).
//
// SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) end the lab in order: commands first, then everything
// that was made, in reverse. A second signal ends the process at once; the next run of the lab, or `uswitch cleanup`,
// removes what that leaves behind. When nobody reads the output any more, the lab ends as if it had been asked to.
//
// Background starts such a run as a process of its own, with a log in place of the screen; Apply, Logs and Stop talk to a lab
// that is up, wherever it runs.
package session
