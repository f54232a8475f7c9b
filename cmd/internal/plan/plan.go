package plan

import (
	"cmp"
	"net/netip"

	"uswitch/switch/frame"
)

// Plan is a lab, validated and with every choice made: whoever brings it up has nothing left to decide or to check except
// what only the machine knows. A Plan is plain data; it marshals to JSON and back without loss.
type Plan struct {
	Name     string    `json:"name"`
	Source   string    `json:"source"` // the file as it was named, or "built-in lab NAME"
	Networks []Network `json:"networks"`
	// Hosts stand in the order in which they start: everything a host depends on comes before it, and where nothing is
	// depended on, the order of the file. Addresses were handed out in this order.
	Hosts []Host `json:"hosts"`

	// Cables lead from one switch to another, or to an interface of the gateway's own.
	Cables []Cable `json:"cables,omitempty"`

	Uplink    Uplink `json:"uplink"`
	AllowHost bool   `json:"allow_host"` // hosts may reach the host's own addresses and the link-local ones
	IPForward bool   `json:"ip_forward"` // the gateway routes; without it, it only answers for itself
	// Rules are lines in iptables syntax that replace the generated rules. Nil means that the lab has none of its own and
	// wants the generated ones; empty means that it wants no rules at all.
	Rules []string `json:"rules"`
	// DockerRules says which rules are generated: 20.10, classic or 29 for those of a Docker host of that generation, empty
	// for uswitch's own short ones. Rules, if there are any, stand above it.
	DockerRules string `json:"docker_rules,omitempty"`
	// IptablesWords is the version of iptables in whose words rules are listed: 1.8.7, or empty for 1.8.9.
	IptablesWords string `json:"iptables_words,omitempty"`

	// KeepUp says that the lab stays up until it is told to stop: because the file says keep_up, because some host neither
	// has a command nor is passive, or because all are passive. Without it, the lab ends when the last command of a host
	// that is not passive has ended.
	KeepUp bool `json:"keep_up"`
	// Checks say what must hold while the lab is up, in the order of the file. Nothing looks at them unless it is asked to.
	Checks []Check `json:"checks,omitempty"`
	// Warnings are sentences for the person who runs the lab: above all, keys of the file that uswitch does not act on.
	Warnings []string `json:"warnings,omitempty"`
}

// UplinkKind says which way out a lab has.
type UplinkKind string

// The uplinks.
const (
	UplinkNone  UplinkKind = "none"  // no way out
	UplinkHost  UplinkKind = "host"  // through sockets of the host
	UplinkSim   UplinkKind = "sim"   // an internet in memory
	UplinkNetns UplinkKind = "netns" // a TAP in a namespace of its own
)

// Uplink is the lab's way out.
type Uplink struct {
	Kind  UplinkKind `json:"kind"`
	Dev   string     `json:"dev,omitempty"`   // what the gateway's interface is called, if not UplinkName
	Netns string     `json:"netns,omitempty"` // of UplinkNetns: the namespace's name
	// Address is the gateway's own address outside, and Gateway the next hop: with UplinkNetns, the namespace's end of the TAP.
	// UplinkSim has its own if they are zero; UplinkHost has this machine's, and neither.
	Address netip.Prefix `json:"address,omitzero"`
	Gateway netip.Addr   `json:"gateway,omitzero"`
	// Address6 and Gateway6 are the same in IPv6, of UplinkNetns alone; zero: no way out in IPv6.
	Address6 netip.Prefix `json:"address6,omitzero"`
	Gateway6 netip.Addr   `json:"gateway6,omitzero"`
	// PublishHere says, of UplinkSim, that published ports are sockets of this machine, as they are with UplinkHost.
	PublishHere bool `json:"publish_here,omitempty"`
}

// UplinkName is what rules, routes and the trace call a way out that has no other name.
const UplinkName = "uplink"

// Name returns what rules, routes and the trace call the way out.
func (u Uplink) Name() string { return cmp.Or(u.Dev, UplinkName) }

