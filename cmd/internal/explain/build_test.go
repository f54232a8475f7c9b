package explain_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/explain"
	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/sim"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// world is a small lab that goes on: it can be asked about, and be used.
type world struct {
	*sim.World
	hosts   []*sim.Host
	outside bool // there is a simulated internet
}

// build makes a world of a text, a line for each thing:
//
//	network br0 11.11.11.0/24      also: mtu 1400; gateway none, else it has the first address
//	host RED br0 11.11.11.2        also: mtu, gateway 11.11.11.9 or none, isolated on, bcast_flood off; a second line is a second interface
//	uplink sim
//	ip_forward 0
//	rule -t nat -A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE
func build(t testing.TB, text string) *world {
	t.Helper()
	b := &builder{networks: map[string]network{}, tracer: new(trace.Tracer), rules: rule.NewTables(rule.IPv4)}
	b.gateway = nat.New(nat.Config{Tracer: b.tracer, Epoch: sim.Epoch, Rules: b.rules, Random: rand.New(rand.NewPCG(0, 0))})
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if err := b.line(words); err != nil {
			t.Fatalf("%s: %v", strings.TrimSpace(line), err)
		}
	}
	o := sim.Origin{Now: sim.Epoch, Switches: b.switches, Gateway: b.gateway, Hosts: b.hosts}
	o.Outside = func(_ *nat.Interface, c *sim.Clock, random *rand.Rand) (sim.Outside, error) {
		return sim.NewInternet(sim.InternetConfig{}, c, random)
	}
	w, err := sim.Fork(o)
	if err != nil {
		t.Fatal(err)
	}
	made := &world{World: w, outside: b.outside}
	for _, h := range b.hosts {
		host, _ := w.Host(h.Name)
		made.hosts = append(made.hosts, host)
	}
	made.run(3 * time.Second)
	return made
}

// builder is a world that is being built.
type builder struct {
	networks map[string]network
	switches []*vswitch.Switch
	hosts    []sim.HostState
	tracer   *trace.Tracer
	rules    *rule.Tables
	gateway  *nat.Gateway
	outside  bool
}

type network struct {
	subnet  netip.Prefix
	gateway netip.Addr // invalid: the gateway is not on it
	mtu     int
}

func (b *builder) line(words []string) error {
	switch words[0] {
	case "network":
		return b.network(words[1], netip.MustParsePrefix(words[2]), options(words[3:]))
	case "host":
		return b.host(words[1], words[2], ip(words[3]), options(words[4:]))
	case "uplink":
		if words[1] == "none" {
			return nil
		}
		b.outside = true
		i, err := b.gateway.Add(nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.168.104.2/24"), Uplink: noUplink{}}, sim.Epoch)
		if err == nil {
			err = b.gateway.AddRoute(everywhere, sim.DefaultNextHop, i)
		}
		return err
	case "rule":
		return b.rules.Apply([]string{strings.Join(words[1:], " ")})
	case "ip_forward":
		b.gateway.SetForwarding(words[1] == "1")
		return nil
	}
	return fmt.Errorf("%s: what is that?", words[0])
}

var everywhere = netip.MustParsePrefix("0.0.0.0/0")

// options are the words that follow, each with its value.
func options(words []string) map[string]string {
	all := map[string]string{}
	for pair := range slices.Chunk(words, 2) {
		all[pair[0]] = pair[1]
	}
	return all
}

func (b *builder) network(name string, subnet netip.Prefix, o map[string]string) error {
	mtu, _ := strconv.Atoi(o["mtu"])
	n := network{subnet: subnet, mtu: cmp.Or(mtu, 1500)}
	s := vswitch.New(vswitch.Config{Name: name, Tracer: b.tracer, Epoch: sim.Epoch})
	b.switches = append(b.switches, s)
	if o["gateway"] != "none" {
		n.gateway = subnet.Addr().Next()
		i, err := b.gateway.Add(nat.InterfaceConfig{Name: name, Addr: netip.PrefixFrom(n.gateway, subnet.Bits()), MAC: frame.MACFromIPv4(n.gateway),
			MTU: n.mtu, Segment: s}, sim.Epoch)
		if err != nil {
			return err
		}
		s.SetLocal(i.MAC(), i)
	}
	b.networks[name] = n
	return nil
}

func (b *builder) host(name, on string, addr netip.Addr, o map[string]string) error {
	i := slices.IndexFunc(b.hosts, func(h sim.HostState) bool { return h.Name == name })
	if i < 0 {
		i = len(b.hosts)
		b.hosts = append(b.hosts, sim.HostState{Name: name})
	}
	h, n := &b.hosts[i], b.networks[on]
	s := b.switches[slices.IndexFunc(b.switches, func(s *vswitch.Switch) bool { return s.Name() == on })]
	flags := vswitch.PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: o["bcast_flood"] != "off", Isolated: o["isolated"] == "on"}
	port, err := s.Attach(name, nobody{}, flags)
	if err != nil {
		return err
	}
	mtu, _ := strconv.Atoi(o["mtu"])
	nic := sim.NICState{Name: fmt.Sprintf("eth%d", len(h.NICs)), Network: on, Port: port.Name(), Addr: netip.PrefixFrom(addr, n.subnet.Bits()),
		MAC: frame.MACFromIPv4(addr), MTU: cmp.Or(mtu, n.mtu)}
	h.NICs = append(h.NICs, nic)
	via := n.gateway
	switch o["gateway"] {
	case "":
	case "none":
		via = netip.Addr{}
	default:
		via = ip(o["gateway"])
	}
	if via.IsValid() && len(h.Routes) == 0 {
		h.Routes = []sim.HostRoute{{Prefix: everywhere, Via: via, NIC: nic.Name}}
	}
	return nil
}

// lab is the world as it can be asked about.
func (w *world) lab() *explain.Lab {
	l := &explain.Lab{Now: w.Clock().Now(), Switches: w.Switches(), Gateway: w.Gateway(), Uplink: explain.Uplink{Kind: explain.None}}
	for _, h := range w.hosts {
		l.Hosts = append(l.Hosts, h.State(l.Now))
	}
	if w.outside {
		l.Uplink = explain.Uplink{Kind: explain.Sim, NextHop: sim.DefaultNextHop}
	}
	return l
}

// run lets the world go on for a while.
func (w *world) run(d time.Duration) {
	end, over := w.Clock().Now().Add(d), false
	w.Clock().At(end, func() { over = true })
	for !over {
		w.Step()
	}
}

// ping lets a host ping once, to the end.
func (w *world) ping(h *sim.Host, dst netip.Addr) {
	over := false
	h.Ask(sim.Question{Proto: frame.ProtoICMP, To: netip.AddrPortFrom(dst, 0)}, time.Second, func(error) { over = true })
	for !over && w.Step() {
	}
}

// setGateway gives a host its default route, in place of one that it may have.
func setGateway(h *sim.Host, via netip.Addr) error {
	h.DeleteRoute(everywhere)
	return h.AddRoute(sim.HostRoute{Prefix: everywhere, Via: via})
}

func setUp(h *sim.Host, up bool) {
	for _, c := range h.NICs() {
		c.SetUp(up)
	}
}
