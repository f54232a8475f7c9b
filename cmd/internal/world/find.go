package world

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan"
	vswitch "uswitch/switch"
)

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
