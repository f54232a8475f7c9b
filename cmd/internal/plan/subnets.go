package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"

	"uswitch/switch/ipam"
)

// subnet reads a network's ipam. A zero Subnet in the answer asks for one of the default pools.
func (b *builder) subnet(name string) (c ipam.Config) {
	at := path{"networks", name, "ipam", "config"}
	for i, pool := range b.project.Networks[name].Ipam.Config {
		at := at.to(strconv.Itoa(i))
		if p, err := netip.ParsePrefix(pool.Subnet); err == nil && p.Addr().Is6() {
			if on := b.project.Networks[name].EnableIPv6; on == nil || !*on {
				b.warn(b.line(at), "%s: %v is left out: the network has no IPv6 without enable_ipv6: true", at, p)
			}
			continue // see ipv6
		}
		if c.Subnet.IsValid() {
			b.wrong(at, "a second IPv4 subnet: want one for each network")
			return c
		}
		c = b.pool(pool, at, parsePrefix, parseAddr)
	}
	return c
}

// pool reads one of a network's subnets, whose family the two functions know.
func (b *builder) pool(pool *types.IPAMPool, at path, parsePrefix func(string) (netip.Prefix, error), parseAddr func(string) (netip.Addr, error)) (c ipam.Config) {
	prefix := func(key, text string) (p netip.Prefix) {
		if text != "" {
			var err error
			if p, err = parsePrefix(text); err != nil {
				b.wrong(at.to(key), "%v", err)
			}
		}
		return p
	}
	address := func(at path, text string) (a netip.Addr) {
		a, err := parseAddr(text)
		if err != nil {
			b.wrong(at, "%v", err)
		}
		return a
	}
	c.Subnet, c.Range = prefix("subnet", pool.Subnet), prefix("ip_range", pool.IPRange)
	if pool.Gateway != "" {
		c.Gateway = address(at.to("gateway"), pool.Gateway)
	}
	for _, name := range sortedKeys(pool.AuxiliaryAddresses) {
		if a := address(at.to("aux_addresses", name), pool.AuxiliaryAddresses[name]); a.IsValid() {
			c.Aux = append(c.Aux, a)
		}
	}
	if pool.Subnet == "" && (c.Gateway.IsValid() || c.Range.IsValid() || c.Aux != nil) {
		b.wrong(at, "subnet is missing: without it, the other addresses mean nothing")
		return ipam.Config{}
	}
	return c
}

// checkOverlap compares a subnet with Docker's own bridge, with those before it, with the uplink and, where packets leave through the host's own
// network, with the host's routes: an address that is inside and outside at once could not be reached outside.
func (b *builder) checkOverlap(name string, subnet, docker0 netip.Prefix, before []string, configs []ipam.Config) {
	at := path{"networks", name, "ipam", "config"}
	if docker0.IsValid() && subnet.Overlaps(docker0) {
		b.wrong(at, "%v: %v: network bridge has %v", subnet, ipam.ErrOverlap, docker0)
	}
	for i, other := range before {
		if configs[i].Subnet.IsValid() && subnet.Overlaps(configs[i].Subnet) && !b.halves(name, other, subnet, configs[i].Subnet) {
			b.wrong(at, "%v: %v: network %s has %v", subnet, ipam.ErrOverlap, other, configs[i].Subnet)
		}
	}
	if up := b.plan.Uplink.Address; up.IsValid() && subnet.Overlaps(up.Masked()) {
		b.wrong(at, "%v: %v: the uplink has %v", subnet, ipam.ErrOverlap, up.Masked())
	}
	if b.plan.Uplink.Kind == UplinkHost && ipam.CheckOverlap(subnet, b.opts.Taken) != nil {
		for _, route := range b.opts.Taken {
			if ipam.CheckOverlap(subnet, []netip.Prefix{route}) != nil {
				b.wrong(at, "%v: %v: this machine has a route to %v, and the uplink is its network", subnet, ipam.ErrOverlap, route)
				return
			}
		}
	}
}

// addressError turns a refusal of the pool into a sentence that names who has the address.
func (b *builder) addressError(network string, a netip.Addr, err error) error {
	if errors.Is(err, ipam.ErrInUse) {
		return fmt.Errorf("%v: %w: %s has it", a, ipam.ErrInUse, b.owners[network][a.String()])
	}
	return err
}

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
			if one.Network != old.Network {
				continue
			}
			if pool := b.pools6[one.Network]; pool != nil && old.Address6.IsValid() && old.Address6.Masked() == pool.Subnet() && pool.Reserve(old.Address6.Addr()) == nil {
				one.Address6 = old.Address6
				b.owners[one.Network][old.Address6.Addr().String()] = h.Name
			}
			pool := b.pools[one.Network]
			if !one.Address.IsValid() && old.Address.Masked() == pool.Subnet() && pool.Reserve(old.Address.Addr()) == nil {
				one.Address = old.Address
				b.owners[one.Network][old.Address.Addr().String()] = h.Name
			}
		}
	}
}
