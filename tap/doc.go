// Package tap is the way to the kernel: it makes network namespaces and puts interfaces (TAP devices) into them, whose
// cable ends in this process.
//
//	 namespace RED                                  this process
//	┌─────────────────────────────┐
//	│ ping ── kernel's IP ── eth0 ├── /dev/net/tun ── Device.Read, Device.Write
//	└─────────────────────────────┘
//
// Everything that needs privileges stands behind one interface, Host, so that a helper process can do it one day for a
// person who has none. New returns the implementation that does it here and now; it needs CAP_SYS_ADMIN and
// CAP_NET_ADMIN, and Host.Check says what is missing.
//
// # Nothing here keeps a namespace alive
//
// A TAP is torn down with its namespace, as one end of a veth pair is, and Device.Read then says ErrGone. That takes
// care: an open descriptor of a namespace, a netlink socket opened inside it, and even the /dev/net/tun descriptor of a
// TAP that was made inside it each hold a reference, and "ip netns del" would change nothing but a file name. So a
// Namespace is a path and a proof of identity, not a descriptor, and sockets are closed before a call returns.
//
// A TAP is made in one of two ways. In a namespace that Create has made, where it belongs: that takes a quarter of a
// millisecond, and the names of such namespaces are watched (homes), so that an interface goes with its namespace's name, also when
// programs are still inside. In any other namespace, which may have no name, or come and go by other ways than names, it is made
// in a nameless staging namespace of this package's own and moved: 10 to 30 ms, for while it moves a link the kernel holds its
// lock of all links and waits for a grace period (rcu_barrier), so that no other is moved meanwhile.
//
// # Nothing here is left behind
//
// TAPs vanish with the process, whatever ends it. A namespace does not, so each one that Create makes is first entered in
// a record under the runtime directory, with the process that answers for it. Reclaim compares the records with what is
// there and removes what nobody answers for any more.
//
// # Threads
//
// A network namespace belongs to a thread. Work inside one runs on a fresh thread that dies afterwards, so that no way
// out of it, not even a failure, lets a thread in the wrong namespace go back to the Go scheduler.
package tap
