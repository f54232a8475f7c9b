package sim

import (
	"net/netip"

	"uswitch/switch/frame"
)

// names are what the lab calls its addresses, netip.Addr and frame.MAC. They implement trace.Names.
type names map[any]string

func (n names) add(name string, a netip.Addr, m frame.MAC) {
	n[a] = name
	n[m] = name
}

// Name implements trace.Names.
func (n names) Name(a netip.Addr) (string, bool) {
	name, ok := n[a]
	return name, ok
}

// NameMAC implements trace.Names.
func (n names) NameMAC(m frame.MAC) (string, bool) {
	name, ok := n[m]
	return name, ok
}
