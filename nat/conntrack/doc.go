// Package conntrack is the connection table, after the kernel's nf_conntrack: tuples, states, timeouts, the choice of ports,
// and who has to go when it is full. It knows neither hooks nor rules.
//
// A connection is two tuples: what its originator sends, and what the answers look like when they arrive, which after
// translation is not simply the reverse:
//
//	original   11.11.11.2:1818 > 8.8.8.8:53            as RED sends it
//	reply      8.8.8.8:53 > 192.168.104.2:41077        as the answer comes back
//
// Everything that translation does follows from the pair: a packet that matches one tuple leaves as the other one
// reversed. That is how the answer finds RED.
//
// The first packet of a connection passes twice: Track finds nothing and begins one, which is nobody else's yet; what the
// rules decide is written into it (SetDestination, Masquerade); Confirm enters it, or Abandon gives back what it has
// reserved. Time is an argument, and every method may be called from many goroutines.
package conntrack
