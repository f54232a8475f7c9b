// Package api is what is said on a lab's control socket, and who says it: the types of all requests and answers, plain
// structs with their JSON names, and the client. It is all that a tool needs to know of a lab that is up.
//
//	uswitch show fdb -->  Find  -->  Client  -->  /run/uswitch/red-blue.sock  -->  control/server  -->  the world
//	                      the labs   HTTP and JSON
//	                      that are up
//	curl --unix-socket /run/uswitch/red-blue.sock http://uswitch/v1/fdb
//
// Beside its socket a lab has its lock (lock.go), which says whose process it is while it comes up and goes, and both are
// in the user's Directory. InProcess is a Client without a socket.
//
// Endpoints lists all that can be asked; a lab tells it as OpenAPI, with the types, at GET /v1/openapi.json. Below /v1/docker it
// answers Docker's Engine API, as far as package engine goes.
//
// An answer that is no success has a JSON object with the key error, one sentence, and a fitting HTTP status. Every answer
// carries the header Uswitch-Api; a client that speaks another version says so instead of guessing.
package api
