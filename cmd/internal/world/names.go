package world

import (
	"cmp"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world/names"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Names tells what the lab calls its addresses; it is for the heads of journeys.
func Names(p *plan.Plan) trace.Knowing {
	n := labNames{unknown: names.Unknown(names.Of(p)), byIP: map[netip.Addr]string{}, byMAC: map[frame.MAC]string{}}
	for _, network := range p.Networks {
		if network.Gateway.IsValid() {
			n.byIP[network.Gateway.Addr()] = "gateway"
			n.byMAC[network.GatewayMAC] = "gateway"
		}
		if six := network.IPv6; six != nil && six.Gateway.IsValid() {
			n.byIP[six.Gateway.Addr()] = "gateway"
		}
	}
	for _, h := range p.Hosts {
		for _, i := range h.Interfaces {
			n.byIP[i.Address.Addr()] = h.Name
			if i.Address6.IsValid() {
				n.byIP[i.Address6.Addr()] = h.Name
			}
			n.byMAC[i.MAC] = h.Name
		}
	}
	return n
}

type labNames struct {
	unknown func(trace.Language, netip.Addr, string) (string, bool)
	byIP    map[netip.Addr]string
	byMAC   map[frame.MAC]string
}

// Name implements trace.Names.
func (n labNames) Name(a netip.Addr) (string, bool) {
	name, ok := n.byIP[a]
	return name, ok
}

// Unknown implements trace.Knowing.
func (n labNames) Unknown(in trace.Language, asker netip.Addr, name string) (why string, ok bool) {
	return n.unknown(in, asker, name)
}

// NameMAC implements trace.Names.
func (n labNames) NameMAC(m frame.MAC) (string, bool) {
	name, ok := n.byMAC[m]
	return name, ok
}

// Names tells what the lab calls its addresses, as it is whenever it is asked. It may be used from many goroutines.
func (w *World) Names() trace.Knowing { return &namesNow{world: w} }

// namesNow remembers the names of a plan until there is another one.
type namesNow struct {
	world *World
	last  atomic.Pointer[namesOf]
}

type namesOf struct {
	plan  *plan.Plan
	names trace.Knowing
}

func (n *namesNow) now() trace.Knowing {
	plan := n.world.Plan()
	last := n.last.Load()
	if last == nil || last.plan != plan {
		last = &namesOf{plan, Names(plan)}
		n.last.Store(last)
	}
	return last.names
}

// Name implements trace.Names.
func (n *namesNow) Name(a netip.Addr) (string, bool) { return n.now().Name(a) }

// NameMAC implements trace.Names.
func (n *namesNow) NameMAC(m frame.MAC) (string, bool) { return n.now().NameMAC(m) }

// Unknown implements trace.Knowing.
func (n *namesNow) Unknown(in trace.Language, asker netip.Addr, name string) (why string, ok bool) {
	return n.now().Unknown(in, asker, name)
}

// Addresses returns the hosts with their addresses, for filters.
func Addresses(p *plan.Plan) map[string][]netip.Addr {
	all := map[string][]netip.Addr{}
	for _, h := range p.Hosts {
		for _, i := range h.Interfaces {
			all[h.Name] = append(all[h.Name], i.Address.Addr())
		}
	}
	for _, n := range p.Networks {
		if n.Gateway.IsValid() {
			all["gateway"] = append(all["gateway"], n.Gateway.Addr())
		}
	}
	return all
}

// findNetwork finds a network, by its name, its key in the lab file or Docker's name for it; the name may be left out where
// there is only one.
func (w *World) findNetwork(name string) (*Network, error) {
	all := w.Networks()
	if name == "" && len(all) == 1 {
		return all[0], nil
	}
	if plan := w.Plan().Network(name); plan != nil {
		return w.Network(plan.Name), nil
	}
	var names []string
	for _, n := range all {
		names = append(names, n.Plan.Name)
	}
	return nil, fmt.Errorf("network %q: there is no such network; there are %s", name, orNone(names))
}

// orNone lists names, if there are any.
func orNone(names []string) string { return cmp.Or(strings.Join(names, ", "), "none") }

// findHost finds a host.
func (w *World) findHost(name string) (*Host, error) {
	if h := w.Host(name); h != nil {
		return h, nil
	}
	return nil, w.noHost(name)
}

func (w *World) noHost(name string) error {
	var names []string
	for _, h := range w.Hosts() {
		names = append(names, h.Plan.Name)
	}
	return fmt.Errorf("host %q: there is no such host; there are %s", name, orNone(names))
}

// Home returns the host whose namespace and interfaces a host uses: the one that it shares them with, or itself.
func (w *World) Home(h *Host) *Host {
	if h.Plan.Mode == plan.ModeShared {
		if home := w.Host(h.Plan.Shares); home != nil {
			return home
		}
	}
	return h
}

// findNIC finds the interface of a host, plugged in or not; the network may be left out where the host is on one only.
func (w *World) findNIC(host, network string) (*Host, *NIC, error) {
	h, err := w.findHost(host)
	if err != nil {
		return nil, nil, err
	}
	h = w.Home(h)
	if plan := w.Plan().Network(network); plan != nil {
		network = plan.Name
	}
	var on []string
	for _, nic := range h.NICs {
		if nic.Plan.Network == network || network == "" && len(h.NICs) == 1 {
			return h, nic, nil
		}
		on = append(on, nic.Plan.Network)
	}
	if len(on) == 0 {
		return nil, nil, fmt.Errorf("%s is plugged in nowhere", host)
	}
	return nil, nil, fmt.Errorf("%s is on %s: say which with --network", host, strings.Join(on, " and "))
}

// findPort finds the port of a host; the network may be left out where the host is on one only.
func (w *World) findPort(host, network string) (*Network, *vswitch.Port, error) {
	h, err := w.findHost(host)
	if err != nil {
		return nil, nil, err
	}
	h = w.Home(h)
	if plan := w.Plan().Network(network); plan != nil {
		network = plan.Name
	}
	var on []string
	for _, n := range w.Networks() {
		port, ok := n.Switch.Port(h.Plan.Name)
		if !ok {
			continue
		}
		if n.Plan.Name == network || network == "" && len(h.NICs) == 1 {
			return n, port, nil
		}
		on = append(on, n.Plan.Name)
	}
	if len(on) == 0 {
		return nil, nil, fmt.Errorf("%s is plugged in nowhere", host)
	}
	return nil, nil, fmt.Errorf("%s is on %s: say which with --network", host, strings.Join(on, " and "))
}

// fieldsThatDiffer names what differs between two values of one struct type, as the plan's JSON has it: with the new value
// if that is short, as in ageing_time=10. Fields of a list of names are left out.
func fieldsThatDiffer[T any](a, b T, except ...string) (names []string) {
	from, to := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range from.NumField() {
		name, _, _ := strings.Cut(from.Type().Field(i).Tag.Get("json"), ",")
		x, y := from.Field(i).Interface(), to.Field(i).Interface()
		if slices.Contains(except, name) || reflect.DeepEqual(x, y) {
			continue
		}
		switch value := y.(type) {
		case bool:
			name += "=" + map[bool]string{true: "on", false: "off"}[value]
		case string, int:
			name += fmt.Sprintf("=%v", value)
		}
		names = append(names, name)
	}
	return names
}
