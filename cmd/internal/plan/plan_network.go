package plan

import (
	"net/netip"

	"uswitch/switch/frame"
)

// Network is one switch and the gateway's address on it.
type Network struct {
	// Name is what the switch is called: in traces, tables and rules, and where a device is meant, as in brctl show. It is
	// the key in the file, as in br0; the file's com.docker.network.bridge.name; or, as Docker has it, br- and the first
	// twelve digits of the network's ID, where the key is default or no device could be called so.
	Name   string `json:"name"`
	Key    string `json:"key"`    // in the file; empty for Docker's own bridge, docker0, which stands in no file
	Docker string `json:"docker"` // the name that docker network ls would show: LAB_br0, unless the file has a name:

	Subnet   netip.Prefix `json:"subnet"`
	Range    netip.Prefix `json:"range,omitzero"` // where addresses are handed out; zero: the whole subnet
	Reserved []netip.Addr `json:"reserved,omitempty"`
	// Gateway is the gateway's address and the subnet's length: 11.11.11.1/24. It is zero, and so is GatewayMAC, where
	// GatewayMode is isolated: the gateway is not on this network.
	Gateway    netip.Prefix `json:"gateway,omitzero"`
	GatewayMAC frame.MAC    `json:"gateway_mac"`
	// NoAddress says that the gateway begins without an address: somebody gives it one later. Gateway is then the one that
	// hosts which ask for none get last of all, and zero if a host has it. Hosts get no default route over this network.
	NoAddress bool `json:"no_address,omitempty"`
	MTU       int  `json:"mtu"` // bytes of an IP packet, as ip link shows it

	Internal    bool       `json:"internal"`             // no way out: hosts get no default route over this network
	Masquerade  bool       `json:"masquerade"`           // what leaves through the uplink takes the uplink's address
	ICC         bool       `json:"icc"`                  // hosts of the network reach each other
	GatewayMode string     `json:"gateway_mode"`         // nat, nat-unprotected, routed or isolated
	HostIP      netip.Addr `json:"host_ip"`              // where published ports are open if nothing else is said; 0.0.0.0: everywhere
	Attachable  bool       `json:"attachable,omitempty"` // only shown: every network here is
	// Options are the file's driver_opts, word for word, for those who show them.
	Options map[string]string `json:"options,omitempty"`

	AgeingTime    int        `json:"ageing_time"`               // seconds after which a silent station is forgotten
	FDBMaxLearned int        `json:"fdb_max_learned,omitempty"` // learned stations at most; 0: the switch's own limit
	GroupFwdMask  int        `json:"group_fwd_mask,omitempty"`  // bit n: frames for 01:80:c2:00:00:0n go through
	FDB           []FDBEntry `json:"fdb,omitempty"`             // stations that are known from the start
	Port          PortKnobs  `json:"port"`                      // for ports that say nothing else
}

// FDBEntry is a station that the switch knows without having learned it.
type FDBEntry struct {
	MAC    frame.MAC `json:"mac"`
	Host   string    `json:"host"`   // whose port it is behind
	Sticky bool      `json:"sticky"` // a sticky entry ages and never moves; one that is not sticky is static: neither
}

// PortKnobs are the settings of one switch port, named as the Linux bridge names them.
type PortKnobs struct {
	Learning   bool `json:"learning"`    // learn stations from the frames that come in
	Flood      bool `json:"flood"`       // send frames for unknown stations out of this port
	McastFlood bool `json:"mcast_flood"` // send multicast out of this port
	BcastFlood bool `json:"bcast_flood"` // send broadcast out of this port
	Isolated   bool `json:"isolated"`    // no frames to or from other isolated ports
	StormLimit int  `json:"storm_limit"` // frames a second from this port that may be flooded; 0: no limit
}