// Network returns the network of that name, or nil. A network is also found by its key in the file and by Docker's name
// for it, as far as no other one has that for its name. The pointer is into the plan.
func (p *Plan) Network(name string) *Network {
	names := []func(*Network) string{
		func(n *Network) string { return n.Name },
		func(n *Network) string { return n.Key },
		func(n *Network) string { return n.Docker },
	}
	for _, nameOf := range names {
		for i := range p.Networks {
			if name != "" && nameOf(&p.Networks[i]) == name {
				return &p.Networks[i]
			}
		}
	}
	return nil
}

// Docked reports whether Docker knows of the network: whether rules, a subnet and addresses for hosts come with it.
func (n *Network) Docked() bool { return n.Kind == KindNetwork }

// Host returns the host of that name, or nil. The pointer is into the plan.
func (p *Plan) Host(name string) *Host {
	for i := range p.Hosts {
		if p.Hosts[i].Name == name {
			return &p.Hosts[i]
		}
	}
	return nil
}

// Home returns the host whose namespace and interfaces a host uses: the one that it shares them with, or itself.
func (p *Plan) Home(h *Host) *Host {
	if h.Mode == ModeShared {
		return p.Host(h.Shares)
	}
	return h
}

// NetworkKind says what a network is to the machine that the gateway is.
type NetworkKind string

// The kinds of networks.
const (
	KindNetwork   NetworkKind = ""          // a network of the file, or of Docker's: a subnet, addresses that are given out, rules
	KindBridge    NetworkKind = "bridge"    // a bridge and nothing else, as ip link add makes it: no subnet, no rules
	KindInterface NetworkKind = "interface" // no bridge: an interface of the gateway's own, as eth1, and what is at the other end
	KindCable     NetworkKind = "cable"     // a cable between two hosts; the gateway is not on it
)

// Network is one switch and the gateway's address on it.
type Network struct {
	Kind NetworkKind `json:"kind,omitempty"`
	// Down says that the device is down, and with it, of a bridge, all of its ports.
	Down   bool `json:"down,omitempty"`
	Raised bool `json:"raised,omitempty"` // it has been up: since then it has a queue
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
	// IPv6 is what the network has of IPv6; nil: nothing, and what a host says in it ends at the gateway.
	IPv6 *IPv6 `json:"ipv6,omitempty"`

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
	Port          PortFlags  `json:"port"`                      // for ports that say nothing else
	Tunnel        *Tunnel    `json:"tunnel,omitempty"`          // to other machines; nil: the network is on this one only
}

// Cable is a pair of devices of the machine, each of which is a port of a network, or an interface of the gateway's own.
type Cable struct {
	A CableEnd `json:"a"`
	B CableEnd `json:"b"`
}

// CableEnd is one of the two devices.
type CableEnd struct {
	Name    string    `json:"name"`
	Network string    `json:"network"` // called like the device where that is the gateway's own
	MAC     frame.MAC `json:"mac"`
	MTU     int       `json:"mtu"`
	Down    bool      `json:"down,omitempty"`
	Raised  bool      `json:"raised,omitempty"` // it has been up
}

// Ends returns both, A first.
func (c *Cable) Ends() [2]CableEnd { return [2]CableEnd{c.A, c.B} }

// FDBEntry is a station that the switch knows without having learned it.
type FDBEntry struct {
	MAC    frame.MAC `json:"mac"`
	Host   string    `json:"host"`   // whose port it is behind
	Sticky bool      `json:"sticky"` // a sticky entry ages and never moves; one that is not sticky is static: neither
}

// PortFlags are the settings of one switch port, named as the Linux bridge names those that it has.
type PortFlags struct {
	Learning   bool `json:"learning"`    // learn stations from the frames that come in
	Flood      bool `json:"flood"`       // send frames for unknown stations out of this port
	McastFlood bool `json:"mcast_flood"` // send multicast out of this port
	BcastFlood bool `json:"bcast_flood"` // send broadcast out of this port
	Isolated   bool `json:"isolated"`    // no frames to or from other isolated ports
	RAGuard    bool `json:"ra_guard"`    // no router advertisements from this port
	NDGuard    bool `json:"nd_guard"`    // no neighbour discovery from this port in the name of somebody else's address
	DHCPGuard  bool `json:"dhcp_guard"`  // no answers of DHCP servers from this port
	StormLimit int  `json:"storm_limit"` // frames a second from this port that may be flooded; 0: no limit
}
