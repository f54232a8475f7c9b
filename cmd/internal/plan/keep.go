package plan

import (
	"net/netip"
	"slices"

	"uswitch/switch/ipam"
)

// What the file leaves open and a running lab has chosen already stays as it is (LoadOptions.Keep): a host that the file
// still has is not moved because another one came before it.

// keptSubnets lists what the networks of the running lab have, so that nothing new is chosen among it.
func (b *builder) keptSubnets() (all []netip.Prefix) {
	if b.opts.Keep == nil {
		return nil
	}
	for _, n := range b.opts.Keep.Networks {
		all = append(all, n.Subnet)
	}
	return all
}

// keptSubnet returns the subnet that a network has in the running lab, unless the file now gives some of it to another.
func (b *builder) keptSubnet(name string, configs []ipam.Config) netip.Prefix {
	if b.opts.Keep == nil {
		return netip.Prefix{}
	}
	for _, n := range b.opts.Keep.Networks {
		if n.Name == name && !slices.ContainsFunc(configs, func(c ipam.Config) bool {
			return c.Subnet.IsValid() && c.Subnet.Overlaps(n.Subnet)
		}) {
			return n.Subnet
		}
	}
	return netip.Prefix{}
}

// keepOthers sets aside what hosts have that were added by hand.
func (b *builder) keepOthers() {
	if b.opts.Keep == nil || b.opts.Filed == nil {
		return
	}
	for _, h := range b.opts.Keep.Hosts {
		if b.plan.Host(h.Name) != nil || b.opts.Filed.Host(h.Name) != nil {
			continue
		}
		for _, i := range h.Interfaces {
			if pool := b.pools[i.Network]; pool != nil {
				_ = pool.Reserve(i.Address.Addr()) // unless the file gives it to somebody
			}
		}
	}
}

// keepAddresses gives a host the addresses that it has in the running lab, where the file gives none and nobody else is to
// have them.
func (b *builder) keepAddresses(h *Host) {
	if b.opts.Keep == nil || b.opts.Keep.Host(h.Name) == nil {
		return
	}
	for _, old := range b.opts.Keep.Host(h.Name).Interfaces {
		for i := range h.Interfaces {
			one := &h.Interfaces[i]
			if one.Network != old.Network || one.Address.IsValid() {
				continue
			}
			pool := b.pools[one.Network]
			if old.Address.Masked() == pool.Subnet() && pool.Reserve(old.Address.Addr()) == nil {
				one.Address = old.Address
				b.owners[one.Network][old.Address.Addr().String()] = h.Name
			}
		}
	}
}
