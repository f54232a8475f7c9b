// Package server answers on a lab's control socket: each path that package api lists is a handler here, which reads the
// running world, or changes it, and answers in api's types.
//
//	       socket (0600)      guard           checked           ServeMux            a handler
//	client ----------> Listen ----> who is it? ----> which version ----> GET /v1/fdb ----> fdb: world -> []api.FDBEntry
//	                   sparing      SO_PEERCRED      how large           GET /v1/trace --> stream: a ring of its own
//	                                                                     /v1/docker/ ----> docker/engine
//
// The socket is the user's alone (0600 in a directory of 0700), and who connects is asked for by SO_PEERCRED besides: the
// same user or root. Requests are bounded in size, time and number, so that a client that sends half of one, or far too
// much, harms nobody. What streams never holds up the lab: each listener has a bounded queue of its own.
package server
