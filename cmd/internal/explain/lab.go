package explain

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"uswitch/nat"
	"uswitch/sim"
	vswitch "uswitch/switch"
	"uswitch/switch/trace"
)

// Lab is what can be asked about: the live objects, which are only read, and what must be known besides.
type Lab struct {
	In       trace.Language // of whoever asks; nil: English
	Now      time.Time      // on the lab's own clock
	Switches []*vswitch.Switch
	Gateway  *nat.Gateway
	Hosts    []sim.HostState
	// Homes are the hosts beside these that have no namespace of their own, and in whose they are; empty: in this machine's.
	Homes  map[string]string
	Uplink Uplink
	done   []func()
}

// in says a sentence of an answer.
func (l *Lab) in(key string, args ...any) string {
	in := l.In
	if in == nil {
		in = trace.English
	}
	return in(key, args...)
}

// Defer lets f be called by Close.
func (l *Lab) Defer(f func()) { l.done = append(l.done, f) }

// Close gives back what was needed to look into the hosts. The lab cannot be asked any more.
func (l *Lab) Close() {
	for _, f := range l.done {
		f()
	}
	l.done = nil
}

// Uplink says what stands behind the gateway's way out.
type Uplink struct {
	Kind     Kind
	Internet sim.InternetConfig // with Sim
	NextHop  netip.Addr         // of the default route; invalid: the uplink needs none
	// With Host: what is closed to the lab unless AllowHost, and why; nil: only what every machine keeps for itself.
	Refuses   func(netip.Addr) trace.Reason
	AllowHost bool
	Machine   sim.Kernel // with Host: decides about the machine's own routes; nil: not known
}

// Kind of an uplink, named as in the lab file.
type Kind string

// The kinds.
const (
	None  Kind = "none"
	Sim   Kind = "sim"
	Host  Kind = "host"
	Netns Kind = "netns"
)

// outside returns what stands behind an uplink's twin.
func (l *Lab) outside(leg *nat.Interface, c *sim.Clock, random *rand.Rand) (sim.Outside, error) {
	if l.Uplink.Kind == Sim {
		return sim.NewInternet(l.Uplink.Internet, c, random)
	}
	config := sim.AnywhereConfig{Addr: leg.Addr().Addr(), Refuses: l.refuses}
	for _, own := range leg.Addrs6() {
		if !own.Addr().IsLinkLocalUnicast() {
			config.Addr6 = own.Addr()
		}
	}
	a := sim.NewAnywhere(config, c, random)
	if l.Uplink.Kind == Host {
		return sim.NewBound(a, l.Gateway.Conns(l.Now)), nil
	}
	return a, nil
}

// refuses is what the host uplink itself says of a destination, or the machine that it stands on, which needs a way there.
func (l *Lab) refuses(dst netip.Addr) trace.Reason {
	if l.Uplink.Kind != Host {
		return trace.NoReason
	}
	if !l.Uplink.AllowHost {
		switch {
		case l.Uplink.Refuses != nil:
			if r := l.Uplink.Refuses(dst); r != trace.NoReason {
				return r
			}
		case dst.IsLoopback() || dst.IsUnspecified() || dst.IsLinkLocalUnicast():
			return trace.HostForbidden
		}
	}
	if l.Uplink.Machine != nil {
		switch l.Uplink.Machine.Route(sim.Lookup{Dst: dst}).Kind {
		case sim.NoRoute, sim.Unreachable, sim.Prohibit, sim.Blackhole:
			return trace.Unreachable
		}
	}
	return trace.NoReason
}

// host finds a host by its name.
func (l *Lab) host(name string) *sim.HostState {
	if i := slices.IndexFunc(l.Hosts, func(h sim.HostState) bool { return h.Name == name }); i >= 0 {
		return &l.Hosts[i]
	}
	return nil
}

// network finds a switch by its name, or nil.
func (l *Lab) network(name string) *vswitch.Switch {
	for _, s := range l.Switches {
		if s.Name() == name {
			return s
		}
	}
	return nil
}

// port finds a port, or nil.
func (l *Lab) port(network, name string) (*vswitch.Switch, *vswitch.Port) {
	if s := l.network(network); s != nil {
		if p, ok := s.Port(name); ok {
			return s, p
		}
	}
	return nil, nil
}

// owner finds the host and its interface with an address.
func (l *Lab) owner(a netip.Addr) (*sim.HostState, *sim.NICState) {
	for i := range l.Hosts {
		for j := range l.Hosts[i].NICs {
			if c := &l.Hosts[i].NICs[j]; c.Addr.IsValid() && c.Addr.Addr() == a ||
				slices.ContainsFunc(c.More, func(p netip.Prefix) bool { return p.Addr() == a }) {
				return &l.Hosts[i], c
			}
		}
	}
	return nil, nil
}

// leg finds the gateway's interface that has an address, or is on the network of one.
func (l *Lab) leg(a netip.Addr) *nat.Interface {
	for _, i := range l.Gateway.Interfaces() {
		if i.Addr().Contains(a) {
			return i
		}
	}
	return nil
}

// uplink returns the gateway's interface that is no network of the lab's, or nil.
func (l *Lab) uplink() *nat.Interface {
	for _, i := range l.Gateway.Interfaces() {
		if l.network(i.Name()) == nil {
			return i
		}
	}
	return nil
}

// isGateway reports whether an address is one of the gateway's own.
func (l *Lab) isGateway(a netip.Addr) bool {
	return slices.ContainsFunc(l.Gateway.Interfaces(), func(i *nat.Interface) bool { return i.Addr().Addr() == a })
}
