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
//	      Track: tuple -> halves -> Conn                Sweep
//	                        |                             |
//	+---------------+-------+-------+---------------+     |
//	| mapping       | tcp           | eviction      | expiry
//	| one outside   | states, what  | who has to go | a wheel of seconds:
//	| port for each | a RST is      | when the table| what is due, and
//	| inside end    | believed      | is full: O(1) | nothing else
//
// Each file uses what stands below it and nothing above it:
//
//	flush   fork                               removing what matches; a copy to try something on
//	table                                      Track, Confirm, Sweep
//	eviction   expiry   mapping   rows         the parts drawn above; what people see of a table
//	list                                       queues and ranks in constant time; counts for connlimit
//	tcp                                        what is read of a packet, and how far TCP has come
//	conn                                       a connection
//
// The table has one lock, held for one connection's work: no method looks at all of them with it. Tuples hold addresses as
// frame.Addr, 16 bytes for either family.
//
// The first packet of a connection passes twice: Track finds nothing and begins one, which is nobody else's yet; what the
// rules decide is written into it (SetDestination, Masquerade); Confirm enters it, or Abandon gives back what it has
// reserved. Time is an argument, and every method may be called from many goroutines.
package conntrack
