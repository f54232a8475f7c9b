package lab

import (
	"net/netip"
	"slices"

	"uswitch/switch/frame"
	"uswitch/switch/ipam"
)

// networks builds the switches: those that name a subnet first, so that the others are given one that is free.
func (b *builder) networks() {
	names := b.keys(path{"networks"})
	if _, ok := b.project.Networks["default"]; ok && !slices.Contains(names, "default") {
		names = append(names, "default")
	}
	b.pools, b.owners = make(map[string]*ipam.Pool), make(map[string]map[string]string)
	configs := make([]ipam.Config, len(names))
	taken := slices.Clone(b.opts.Taken)
	if b.plan.Uplink.Address.IsValid() {
		taken = append(taken, b.plan.Uplink.Address.Masked())
	}
	for i, name := range names {
		configs[i] = b.subnet(name)
		if subnet := configs[i].Subnet; subnet.IsValid() {
			b.checkOverlap(name, subnet, names[:i], configs)
			taken = append(taken, subnet)
		}
	}
	for i, name := range names {
		if !configs[i].Subnet.IsValid() {
			subnet, err := ipam.NextSubnet(taken)
			if err != nil {
				b.wrong(path{"networks", name}, "%v", err)
				continue
			}
			configs[i].Subnet = subnet
			taken = append(taken, subnet)
		}
		b.network(name, configs[i])
	}
}

// network builds one switch.
func (b *builder) network(name string, c ipam.Config) {
	at := path{"networks", name}
	config := b.project.Networks[name]
	pool, err := ipam.New(c)
	if err != nil {
		b.wrong(at.to("ipam", "config"), "%v", err)
		return
	}
	x := b.extension(mapping(b.file, at...), at)
	defer x.close()
	n := Network{
		Name: name, Docker: b.plan.Name + "_" + name,
		Subnet: c.Subnet, Range: c.Range, Reserved: c.Aux,
		Gateway:  netip.PrefixFrom(pool.Gateway(), c.Subnet.Bits()),
		Internal: config.Internal,

		MTU:           x.number("mtu", minMTU, maxMTU, b.optionMTU(config, at)),
		Masquerade:    x.boolean("masquerade", b.optionMasquerade(config, at)),
		AgeingTime:    x.number("ageing_time", minAgeingTime, maxAgeingTime, defaultAgeingTime),
		FDBMaxLearned: x.number("fdb_max_learned", 1, maxFDB, 0),
		Port: b.knobs(x, PortKnobs{
			Learning: true, Flood: true, McastFlood: true, BcastFlood: true, StormLimit: defaultStormLimit,
		}),
	}
	if given, ok := mapping(b.file, at...)["name"].(string); ok {
		n.Docker = given
	}
	var ok bool
	if n.GatewayMAC, ok = x.mac("gateway_mac"); !ok {
		n.GatewayMAC = frame.MACFromIPv4(pool.Gateway())
	}
	switch word := x.text("gateway"); word {
	case "", "none":
		n.NoAddress = word == "none"
	default:
		x.bad("gateway", "%q: want none; the address itself stands under ipam.config", clip(word, 40))
	}
	x.get("fdb") // read once the hosts are known
	b.pools[name] = pool
	b.owners[name] = map[string]string{pool.Gateway().String(): "the gateway", n.GatewayMAC.String(): "the gateway"}
	for _, a := range c.Aux {
		b.owners[name][a.String()] = "aux_addresses"
	}
	b.plan.Networks = append(b.plan.Networks, n)
}
