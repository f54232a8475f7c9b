package sim

import (
	"net/netip"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// Topology is everything that a World is built from. It is plain data.
type Topology struct {
	Seed     uint64 // of all chance; 0 is a seed like any other
	Networks []NetworkConfig
	Hosts    []HostConfig
	Internet *InternetConfig // nil: the lab has no way out
	// Rules are lines in iptables syntax, without the word iptables or with it.
	Rules        []string
	NoForwarding bool // ip_forward=0
}

// NetworkConfig describes one switch and the gateway's place on it. Zero values of the optional fields mean what they mean
// to vswitch.Config and nat.InterfaceConfig.
type NetworkConfig struct {
	Name       string       // br0
	Subnet     netip.Prefix // required: host addresses belong to it
	Gateway    netip.Addr   // the gateway's address; invalid: the gateway does not stand on this network
	GatewayMAC frame.MAC    // zero: made of the address, as Docker does
	MTU        int          // bytes of an IP packet; 0: 1500
	Filtered   bool         // what is bridged passes the gateway's rules too, as with br_netfilter
	Ageing     time.Duration
	MaxLearned int
}

// HostConfig describes one host.
type HostConfig struct {
	Name  string
	Cards []CardConfig // eth0, eth1, ...
	// Gateway is the next hop of the default route; invalid: the gateway of the first network that has one.
	Gateway   netip.Addr
	NoGateway bool // no default route at all
}

// CardConfig describes a host's place on a network: card, cable and port.
type CardConfig struct {
	Network string
	Addr    netip.Addr
	MAC     frame.MAC      // zero: made of the address, as Docker does
	MTU     int            // bytes of an IP packet; 0: the network's
	Knobs   *vswitch.Knobs // of the port; nil: DefaultKnobs
	Wire    WireConfig     // a latency of 0 means DefaultLatency
}

// DefaultLatency is how long a frame takes over a host's cable unless the topology says otherwise. It is about what a
// frame takes through a TAP.
const DefaultLatency = 50 * time.Microsecond
