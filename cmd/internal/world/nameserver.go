package world

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world/names"
	"uswitch/nat/station"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// startNames opens the lab's name server at the gateway's addresses, over UDP and TCP.
func (w *World) startNames(context.Context) error {
	programs, err := w.newStation()
	if err != nil {
		return err
	}
	w.cleanup.add(w.nothing(programs.Close))
	var forwarder *names.Forwarder
	if up := w.upstream(programs); up != nil {
		forwarder = names.NewForwarder(up, w.way.onMachine, w.namesClock(), w.numbers()) // what is asked by sockets may come back by a published port
		w.cleanup.add(func() error {
			forwarder.Close()
			return nil
		})
	}
	w.names = names.NewServer(names.Config{Gateway: w.gateway, Forwarder: forwarder, Clock: w.namesClock()})
	w.names.Set(names.Of(w.Plan()))
	release, err := w.gateway.Open(frame.ProtoUDP, names.Port, w.names)
	if err != nil {
		return fmt.Errorf("the name server: %w", err)
	}
	w.cleanup.add(func() error {
		release()
		return nil
	})
	listener, err := programs.Listen(names.Port, w.names.Accepts)
	if err != nil {
		return fmt.Errorf("the name server: %w", err)
	}
	w.serveNames(listener)
	return nil
}

// ownSockets are sockets of the gateway itself: netstack's, or in a simulated lab those of a machine on its Loop.
type ownSockets interface {
	Listen(port uint16, hears func(src, dst netip.Addr) bool) (net.Listener, error)
	Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
	Close()
}

func (w *World) newStation() (ownSockets, error) {
	if w.loop != nil {
		return sim.NewStation(w.gateway, w.loop, w.random()), nil
	}
	return station.New(w.gateway, w.tracer)
}

// namesClock is what the name server of a simulated lab waits by.
type namesClock struct {
	*sim.Loop
	sockets bool // whoever is outside is asked by sockets of this machine, in its time
}

// Outside implements names.Clock.
func (c namesClock) Outside(f func()) {
	if !c.sockets {
		f()
		return
	}
	defer c.Tie()()
	c.Loop.Outside(sim.Reading, f)
}

func (w *World) namesClock() names.Clock {
	if w.loop == nil {
		return nil
	}
	return namesClock{w.loop, w.way != nil && w.way.onMachine}
}

// numbers are random ones for questions where all is to be the same in every run; nil elsewhere.
func (w *World) numbers() *rand.Rand {
	if !w.virtual() {
		return nil
	}
	return w.random()
}

// serveNames answers over TCP until the world goes down.
func (w *World) serveNames(l net.Listener) {
	if w.loop != nil {
		w.loop.Go(func() { w.names.ServeTurns(l) })
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.names.Serve(ctx, l)
	}()
	w.cleanup.add(func() error {
		stop()
		<-ended
		return nil
	})
}

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
