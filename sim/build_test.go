package sim

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"uswitch/nat"
	"uswitch/nat/rule"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Small labs for tests, on a Clock.

// Topology is everything that a World is built from. It is plain data.
type Topology struct {
	Seed     uint64 // of all chance; 0 is a seed like any other
	Networks []NetworkConfig
	Hosts    []HostConfig
	Internet *InternetConfig // nil: the lab has no way out
	// Rules are lines in iptables syntax, without the word iptables or with it.
	Rules []string
}

// NetworkConfig describes one switch and the gateway's place on it. Zero values of the optional fields mean what they mean
// to vswitch.Config and nat.InterfaceConfig.
type NetworkConfig struct {
	Name       string       // br0
	Subnet     netip.Prefix // required: host addresses belong to it
	Gateway    netip.Addr   // the gateway's address; invalid: the gateway does not stand on this network
	GatewayMAC frame.MAC    // zero: made of the address, as Docker does
	MTU        int          // bytes of an IP packet; 0: 1500
	Filtered   bool         // what is bridged passes the gateway's rules too, as with br_netfilter
	Ageing     time.Duration
	MaxLearned int
}

// HostConfig describes one host.
type HostConfig struct {
	Name string
	NICs []NICConfig // eth0, eth1, ...
	// Gateway is the next hop of the default route; invalid: the gateway of the first network that has one.
	Gateway   netip.Addr
	NoGateway bool // no default route at all
}

// NICConfig describes a host's place on a network: interface, cable and port.
type NICConfig struct {
	Network string
	Addr    netip.Addr
	MAC     frame.MAC  // zero: made of the address, as Docker does
	MTU     int        // bytes of an IP packet; 0: the network's
	Wire    WireConfig // a latency of 0 means DefaultLatency
}

// New builds a world, whose clock stands at Epoch. Nothing happens before the clock runs: the first thing then is that
// the gateway announces its addresses. The error names what is wrong with the topology, and where.
func New(t Topology) (*World, error) {
	w := &builder{World: &World{clock: NewClock(Epoch), tracer: new(trace.Tracer)}, seed: t.Seed, configs: map[string]NetworkConfig{}}
	tables := rule.NewTables(rule.IPv4)
	if err := tables.Apply(t.Rules); err != nil {
		return nil, err
	}
	w.gateway = nat.New(nat.Config{Tracer: w.tracer, Epoch: Epoch, Rules: tables, Random: w.random()})
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
	return w.World, nil
}

// builder is a world that is being built.
type builder struct {
	*World
	seed    uint64
	dice    uint64 // streams of random numbers that were handed out
	configs map[string]NetworkConfig
}

func (w *builder) random() *rand.Rand {
	w.dice++
	return rand.New(rand.NewPCG(w.seed, w.dice))
}

func (w *builder) addNetwork(n NetworkConfig) error {
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
	return nil
}

func (w *builder) addHost(c HostConfig) error {
	if _, taken := w.Host(c.Name); taken || c.Name == "" {
		return errors.New("a host needs a name of its own")
	}
	h := NewHost(w.clock, w.random(), c.Name)
	via := c.Gateway
	for _, nic := range c.NICs {
		if err := w.addNIC(h, nic); err != nil {
			return err
		}
		if n := w.configs[nic.Network]; !via.IsValid() && n.Gateway.IsValid() {
			via = n.Gateway
		}
	}
	w.hosts = append(w.hosts, h)
	if c.NoGateway || !via.IsValid() {
		return nil
	}
	return h.AddRoute(HostRoute{Prefix: everything, Via: via})
}

func (w *builder) addNIC(h *Host, c NICConfig) error {
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
	c.Wire.Latency = cmp.Or(c.Wire.Latency, DefaultLatency)
	wire := NewWire(w.clock, w.random(), c.Wire)
	name := h.name
	if _, taken := s.Port(name); taken {
		name = fmt.Sprintf("%s.eth%d", h.name, len(h.nics)) // a second interface on the same network
	}
	port, err := s.Attach(name, wire, vswitch.PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true})
	if err != nil {
		return err
	}
	wire.PlugPort(func(f frame.Frame) { s.Input(port, f, w.clock.Now()) })
	nic, err := h.addNIC(c.MAC, netip.PrefixFrom(c.Addr, n.Subnet.Bits()), c.MTU, wire)
	if err == nil {
		nic.network, nic.port = n.Name, name
	}
	return err
}

