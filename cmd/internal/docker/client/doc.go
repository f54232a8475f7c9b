// Package client is what the docker command does beyond its flags: it says to the engine of a lab what docker says to its
// daemon, and ends as docker does.
//
//	flags --> Options.Request --> types.CreateRequest --> Client --> the lab's control socket, /v1/docker/... --> engine
//
// Without a lab that is up there is still a machine with Docker: its networks can be listed, and the first container
// begins the lab.
package client
