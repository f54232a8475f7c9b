package world

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/nat/uplink"
	"uswitch/sim"
	vswitch "uswitch/switch"
	"uswitch/switch/vxlan"
	"uswitch/tap"
)

// Tunnel is the port of a network to other machines.
type Tunnel struct {
	Plan  *plan.Tunnel // as it was made; peers may have changed since
	world *World
	end   *tunnelEnd
	on    *vswitch.Switch
	where *plan.Network
	plug  atomic.Pointer[plugged]
	peers atomic.Pointer[[]string]
}

// plugged is a tunnel's port, and what it is plugged into, until a fault unplugs it.
type plugged struct {
	port *vswitch.Port
	link *vxlan.Link
}

// Link returns what knows behind which machine stations live.
func (t *Tunnel) Link() *vxlan.Link { return t.plug.Load().link }

// Port returns the switch's port.
func (t *Tunnel) Port() *vswitch.Port { return t.plug.Load().port }

// Peers returns what the network between the machines has said of others; nothing in a lab in memory, where nobody says anything.
func (t *Tunnel) Peers() []uplink.PeerState {
	if t.end.sockets == nil {
		return nil
	}
	return t.end.sockets.Peers()
}

// Overflowed returns how many packets were lost because the socket's queue was full. Networks of one address and port share it.
func (t *Tunnel) Overflowed() uint64 {
	if t.end.sockets == nil || t.end.first != t {
		return 0
	}
	return t.end.sockets.Overflowed()
}

// tunnelEnds are the addresses and ports where packets arrive, each for the networks that share it.
type tunnelEnds map[netip.AddrPort]*tunnelEnd

// tunnelEnd is one of them.
type tunnelEnd struct {
	*vxlan.Endpoint
	sockets *uplink.VTEP // nil in a lab in memory
	first   *Tunnel      // of those that share it, the one that answers for it
	ttl     int
	users   int
	close   func() error
}

// addTunnel plugs a network that no snapshot shows yet into its tunnel, if it has one. It needs a change that has begun.
func (w *World) addTunnel(n *Network) error {
	p := n.Plan.Tunnel
	if p == nil {
		return nil
	}
	wrong := func(err error) error { return fmt.Errorf("network %s: %w", n.Plan.Name, err) }
	peers, err := w.resolve(p.Peers)
	if err != nil {
		return wrong(err)
	}
	local := p.Local
	if !local.IsValid() {
		if local, err = w.sourceFor(peers[0]); err != nil {
			return wrong(fmt.Errorf("local: no address of this machine leads to %s: %w", p.Peers[0], err))
		}
	}
	end, err := w.takeEnd(netip.AddrPortFrom(local, uint16(p.Port)), p.TTL)
	if err != nil {
		return wrong(err)
	}
	t := &Tunnel{Plan: p, world: w, end: end, on: n.Switch, where: n.Plan}
	t.peers.Store(&p.Peers)
	if end.first == nil {
		end.first = t
	}
	n.cleanup.add(func() error { return w.giveEnd(end, t) })
	if err := t.plugIn(peers); err != nil {
		return wrong(err)
	}
	closing, ended := make(chan struct{}), make(chan struct{})
	n.cleanup.add(func() error {
		close(closing)
		err := n.Switch.Detach(t.Port())
		<-ended
		return err
	})
	go func() {
		defer close(ended)
		t.run(closing)
	}()
	n.Tunnel = t
	return nil
}

// plugIn makes the link and the port.
func (t *Tunnel) plugIn(peers []netip.Addr) error {
	link, err := t.end.NewLink(vxlan.Config{Where: t.where.Name, Name: t.Plan.Name, VNI: uint32(t.Plan.VNI), Peers: peers, Learning: t.Plan.Learning,
		Ageing: time.Duration(t.where.AgeingTime) * time.Second, MaxLearned: t.where.FDBMaxLearned, Epoch: t.world.epoch})
	if err != nil {
		return err
	}
	flags := trunk(PortFlags(&plan.Interface{MTU: t.where.MTU, Port: t.where.Port}))
	port, err := t.on.Attach(t.Plan.Name, link, flags)
	if err != nil {
		return err
	}
	if err := link.Push(port.Carry); err != nil {
		return errors.Join(err, t.on.Detach(port))
	}
	t.plug.Store(&plugged{port, link})
	return nil
}

// run keeps the port plugged in, and the addresses of peers that have names up to date.
func (t *Tunnel) run(closing <-chan struct{}) {
	for {
		unplugged := make(chan error, 1)
		go func() { unplugged <- t.Port().Run() }()
		err := t.follow(unplugged, closing)
		if err == nil {
			return
		}
		t.world.report(fmt.Sprintf("%s: unplugged, and plugged in again in %v: %v", t.Plan.Name, faultPause, err))
		select {
		case <-closing:
			return
		case <-time.After(faultPause):
		}
		if err := t.plugIn(t.Link().Peers()); err != nil {
			t.world.report(fmt.Sprintf("%s: %v", t.Plan.Name, err))
			return
		}
	}
}

// resolveEvery is how often names of peers are asked for.
const resolveEvery = 15 * time.Second