// addInternet gives the gateway a way out: an interface called uplink, and the default route over it.
func (w *builder) addInternet(c InternetConfig) (err error) {
	internet, err := NewInternet(c, w.clock, w.random())
	if err != nil {
		return err
	}
	i, err := w.gateway.Add(nat.InterfaceConfig{Name: "uplink", Addr: internet.Addr(), Uplink: internet}, Epoch)
	if err != nil {
		return err
	}
	internet.Connect(w.gateway, i)
	w.outside = internet
	return w.gateway.AddRoute(everything, internet.NextHop(), i)
}

// RunFor lets the world go on for a while.
func (w *World) RunFor(d time.Duration) {
	end := w.clock.Now().Add(d)
	w.armTick()
	for next, ok := w.clock.Next(); ok && !next.After(end); next, ok = w.clock.Next() {
		w.Step()
	}
	w.clock.RunUntil(end)
}

// RunUntil lets the world go on until done reports true. It returns false if nothing is left to happen before.
func (w *World) RunUntil(done func() bool) bool {
	for !done() {
		if !w.Step() {
			return done()
		}
	}
	return true
}

// PingOptions are those of Ping; zero is what ping does by itself.
type PingOptions struct {
	Count    int // questions to send; 0: one
	Interval time.Duration
	Size     int
	TTL      uint8
	Wait     time.Duration // for each answer
}

// PingResult is what a ping found.
type PingResult struct{ Sent, Received, Errors int }

// Ping lets a host ping, and writes a line for each answer and each error, until every question has been answered or waited for.
func (w *World) Ping(host string, dst netip.Addr, o PingOptions, out io.Writer) (result PingResult, err error) {
	h, ok := w.Host(host)
	if !ok {
		return result, fmt.Errorf("host %q: there is no such host", host)
	}
	wait := cmp.Or(o.Wait, 10*time.Second)
	over := h.ping(dst, o, out, &result)
	for ; result.Sent < max(o.Count, 1); w.Step() {
	}
	end := w.clock.Now().Add(wait)
	w.clock.At(end, func() {})
	w.RunUntil(func() bool { return result.Received+result.Errors >= result.Sent || !w.clock.Now().Before(end) })
	over()
	return result, nil
}

// ping begins to send questions, and counts what comes of them, until stop is called.
func (m *Machine) ping(dst netip.Addr, o PingOptions, out io.Writer, result *PingResult) (stop func()) {
	sent := map[uint16]time.Time{}
	id := m.listenEcho(echoes{replied: func(ip frame.IP) {
		seq := frame.ICMP(ip.Payload()).Seq()
		result.Received++
		fmt.Fprintf(out, "%d bytes from %v: icmp_seq=%d ttl=%d time=%v\n", len(ip.Payload()), ip.Src(), seq, ip.TTL(), m.time.Now().Sub(sent[seq]))
	}, failed: func(e fault) {
		result.Errors++
		quote, _ := e.packet.Quote()
		fmt.Fprintf(out, "From %v icmp_seq=%d %v\n", e.from(), frame.ICMP(quote.Payload()).Seq(), e)
	}})
	var ask func()
	ask = func() {
		result.Sent++
		seq := uint16(result.Sent)
		sent[seq] = m.time.Now()
		route, err := m.net.source(toward(frame.ProtoICMP, netip.AddrPortFrom(dst, 0)))
		if err != nil {
			result.Errors++
			fmt.Fprintln(out, err)
			return
		}
		request := frame.PutEcho(make([]byte, frame.ICMPHeader+cmp.Or(o.Size, 56)), frame.ICMPEcho, id, seq)
		m.send(outgoing{proto: frame.ProtoICMP, src: route.src, dst: dst, ttl: cmp.Or(o.TTL, route.ttl), payload: request}, route.mtu)
		if result.Sent < o.Count {
			m.time.After(cmp.Or(o.Interval, time.Second), ask)
		}
	}
	m.time.After(0, ask)
	return func() { delete(m.echoes, id) }
}

