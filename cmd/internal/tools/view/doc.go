// Package view sets the tables that people know: bridge fdb, ip neigh, ip route, conntrack, and uswitch's own in the same
// spirit. It renders the control socket's structures and nothing else; the same structures give the same text.
package view
