// Package watch is a lab on one screen: the hosts and switches drawn, a table beside them, the journeys of packets below,
// and keys to pause packets and let them go on one hop at a time.
//
//	+- the lab, and what the screen does at the moment -----+
//	| RED  11.11.11.2 --+                | [fdb] neigh ...  |   draw.go, tables.go: GET /v1/fdb and the like
//	| BLUE 11.11.11.3 --+-- br0 -- ...   | ...              |
//	+-------------------------------------------------------+
//	| #1  RED > BLUE   ICMP echo request, ...               |   feed.go: GET /v1/trace, GET /v1/step
//	|     RED      ingress      ...                         |
//	+- keys ------------------------------------------------+
//
// The screen is bubbletea's (charm.land/bubbletea): a model that messages change, and a view that is a function of it. So
// every screen can be tested as text, without a terminal; and as nothing is said by colour alone, what NO_COLOR leaves is
// enough. Everything comes through the control socket, and nothing waits for the screen: a lab does not notice it, but for
// the packets that it is asked to pause.
package watch
