// Package engine is Docker's daemon as far as networks show it: containers and networks, their names, ids, addresses and
// states. It lives in the process that runs a lab and works on that lab.
//
//	docker run --> Handler --> Create  a configuration, a name, an id          created
//	                           Start   addresses, a host in the lab, ports,
//	                                   the command                             running
//	                           the command's end, or Stop: all of that undone  exited
//	                           Remove                                          gone
//
// A container is a host of the lab while it runs, under its own name, and nothing but a note while it does not: as in
// Docker, its namespace, its cable and its address end with its command, and the next container gets the lowest address
// that is free. Hosts that the lab has besides - the services of a Compose file - are containers too, which the lab starts
// and ends.
//
// No image is used. A command is a program of this machine; package image says which one stands in for an image that is
// asked to run without one.
//
// An Engine is safe for concurrent use. Its errors are an *Error with Docker's words and HTTP status.
package engine
