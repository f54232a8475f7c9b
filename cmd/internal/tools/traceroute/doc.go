// Package traceroute finds the routers on the way to an address, from the gateway of a lab, and prints them as traceroute does:
// each packet may live for a few hops only, and the router at which it ends says so (RFC 792, time exceeded).
package traceroute
