package world

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world/names"
	"uswitch/switch/trace"
)

// upstream implements names.Upstream: who is asked for names that are not the lab's, and how. Where the way out is sockets of
// this machine, so are the questions; on any other they are packets of the gateway itself.
type upstream struct {
	world    *World
	programs ownSockets
	file     *names.File  // says who is asked
	fixed    []netip.Addr // who is asked if there is no file
	sockets  bool         // by sockets of this machine
}

// simResolvers are the name servers of the internet in memory.
var simResolvers = []netip.Addr{netip.AddrFrom4([4]byte{8, 8, 8, 8}), netip.AddrFrom4([4]byte{1, 1, 1, 1})}

// resolvConf names the resolvers of this machine, and a file below netnsEtc those of a namespace ("ip netns exec" knows it).
const (
	resolvConf = "/etc/resolv.conf"
	netnsEtc   = "/etc/netns"
)

// upstream returns whom the lab's name server asks; nil if the lab has no way out.
func (w *World) upstream(programs ownSockets) names.Upstream {
	u := &upstream{world: w, programs: programs}
	switch w.Plan().Uplink.Kind {
	case plan.UplinkHost:
		u.file, u.sockets = names.NewFile(nil, resolvConf), true
	case plan.UplinkNetns:
		u.file = names.NewFile(nil, filepath.Join(netnsEtc, w.Plan().Uplink.Netns, "resolv.conf"), resolvConf)
	case plan.UplinkSim:
		u.fixed = simResolvers
	default:
		return nil
	}
	return u
}

// Resolvers implements names.Upstream. The lab's own name server is not asked what it asks.
func (u *upstream) Resolvers() ([]netip.AddrPort, error) {
	servers := u.fixed
	if u.file != nil {
		conf, err := u.file.Read()
		if err != nil {
			return nil, err
		}
		servers = conf.Servers
	}
	if len(servers) == 0 {
		return nil, errors.New("no resolver is named in " + resolvConf)
	}
	var all []netip.AddrPort
	for _, a := range servers {
		if !u.isOurs(a) && (u.sockets || a.Is4() && !a.IsLoopback()) {
			all = append(all, netip.AddrPortFrom(a, names.Port))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("none of the resolvers %v can be asked from the gateway", servers)
	}
	return all, nil
}

// Permits implements names.Upstream. Where questions are sockets of this machine, a host's own resolver is behind the same wall
// as everything else that the host sends.
func (u *upstream) Permits(a netip.Addr) error {
	if !u.sockets || u.world.inside(a) {
		return nil
	}
	if r := u.world.Refuses(a.Unmap().WithZone("")); r != trace.NoReason {
		return fmt.Errorf("resolver %v: %s", a, r.Sentence())
	}
	return nil
}

// isOurs reports whether an address is the gateway's own on a network of the lab.
func (u *upstream) isOurs(a netip.Addr) bool {
	return slices.ContainsFunc(u.world.Networks(), func(n *Network) bool { return n.Plan.Gateway.Addr() == a })
}

// Dial implements names.Upstream. A resolver that runs in a host of the lab is reached from the gateway.
func (u *upstream) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	switch {
	case u.isOurs(to.Addr()):
		return nil, errors.New("this is the name server itself")
	case u.sockets && !u.world.inside(to.Addr()):
		return new(net.Dialer).DialContext(ctx, network, to.String())
	}
	return u.programs.Dial(ctx, network, to)
}
