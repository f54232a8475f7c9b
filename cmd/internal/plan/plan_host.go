package plan

import (
	"net/netip"

	"uswitch/switch/frame"
)

// Host is one service of the file: a network namespace, its interfaces, and perhaps a program.
type Host struct {
	Name     string `json:"name"`
	Hostname string `json:"hostname"`
	// Container is what docker ps would call it: LAB-RED-1, as Compose does, unless the file has a container_name.
	Container string `json:"container"`
	// Mode says which network namespace the host is in, and Shares whose it is if Mode is ModeShared: a host whose own Mode
	// is another one, and which starts before this one.
	Mode   Mode   `json:"mode,omitempty"`
	Shares string `json:"shares,omitempty"`
	// Netns is an existing namespace to plug in, a name or an absolute path. Empty: the namespace called Name, which is
	// made; what to do if it is there already is for whoever brings the lab up.
	Netns string `json:"netns,omitempty"`
	// Bare hosts are namespaces as ip netns add makes them: no containers, without files of their own for /etc.
	Bare       bool        `json:"bare,omitempty"`
	Interfaces []Interface `json:"interfaces"`
	// Gateway is where the default route points, and GatewayDev the interface it leaves by; zero and empty for a host
	// that has no default route.
	Gateway    netip.Addr `json:"gateway,omitzero"`
	GatewayDev string     `json:"gateway_dev,omitempty"`
	// Gateway6 and GatewayDev6 are the same of IPv6.
	Gateway6    netip.Addr `json:"gateway6,omitzero"`
	GatewayDev6 string     `json:"gateway_dev6,omitempty"`

	// Command is the argument vector, entrypoint first; nil: the host runs nothing. Command[0] == "uswitch" means this
	// very program, wherever it is installed.
	Command     []string `json:"command"`
	Environment []string `json:"environment,omitempty"` // KEY=value, sorted; besides it only what every host has
	WorkingDir  string   `json:"working_dir,omitempty"` // empty: the runner's own; relative: to it
	Rights      Rights   `json:"rights,omitzero"`       // of Command
	// Sysctls are settings of its namespace, net.* by name: net.ipv4.ip_forward.
	Sysctls   map[string]string `json:"sysctls,omitempty"`
	DependsOn []Dependency      `json:"depends_on,omitempty"` // sorted by host
	// Passive hosts are there for the others: one without a command does not keep the lab up, and one with a command - a
	// server, say - is stopped when the commands of the others have ended.
	Passive bool `json:"passive,omitempty"`

	Ports []Publish `json:"ports,omitempty"`

	// DNS is who the host asks for names that are not the lab's, in place of this machine's resolvers. DNSSearch and
	// DNSOptions are what its resolv.conf says of search and options in place of this machine's: nil leaves them.
	DNS        []netip.Addr `json:"dns,omitempty"`
	DNSSearch  []string     `json:"dns_search,omitempty"`
	DNSOptions []string     `json:"dns_options,omitempty"`
	// ExtraHosts are further lines of its /etc/hosts, sorted by name.
	ExtraHosts []ExtraHost `json:"extra_hosts,omitempty"`
}

// ExtraHost is a name that stands in a host's /etc/hosts.
type ExtraHost struct {
	Name string     `json:"name"`
	Addr netip.Addr `json:"addr,omitzero"` // zero: this machine's, Docker's host-gateway
}

// Mode says which network namespace a host is in. A host whose mode is not ModeOwn or ModeNone has no namespace that its
// lab makes, and only one whose mode is ModeOwn has interfaces.
type Mode string

// The modes.
const (
	ModeOwn    Mode = ""       // one of its own, with an interface on each of its networks
	ModeNone   Mode = "none"   // one of its own, in which there is nothing but lo
	ModeHost   Mode = "host"   // the one that uswitch itself runs in, in which a lab makes and changes nothing
	ModeShared Mode = "shared" // another host's, interfaces and all
)

// Dependency is a host that must have got somewhere before another one starts its command.
type Dependency struct {
	Host string `json:"host"`
	// Completed: Host's command must have ended with status 0. Otherwise it is enough that Host has been started.
	Completed bool `json:"completed,omitempty"`
}

// Interface is one end of a cable: in the host a device with an address, at the switch a port with its flags.
type Interface struct {
	Name    string       `json:"name"`    // inside the host: eth0, eth1, ...
	Network string       `json:"network"` // the Network's Name
	Address netip.Prefix `json:"address"` // the host's address and the subnet's length: 11.11.11.2/24
	// Address6 is the same of IPv6; zero where the network has none.
	Address6 netip.Prefix `json:"address6,omitzero"`
	MAC      frame.MAC    `json:"mac"`
	MTU      int          `json:"mtu"`
	Aliases  []string     `json:"aliases,omitempty"` // further names of the host on this network, for DNS
	// Links are names of others that this host alone knows on this network, as of docker network connect --link.
	Links []Link `json:"links,omitempty"`
	// GatewayPriority decides which network has the default route: see Plan.ChooseGateway.
	GatewayPriority int `json:"gw_priority,omitempty"`
	// Veth is the name of the cable's near end, where ip link and brctl show it. Empty: one as Docker draws them, veth and
	// seven digits.
	Veth    string    `json:"veth,omitempty"`
	VethMAC frame.MAC `json:"veth_mac,omitzero"` // of the near end; zero: one that follows from the names
	Down    bool      `json:"down,omitempty"`    // the near end
	Raised  bool      `json:"raised,omitempty"`  // the near end has been up
	Port    PortFlags `json:"port"`
}

// Link is a further name for whoever is called Name on a network, now or later.
type Link struct {
	Name  string `json:"name"`
	Alias string `json:"alias"`
}

// Has reports whether an address is one of the interface's.
func (i *Interface) Has(a netip.Addr) bool {
	return a.IsValid() && (a == i.Address.Addr() || a == i.Address6.Addr())
}

// Publish is one port of a host that can be reached from outside. On a network whose GatewayMode is routed nothing is
// translated: HostIP and HostPort are then those of To.
type Publish struct {
	Proto  string     `json:"proto"`   // tcp or udp
	HostIP netip.Addr `json:"host_ip"` // where the listener binds; 0.0.0.0 and [::] unless the file says otherwise: see Inlet
	// HostPort is the port outside; 0: any free one. Where HostPortEnd is higher, the first free one of HostPort to
	// HostPortEnd.
	HostPort    uint16         `json:"host_port"`
	HostPortEnd uint16         `json:"host_port_end,omitempty"`
	To          netip.AddrPort `json:"to"`              // the host's address and the port it listens on
	Label       string         `json:"label,omitempty"` // the name that the long form of ports can carry
}
