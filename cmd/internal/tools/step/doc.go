// Package step shows packets one step at a time: those that are paused in a lab that is up, and finished journeys, back and
// forth.
//
//	GET /v1/step, POST /v1/step --> Run    --> keys: n, c, q    one hop on, let it run, let all go
//	GET /v1/journey or a file   --> Replay --> keys: n, p, q    one hop on, one back
//
// At each stop there is the trace's own sentence, the frame as tcpdump prints it, what the packet has changed in the tables
// and what has changed in the packet, and the rows that will be looked at next, each as the tool prints it that people know
// the table by:
//
//	RED      ingress      02:42:0b:0b:0b:02 > 02:42:0b:0b:0b:03
//	         packet       02:42:0b:0b:0b:02 > 02:42:0b:0b:0b:03, ethertype IPv4 (0x0800), length 98: 11.11.11.2 > 11.11.11.3: ...
//	         + ports      RED from the host: 8 packets, was 7
//	         ? fdb        02:42:0b:0b:0b:03 dev BLUE master br0
package step
