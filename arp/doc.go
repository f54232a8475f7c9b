// Package arp is the neighbour table of one network, and what a station does with an ARP packet (RFC 826, RFC 5227,
// RFC 1122 2.3.2, RFC 1812 3.3.2). It is pure: packets and the time go in, decisions come out, and the caller does the
// sending.
//
// The states are the kernel's (NUD), and so are the times:
//
//	            Hold                      answer                   30 s
//	(absent) ----------> Incomplete ------------------> Reachable -------> Stale
//	                         |                              ^                | Resolve
//	                         | 3 questions, 1 s apart       | answer         v
//	                         v                              |   5 s        Delay
//	                      Failed <--- 3 questions, 1 s --- Probe <-----------+
//
// Packets that wait for an answer are held in the table, and come back with the answer or with the failure. The type
// parameter says what is held. Every method may be called from many goroutines; nothing is called while the lock is held.
package arp
