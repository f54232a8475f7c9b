package tap

// Trial is one thing that a lab does, and how it went when it was tried.
type Trial struct {
	What     string // one of the names below
	Err      error  // nil: it can be done
	Optional bool   // labs do without
}

// What Try tries, in its order.
const (
	TrialTUN            = "/dev/net/tun"
	TrialCapabilities   = "capabilities"
	TrialNetworks       = "network namespace"
	TrialNIC            = "network interface (TUNSETIFF)"
	TrialMove           = "moving an interface"
	TrialIPv6           = "IPv6 off"
	TrialUp             = "interface up"
	TrialMountNamespace = "mount namespace"
	TrialMounts         = "mounts"
	TrialNames          = "namespace directory"
	TrialMonitor        = "link monitor"
	TrialHeaders        = "virtio-net headers"
	TrialCSUM           = "checksums left to others (CSUM)"
	TrialTSO            = "super-frames of TCP (TSO)"
	TrialUSO            = "super-frames of UDP (USO)"
)

// Tryer is what New returns besides a Host: it tells of each thing that Check tries, and of some that labs do without. What cannot
// be tried, because something before it has failed, is left out.
type Tryer interface {
	Try() []Trial

	// Look is the part of Try that asks for rights and costs nothing: that /dev/net/tun opens, and capabilities.
	Look() []Trial
}
