package names

import (
	"net/netip"
	"slices"

	"uswitch/cmd/internal/plan"
)

// Records say who is called what. They are plain data; who has given them to a Server changes them no more.
type Records struct {
	Networks []Network
	Hosts    []Host
}

// Network is one network of the lab.
type Network struct {
	Name     string // the lab's name for it: br0
	Docker   string // Docker's, with which the names of its hosts end when they are written in full: red-blue_br0
	Subnet   netip.Prefix
	Internal bool // leads nowhere
	Nameless bool // the default network bridge, on which nobody has a name
}

// Host is one host of the lab.
type Host struct {
	Name   string
	Places []Place // in the order in which names are looked for
	// Resolvers are asked for what is not the lab's, in place of everybody's resolvers.
	Resolvers []netip.Addr
}

// Place is where a host is on one network.
type Place struct {
	Network string // the Network's Name
	Addr    netip.Addr
	Names   []string // the first is the one that its address is called by
	// Links are further names of others, for this host alone, and what those are called there.
	Links map[string]string
}

// Of returns the records of a plan.
func Of(labPlan *plan.Plan) Records {
	var r Records
	for _, n := range labPlan.Networks {
		r.Networks = append(r.Networks, Network{Name: n.Name, Docker: n.Docker, Subnet: n.Subnet.Masked(), Internal: n.Internal,
			Nameless: n.IsDefaultBridge()})
	}
	for _, h := range labPlan.Hosts {
		host := Host{Name: h.Name, Resolvers: h.DNS}
		for _, i := range h.Interfaces {
			names := append([]string{h.Name, h.Container, h.Hostname}, i.Aliases...)
			p := Place{Network: i.Network, Addr: i.Address.Addr(), Names: distinct(names)}
			for _, link := range i.Links {
				if p.Links == nil {
					p.Links = map[string]string{}
				}
				p.Links[link.Alias] = link.Name // of two, the later: as Docker
			}
			host.Places = append(host.Places, p)
		}
		r.Hosts = append(r.Hosts, host)
	}
	return r
}

// distinct leaves out names that were there before, and empty ones.
func distinct(names []string) (once []string) {
	for _, name := range names {
		if name != "" && !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}
