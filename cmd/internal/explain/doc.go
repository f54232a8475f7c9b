// Package explain answers questions about a lab without sending anything in it: what becomes of a packet and why (Explain),
// what has to change for it to come through (WhyNot), and who reaches whom (Reach).
//
//	live lab --- Fork ---> a world of its own, with the very same path functions and the same knowledge
//	                         |  one question goes in: a ping, a TCP SYN, a UDP datagram
//	                         v
//	                       the steps that the tracer tells of, sorted into phases; what the hosts do is added from
//	                       their state, since no switch sees it
//
// Every question forks the lab anew and throws the fork away. The lab is only read: no counter, table or timer of it
// changes. Proposals are tried on such a fork before they are made.
//
// Where a packet can really be sent from inside a host, that decides: a Follower finds it in the live trace, Sent is what became
// of it, and Settle puts it beside the prediction. Who sends is not this package's business.
//
// A Lab is plain data around the live switches and the live gateway, so that a real lab and a simulated one can be asked
// alike.
package explain
