// Package types holds what the docker command and the engine say to each other: the bodies of Docker's Engine API (version
// 1.50, that of Docker 28) as far as they concern networks, under Docker's own names and in Docker's order. What
// `docker inspect` prints is one of these, laid out. A field that says nothing here is left out, not invented.
package types
