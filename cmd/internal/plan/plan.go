package plan

import "net/netip"

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
	AllowHost bool   `json:"allow_host"` // hosts may reach the host's own addresses and 169.254.0.0/16
	IPForward bool   `json:"ip_forward"` // the gateway routes; without it, it only answers for itself
	// Rules are lines in iptables syntax that replace the generated rules. Nil means that the lab has none of its own and
	// wants the generated ones; empty means that it wants no rules at all.
	Rules []string `json:"rules"`
	// DockerRules says which rules are generated: classic or 29 for those of a Docker host of that generation, empty for
	// uswitch's own short ones. Rules, if there are any, stand above it.
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
