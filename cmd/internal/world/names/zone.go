package names

import (
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan"
)

// zone is an immutable picture of the lab's names.
type zone struct {
	networks []*network
	askers   map[netip.Addr]*asker // by address
}

// network is what is known on one network.
type network struct {
	Network
	addrs map[string][]netip.Addr // by name, in lower case
	names map[netip.Addr]string   // the name of an address, in full
}

// asker is who can ask, and what there is for it.
type asker struct {
	places    []place // whose names it knows; none on the default network alone
	outward   bool    // one of its networks leads out
	resolvers []netip.Addr
}

// place is a network as one asker knows it.
type place struct {
	*network
	links map[string]string // what others are called there, by the asker's own names for them; both in lower case
}

// newZone takes the picture of records.
func newZone(r Records) *zone {
	z := &zone{askers: map[netip.Addr]*asker{}}
	byName := map[string]*network{}
	for _, n := range r.Networks {
		one := &network{Network: n, addrs: map[string][]netip.Addr{}, names: map[netip.Addr]string{}}
		z.networks = append(z.networks, one)
		byName[n.Name] = one
	}
	for _, h := range r.Hosts {
		a := &asker{resolvers: h.Resolvers}
		for _, p := range h.Places {
			n := byName[p.Network]
			if n == nil || !p.Addr.IsValid() {
				continue
			}
			n.enter(p)
			a.join(n, p.Links)
			z.askers[p.Addr] = a
		}
	}
	return z
}

// enter makes a host known on the network.
func (n *network) enter(p Place) {
	for _, addr := range []netip.Addr{p.Addr, p.Addr6} {
		if !addr.IsValid() {
			continue
		}
		for i, name := range p.Names {
			key := strings.ToLower(name)
			n.addrs[key] = append(n.addrs[key], addr)
			if i == 0 {
				n.names[addr] = name + "." + n.Docker
			}
		}
	}
}

// join says that the asker is on a network, and has these names for others there.
func (a *asker) join(n *network, links map[string]string) {
	a.outward = a.outward || !n.Internal
	if n.Nameless {
		return
	}
	p := place{network: n, links: map[string]string{}}
	for alias, name := range links {
		p.links[strings.ToLower(alias)] = strings.ToLower(name)
	}
	a.places = append(a.places, p)
}

// asker finds out who asks. Somebody on a network who is not on record - an address that was set by hand - knows what is
// known there. It returns nil for an address that is on no network of the lab.
func (z *zone) asker(from netip.Addr) *asker {
	if a := z.askers[from]; a != nil {
		return a
	}
	if n := z.around(from); n != nil {
		a := &asker{}
		a.join(n, nil)
		return a
	}
	return nil
}

// around returns the network that an address lies in, or nil.
func (z *zone) around(a netip.Addr) *network {
	for _, n := range z.networks {
		if n.Subnet.Contains(a) || n.Subnet6.IsValid() && n.Subnet6.Contains(a) {
			return n
		}
	}
	return nil
}

// lookUp finds the addresses of a name in lower case: of its first network on which there is somebody of that name, or, of
// NAME.NETWORK, on that one. The asker's own names for others come first (moby libnetwork/sandbox.go, ResolveName).
func (a *asker) lookUp(name string) []netip.Addr {
	for _, p := range a.places {
		if _, own := p.links[name]; own && p.find(name) != nil {
			return p.find(name)
		}
	}
	for _, p := range a.places {
		if found := p.find(name); found != nil {
			return found
		}
	}
	for _, p := range a.places {
		for _, suffix := range []string{p.Docker, p.Name} {
			if short, ok := strings.CutSuffix(name, "."+strings.ToLower(suffix)); ok && p.find(short) != nil {
				return p.find(short)
			}
		}
	}
	return nil
}

// find returns the addresses of a name there. The asker's own name for somebody hides whoever else is called that.
func (p place) find(name string) []netip.Addr {
	if linked, own := p.links[name]; own {
		name = linked
	}
	return p.addrs[name]
}

// nameOf finds the name of an address.
func (a *asker) nameOf(addr netip.Addr) (name string, ok bool) {
	for _, n := range a.places {
		if name, ok = n.names[addr]; ok {
			return name, true
		}
	}
	return "", false
}

// nobody knows of nobody: the zone of a Server that has not been told anything yet.
var nobody = newZone(Records{})

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
	Subnet6  netip.Prefix // of IPv6; zero: it has none
	Internal bool         // leads nowhere
	Nameless bool         // the default network bridge, on which nobody has a name
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
	Addr6   netip.Addr // of IPv6; the invalid Addr: it has none
	Names   []string   // the first is the one that its address is called by
	// Links are further names of others, for this host alone, and what those are called there.
	Links map[string]string
}

// Of returns the records of a plan.
func Of(labPlan *plan.Plan) Records {
	var r Records
	for _, n := range labPlan.Networks {
		known := Network{Name: n.Name, Docker: n.Docker, Subnet: n.Subnet.Masked(), Internal: n.Internal, Nameless: n.IsDefaultBridge()}
		if n.IPv6 != nil {
			known.Subnet6 = n.IPv6.Subnet
		}
		r.Networks = append(r.Networks, known)
	}
	for _, h := range labPlan.Hosts {
		host := Host{Name: h.Name, Resolvers: h.DNS}
		for _, i := range h.Interfaces {
			names := append([]string{h.Name, h.Container, h.Hostname}, i.Aliases...)
			p := Place{Network: i.Network, Addr: i.Address.Addr(), Addr6: i.Address6.Addr(), Names: distinct(names)}
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