// follow waits for the end of the port, and changes the peers when their names mean other addresses.
func (t *Tunnel) follow(unplugged <-chan error, closing <-chan struct{}) error {
	tick := time.NewTicker(resolveEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-unplugged:
			return err
		case <-closing:
			return <-unplugged // by whoever closes
		case <-tick.C:
		}
		names := *t.peers.Load()
		if !slices.ContainsFunc(names, named) {
			continue
		}
		now, err := t.world.resolve(names)
		if before := t.Link().Peers(); err == nil && !slices.Equal(before, now) {
			t.Link().SetPeers(now)
			t.world.report(fmt.Sprintf("%s: peers %s are %v now, no longer %v", t.Plan.Name, strings.Join(names, ", "), now, before))
		}
	}
}

// become changes the peers, and whether what they send is believed.
func (t *Tunnel) become(now *plan.Tunnel) error {
	peers, err := t.world.resolve(now.Peers)
	if err != nil {
		return err
	}
	t.peers.Store(&now.Peers)
	t.Link().SetPeers(peers)
	t.Link().SetLearning(now.Learning)
	return nil
}

// takeEnd returns where packets arrive, opened if need be.
func (w *World) takeEnd(at netip.AddrPort, ttl int) (*tunnelEnd, error) {
	if e := w.tunnels[at]; e != nil {
		if e.ttl != ttl {
			return nil, fmt.Errorf("ttl %d: another network at %v has %d, and they share their sockets", ttl, at, e.ttl)
		}
		e.users++
		return e, nil
	}
	e := &tunnelEnd{ttl: ttl, users: 1}
	config := vxlan.EndpointConfig{Local: at, TTL: uint8(ttl), Tracer: w.tracer}
	if w.loop != nil {
		w.simulatedEnd(e, config)
	} else if err := w.openEnd(e, config); err != nil {
		return nil, err
	}
	if w.tunnels == nil {
		w.tunnels = tunnelEnds{}
	}
	w.tunnels[at] = e
	return e, nil
}

// openEnd opens the sockets.
func (w *World) openEnd(e *tunnelEnd, c vxlan.EndpointConfig) error {
	sockets, err := uplink.OpenVTEP(uplink.VTEPConfig{Local: c.Local, TTL: c.TTL, Tracer: w.tracer, Now: w.Now})
	if err != nil {
		return whoHas(c.Local, err)
	}
	c.Socket = sockets
	e.Endpoint, e.sockets = vxlan.NewEndpoint(c), sockets
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sockets.Serve(func(d uplink.Datagrams) { e.Input(vxlan.Arrival(d), w.Now()) }, func() { e.Flush(w.Now()) })
	}()
	e.close = func() error {
		err := sockets.Close()
		<-ended
		return err
	}
	return nil
}

// whoHas adds to the error of a port that is taken which device of the kernel has it: those have no process.
func whoHas(at netip.AddrPort, err error) error {
	if !errors.Is(err, uplink.ErrTaken) || strings.Contains(err.Error(), ", by ") {
		return err
	}
	if devices := tap.TunnelDevices(at.Port()); len(devices) > 0 {
		return fmt.Errorf("%w, by this machine's own device %s: `ip link del` takes that away, and `port` is where to choose another", err, strings.Join(devices, ", "))
	}
	return err
}

// simulatedEnd is an end in memory: of the machines of the lab's own tunnels, and of no others.
func (w *World) simulatedEnd(e *tunnelEnd, c vxlan.EndpointConfig) {
	if w.underlay == nil {
		w.underlay = sim.NewUnderlay(w.loop)
	}
	c.Socket = w.underlay.Socket(c.Local)
	e.Endpoint = vxlan.NewEndpoint(c)
	w.underlay.Open(c.Local, func(d sim.Carried) {
		e.Input(vxlan.Arrival{Data: d.Data, Size: d.Size, From: d.From, TTL: c.TTL, TOS: d.TOS}, w.Now())
		e.Flush(w.Now())
	})
	e.close = func() error {
		w.underlay.Close(c.Local)
		return nil
	}
}

// giveEnd closes an end that nobody uses any more.
func (w *World) giveEnd(e *tunnelEnd, t *Tunnel) error {
	if e.first == t {
		e.first = nil
	}
	if e.users--; e.users > 0 {
		return nil
	}
	delete(w.tunnels, e.Local())
	return e.close()
}

// named reports whether a peer is given by its name.
func named(peer string) bool {
	_, err := netip.ParseAddr(peer)
	return err != nil
}

// resolve returns the addresses of machines.
func (w *World) resolve(peers []string) (all []netip.Addr, err error) {
	for _, peer := range peers {
		if !named(peer) {
			all = append(all, netip.MustParseAddr(peer))
			continue
		}
		if w.loop != nil {
			return nil, fmt.Errorf("peer %s: machines in memory have no names: want an address", peer)
		}
		a, err := lookUp(peer)
		if err != nil {
			return nil, fmt.Errorf("peer %s: no address is known by this name: %w", peer, err)
		}
		all = append(all, a)
	}
	return all, nil
}

func lookUp(name string) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", name)
	if err != nil {
		return netip.Addr{}, err
	}
	return found[0].Unmap(), nil
}

func (w *World) sourceFor(peer netip.Addr) (netip.Addr, error) {
	if w.loop != nil {
		return netip.Addr{}, errors.New("a lab in memory has no routes to follow: `local` says it")
	}
	return SourceFor(peer.String())
}

// SourceFor returns the address from which this machine reaches another one, by address or name. Nothing is sent.
func SourceFor(peer string) (netip.Addr, error) {
	c, err := net.Dial("udp4", net.JoinHostPort(peer, "9"))
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
