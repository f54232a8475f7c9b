package plan

import "slices"

// veth reads what the near end of a cable is to be called: x-uswitch: {veth: veth1a2b3c4}, at a service's network, or at
// the service for its first card.
func (b *builder) veth(x *section) string {
	name := x.text("veth")
	if name == "" {
		return ""
	}
	if err := ValidateInterfaceName(name); err != nil {
		x.bad("veth", "%v", err)
	} else if slices.Contains(reserved, name) {
		x.bad("veth", "%q means something else to uswitch", name)
	}
	return name
}

// uniqueVeths refuses two devices of one name: ip link lists cables and bridges together.
func (b *builder) uniqueVeths() {
	seen := make(map[string]string)
	for _, n := range b.plan.Networks {
		seen[n.Name] = "a network"
	}
	for _, h := range b.plan.Hosts {
		for _, i := range h.Interfaces {
			if i.Veth == "" {
				continue
			}
			if owner, taken := seen[i.Veth]; taken {
				b.wrong(path{"services", h.Name, "networks", b.keyOf(i.Network), extension, "veth"}, "%q is the name of %s already", i.Veth, owner)
			}
			seen[i.Veth] = "the cable of " + h.Name
		}
	}
}