// Origin returns what another world needs to go on from this one as it is now.
func (w *World) Origin() Origin {
	o := Origin{Now: w.clock.Now(), Switches: w.Switches(), Gateway: w.gateway}
	for _, h := range w.hosts {
		o.Hosts = append(o.Hosts, h.State(o.Now))
	}
	if i, ok := w.outside.(*Internet); ok {
		o.Outside = func(_ *nat.Interface, c *Clock, random *rand.Rand) (Outside, error) {
			return NewInternet(i.config, c, random)
		}
	}
	return o
}

// Observe writes down what happens from now on. The function that it returns ends that and returns what was written.
func (w *World) Observe() (text func() (string, error)) {
	var out bytes.Buffer
	ring, sink := trace.NewRing(1<<16, 1<<24, 2048), trace.NewPrinter(&out, trace.TextOptions{})
	w.tracer.Attach(ring)
	return func() (string, error) {
		w.tracer.Detach(ring)
		var e trace.Event
		for {
			lost, ok := ring.TryNext(&e)
			if lost > 0 {
				return "", fmt.Errorf("%d events had no room", lost)
			}
			if !ok {
				err := sink.Flush()
				return out.String(), err
			}
			if err := sink.Event(&e); err != nil {
				return "", err
			}
		}
	}
}

// Get fetches an http URL, asking the DNS server for its host where that is a name, and hands the body of the answer to
// done, once. The error says why there is none.
func (m *Machine) Get(server netip.Addr, address string, done func(body string, err error)) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		done("", fmt.Errorf("%s: want a URL as http://example.com/", address))
		return
	}
	port := uint64(80)
	if u.Port() != "" {
		if port, err = strconv.ParseUint(u.Port(), 10, 16); err != nil {
			done("", fmt.Errorf("%s: port: %w", address, err))
			return
		}
	}
	fetch := func(a netip.Addr) {
		request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", u.RequestURI(), u.Host)
		var answer []byte
		var s *Stream
		s, err := m.Dial(netip.AddrPortFrom(a, uint16(port)), StreamEvents{
			Opened: func() { s.Write([]byte(request)) }, Data: func(b []byte) { answer = append(answer, b...) }, Sent: func() {},
			Ended: func(err error) {
				if err == nil {
					s.Close()
					done(readBody(answer))
					return
				}
				done("", err)
			}})
		if err != nil {
			done("", err)
		}
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && a.Is4() {
		fetch(a)
		return
	}
	m.LookUp(server, u.Hostname(), false, func(a netip.Addr, err error) {
		if err == nil && !a.IsValid() {
			err = ErrNoSuchName
		}
		if err != nil {
			done("", fmt.Errorf("could not resolve host %s: %w", u.Hostname(), err))
			return
		}
		fetch(a)
	})
}

func readBody(b []byte) (string, error) {
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil {
		return "", errors.New("the answer is not HTTP")
	}
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = errors.New(r.Status)
	}
	return string(body), err
}

// Run does everything until nothing is left to do. A world with a gateway whose connection table is not empty goes on
// until the last connection is forgotten, which can be days, but not of anybody's life.
func (c *Clock) Run() {
	for c.Step() {
	}
}

// RunUntil does everything that is due at t or before, and then stands at t.
func (c *Clock) RunUntil(t time.Time) {
	for next, ok := c.Next(); ok && !next.After(t); next, ok = c.Next() {
		c.Step()
	}
	if c.now.Before(t) {
		c.now = t
	}
}

// Hosts returns the hosts in the lab's order.
func (w *World) Hosts() []*Host { return slices.Clone(w.hosts) }
