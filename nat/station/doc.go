// Package station gives programs of the gateway the sockets that Go programs know: net.Listener and net.Conn. Behind them is
// gVisor's netstack (package netstack), with the gateway at the other end of its cable.
//
//	net.Listener, net.Conn
//	        |
//	 netstack.Stack     TCP, UDP
//	        |  --- Send ----> Gateway.Originate   OUTPUT, routes, translation, the trace: as for any packet
//	        +--<-- Deliver -- Gateway.Open        what ends at the gateway, on a port that was opened here
//
// What such a program sends is a packet of the gateway's own, in the trace and for the rules. Its addresses are the
// gateway's: netstack has none and takes every packet that is handed to it for its own.
//
// A program that answers datagrams from bytes alone needs none of this: it is a nat.Socket itself, as quick and as
// repeatable as the gateway.
package station
