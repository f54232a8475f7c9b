package lab

import (
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

	Uplink    Uplink `json:"uplink"`
	AllowHost bool   `json:"allow_host"` // hosts may reach the host's own addresses and 169.254.169.254
	IPForward bool   `json:"ip_forward"` // the gateway routes; without it, it only answers for itself
	// Rules are lines in iptables syntax that replace the generated rules. Nil means that the lab has none of its own and
	// wants the generated ones; empty means that it wants no rules at all.
	Rules []string `json:"rules"`
	// DockerRules says which rules are generated: classic or 29 for those of a Docker host of that generation, empty for
	// uswitch's own short ones.
	DockerRules string `json:"docker_rules,omitempty"`

	// KeepUp says that the lab stays up until it is told to stop: because the file says keep_up, because some host neither
	// has a command nor is passive, or because all are passive. Without it, the lab ends when the last command of a host
	// that is not passive has ended.
	KeepUp bool `json:"keep_up"`
	// Checks say what must hold while the lab is up, in the order of the file. Nothing looks at them unless it is asked to.
	Checks []Check `json:"checks,omitempty"`
	// Warnings are sentences for the person who runs the lab: above all, keys of the file that uswitch does not act on.
	Warnings []string `json:"warnings,omitempty"`
}

// Network is one switch and the gateway's address on it.
type Network struct {
	Name   string `json:"name"`   // the key in the file, as in br0; traces and tables show it
	Docker string `json:"docker"` // the name that docker network ls would show: LAB_br0, unless the file has a name:

	Subnet     netip.Prefix `json:"subnet"`
	Range      netip.Prefix `json:"range,omitzero"` // where addresses are handed out; zero: the whole subnet
	Reserved   []netip.Addr `json:"reserved,omitempty"`
	Gateway    netip.Prefix `json:"gateway"` // the gateway's address and the subnet's length: 11.11.11.1/24
	GatewayMAC frame.MAC    `json:"gateway_mac"`
	// NoAddress says that the gateway begins without its address, which is kept for it: somebody gives it one later.
	// Hosts get no default route over this network.
	NoAddress bool `json:"no_address,omitempty"`
	MTU       int  `json:"mtu"` // bytes of an IP packet, as ip link shows it

	Internal   bool `json:"internal"`   // no way out: hosts get no default route over this network
	Masquerade bool `json:"masquerade"` // what leaves through the uplink takes the uplink's address

	AgeingTime    int        `json:"ageing_time"`               // seconds after which a silent station is forgotten
	FDBMaxLearned int        `json:"fdb_max_learned,omitempty"` // learned stations at most; 0: the switch's own limit
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

// Host is one service of the file: a network namespace, its interfaces, and perhaps a program.
type Host struct {
	Name     string `json:"name"`
	Hostname string `json:"hostname"`
	// Netns is an existing namespace to plug in, a name or an absolute path. Empty: the namespace called Name, which is
	// made unless it exists.
	Netns      string      `json:"netns,omitempty"`
	Interfaces []Interface `json:"interfaces"`
	// Gateway is where the default route points, and GatewayDev the interface it leaves by; zero and empty for a host
	// that has no default route.
	Gateway    netip.Addr `json:"gateway,omitzero"`
	GatewayDev string     `json:"gateway_dev,omitempty"`

	// Command is the argument vector, entrypoint first; nil: the host runs nothing. Command[0] == "uswitch" means this
	// very program, wherever it is installed.
	Command     []string     `json:"command"`
	Environment []string     `json:"environment,omitempty"` // KEY=value, sorted; on top of what the runner has
	WorkingDir  string       `json:"working_dir,omitempty"` // empty: the runner's own; relative: to it
	DependsOn   []Dependency `json:"depends_on,omitempty"`  // sorted by host
	// Passive hosts are there for the others: one without a command does not keep the lab up, and one with a command - a
	// server, say - is stopped when the commands of the others have ended.
	Passive bool `json:"passive,omitempty"`

	Ports []Publish `json:"ports,omitempty"`
}

// Dependency is a host that must have got somewhere before another one starts its command.
type Dependency struct {
	Host string `json:"host"`
	// Completed: Host's command must have ended with status 0. Otherwise it is enough that Host has been started.
	Completed bool `json:"completed,omitempty"`
}

// Interface is one end of a cable: in the host a device with an address, at the switch a port with its knobs.
type Interface struct {
	Name    string       `json:"name"`    // inside the host: eth0, eth1, ...
	Network string       `json:"network"` // the Network's Name
	Address netip.Prefix `json:"address"` // the host's address and the subnet's length: 11.11.11.2/24
	MAC     frame.MAC    `json:"mac"`
	MTU     int          `json:"mtu"`
	Aliases []string     `json:"aliases,omitempty"` // further names of the host on this network, for DNS
	Port    PortKnobs    `json:"port"`
}

// Publish is one port of a host that can be reached from outside.
type Publish struct {
	Proto  string     `json:"proto"`   // tcp or udp
	HostIP netip.Addr `json:"host_ip"` // where the listener binds; 0.0.0.0 unless the file says otherwise, as Docker does
	// HostPort is the port outside; 0: any free one. Where HostPortEnd is higher, the first free one of HostPort to
	// HostPortEnd.
	HostPort    uint16         `json:"host_port"`
	HostPortEnd uint16         `json:"host_port_end,omitempty"`
	To          netip.AddrPort `json:"to"`              // the host's address and the port it listens on
	Label       string         `json:"label,omitempty"` // the name that the long form of ports can carry
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

// Uplink is the lab's way out. All fields but Kind are for UplinkNetns only.
type Uplink struct {
	Kind    UplinkKind   `json:"kind"`
	Netns   string       `json:"netns,omitempty"`  // the namespace's name
	Address netip.Prefix `json:"address,omitzero"` // the gateway's own address there
	Gateway netip.Addr   `json:"gateway,omitzero"` // the namespace's end of the TAP, and the next hop
}

// Network returns the network of that name, or nil. The pointer is into the plan.
func (p *Plan) Network(name string) *Network {
	for i := range p.Networks {
		if p.Networks[i].Name == name {
			return &p.Networks[i]
		}
	}
	return nil
}

// Host returns the host of that name, or nil. The pointer is into the plan.
func (p *Plan) Host(name string) *Host {
	for i := range p.Hosts {
		if p.Hosts[i].Name == name {
			return &p.Hosts[i]
		}
	}
	return nil
}
