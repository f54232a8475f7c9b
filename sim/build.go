package sim

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"uswitch/nat"
	"uswitch/nat/rule"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// New builds a world, whose clock stands at Epoch. Nothing happens before the clock runs: the first thing then is that
// the gateway announces its addresses. The error names what is wrong with the topology, and where.
func New(t Topology) (*World, error) {
	w := &World{clock: NewClock(), seed: t.Seed, tracer: new(trace.Tracer), configs: map[string]NetworkConfig{},
		names: names{}}
	tables := rule.NewTables(rule.IPv4)
	if err := tables.Apply(t.Rules); err != nil {
		return nil, err
	}
	w.gateway = nat.New(nat.Config{Tracer: w.tracer, Epoch: Epoch, Rules: tables, Random: w.random(),
		NoForwarding: t.NoForwarding})
	for _, n := range t.Networks {
		if err := w.addNetwork(n); err != nil {
			return nil, err
		}
	}
	for _, h := range t.Hosts {
		if err := w.addHost(h); err != nil {
			return nil, fmt.Errorf("host %s: %w", h.Name, err)
		}
	}
	if t.Internet != nil {
		if err := w.addInternet(*t.Internet); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// random returns a new stream of random numbers. Everything that throws dice has its own, so that a loss on one cable
// changes nothing on another.
func (w *World) random() *rand.Rand {
	w.streams++
	return rand.New(rand.NewPCG(w.seed, w.streams))
}

func (w *World) addNetwork(n NetworkConfig) error {
	switch {
	case n.Name == "":
		return fmt.Errorf("network %v: it needs a name", n.Subnet)
	case w.configs[n.Name].Name != "":
		return fmt.Errorf("network %s: there are two of that name", n.Name)
	case !n.Subnet.IsValid() || !n.Subnet.Addr().Is4():
		return fmt.Errorf("network %s: subnet %v: want an IPv4 prefix, as in 11.11.11.0/24", n.Name, n.Subnet)
	case n.Gateway.IsValid() && !n.Subnet.Contains(n.Gateway):
		return fmt.Errorf("network %s: gateway %v is not in %v", n.Name, n.Gateway, n.Subnet)
	}
	s := vswitch.New(vswitch.Config{Name: n.Name, Ageing: n.Ageing, MaxLearned: n.MaxLearned, Tracer: w.tracer, Epoch: Epoch})
	if n.Filtered {
		s.SetFilter(w.gateway.Bridge(n.Name, s))
	}
	w.switches = append(w.switches, s)
	w.configs[n.Name] = n
	if !n.Gateway.IsValid() {
		return nil
	}
	if n.GatewayMAC == (frame.MAC{}) {
		n.GatewayMAC = frame.MACFromIPv4(n.Gateway)
	}
	i, err := w.gateway.Add(nat.InterfaceConfig{Name: n.Name, Addr: netip.PrefixFrom(n.Gateway, n.Subnet.Bits()),
		MAC: n.GatewayMAC, MTU: n.MTU, Segment: s}, Epoch)
	if err != nil {
		return err
	}
	s.SetLocal(n.GatewayMAC, i)
	w.names.add("gateway", n.Gateway, n.GatewayMAC)
	return nil
}

func (w *World) addHost(c HostConfig) error {
	if _, taken := w.Host(c.Name); taken || c.Name == "" {
		return errors.New("a host needs a name of its own")
	}
	h := NewHost(w.clock, w.random(), c.Name)
	via := c.Gateway
	for _, card := range c.Cards {
		if err := w.addCard(h, card); err != nil {
			return err
		}
		if n := w.configs[card.Network]; !via.IsValid() && n.Gateway.IsValid() {
			via = n.Gateway
		}
	}
	w.hosts = append(w.hosts, h)
	if c.NoGateway || !via.IsValid() {
		return nil
	}
	return h.SetGateway(via)
}

func (w *World) addCard(h *Host, c CardConfig) error {
	s, ok := w.Switch(c.Network)
	if !ok {
		return fmt.Errorf("network %q: there is no such network", c.Network)
	}
	n := w.configs[c.Network]
	if !n.Subnet.Contains(c.Addr) {
		return fmt.Errorf("address %v is not in network %s, %v", c.Addr, n.Name, n.Subnet)
	}
	if c.MAC == (frame.MAC{}) {
		c.MAC = frame.MACFromIPv4(c.Addr)
	}
	if !c.MAC.IsStation() {
		return fmt.Errorf("MAC %v cannot be the address of one station", c.MAC)
	}
	if c.MTU = cmp.Or(c.MTU, n.MTU, 1500); c.MTU < 68 || c.MTU > 65535 {
		return fmt.Errorf("MTU %d: want 68 to 65535", c.MTU)
	}
	knobs := vswitch.DefaultKnobs()
	if c.Knobs != nil {
		knobs = *c.Knobs
	}
	c.Wire.Latency = cmp.Or(c.Wire.Latency, DefaultLatency)
	wire := NewWire(w.clock, w.random(), c.Wire)
	name := h.name
	if _, taken := s.Port(name); taken {
		name = fmt.Sprintf("%s.eth%d", h.name, len(h.cards)) // a second card on the same network
	}
	port, err := s.Attach(name, wire, knobs)
	if err != nil {
		return err
	}
	wire.PlugPort(func(f frame.Frame) { s.Input(port, f, w.clock.Now()) })
	w.names.add(h.name, c.Addr, c.MAC)
	card, err := h.addCard(c.MAC, netip.PrefixFrom(c.Addr, n.Subnet.Bits()), c.MTU, wire)
	if err == nil {
		card.network, card.port = n.Name, name
	}
	return err
}

// addInternet gives the gateway a way out: an interface called uplink, and the default route over it.
func (w *World) addInternet(c InternetConfig) (err error) {
	if w.internet, err = NewInternet(c, w.clock, w.random()); err != nil {
		return err
	}
	i, err := w.gateway.Add(nat.InterfaceConfig{Name: "uplink", Addr: w.internet.Addr(), Uplink: w.internet}, Epoch)
	if err != nil {
		return err
	}
	w.internet.Connect(w.gateway, i)
	w.outside = w.internet
	return w.gateway.AddRoute(everything, w.internet.NextHop(), i)
}
