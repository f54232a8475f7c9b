// Package rootless gives a lab on real network interfaces to somebody who is not root: the lab's process runs in a user namespace and
// a mount namespace of its own, in which it has every capability over what it makes - network namespaces, interfaces, mounts - and
// none over the machine.
//
//	the person's process               the lab's process
//	  Start     ---- clone(2) ---->      user namespace: 0 is the person
//	  streams, signals, the end          mount namespace: a tmpfs on DIR/inside
//	                                     network: the machine's, for the uplink and published ports
//
// The network stays the machine's own, so that the way out and published ports are those of the person's own sockets.
//
// Each lab has namespaces of its own. What the lab writes down about them, and their names, stand in the tmpfs, which nobody
// else sees and which goes with the last process in there. So a lab that was killed leaves nothing but programs that have let go
// of it (EndLeft finds them), and its socket, lock and log, as every lab does.
//
// A process of the person's gets there with Enter.
package rootless

// InsideName is the directory, below the user's for labs, in which each lab has a tmpfs that nobody else sees.
const InsideName = "inside"
