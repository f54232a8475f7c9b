// Package docker is the wing of Docker's words: what `uswitch docker` says, and what Docker's own client can be told to talk to.
//
//	uswitch docker run --> client --+                                    +--> world: hosts, networks, ports, commands
//	                                +--> /v1/docker/... --> engine ------+
//	docker (DOCKER_HOST=...) -------+          types            |
//	                                                            +--> image: which program stands in for an image
//
// compose makes what a Compose project is of, by client: uswitch docker compose. types is what both sides say to each other, under Docker's own names; client knows these and control/api, and no engine.
package docker
