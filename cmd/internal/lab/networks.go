package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"

	"uswitch/switch/frame"
	"uswitch/switch/ipam"
)

// Defaults and bounds of a network's settings.
const (
	defaultMTU        = 1500    // Docker's
	minMTU            = 68      // RFC 791: what every link must carry in one piece
	maxMTU            = 65521   // the kernel's for a TAP: 65535 less the Ethernet header
	defaultAgeingTime = 300     // seconds; IEEE 802.1D-2004 table 7-5, and the Linux bridge
	minAgeingTime     = 10      // the same table
	maxAgeingTime     = 1000000 // the same table
	maxFDB            = 1000000 // stations
	// defaultStormLimit is far above what any protocol sends to groups, and far below what a loop of two cables does.
	defaultStormLimit = 10000 // group frames a second
	maxStormLimit     = 100000000
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

// subnet reads a network's ipam. A zero Subnet in the answer asks for one of the default pools.
func (b *builder) subnet(name string) (c ipam.Config) {
	at := path{"networks", name, "ipam", "config"}
	for i, pool := range b.project.Networks[name].Ipam.Config {
		at := at.to(strconv.Itoa(i))
		if p, err := netip.ParsePrefix(pool.Subnet); err == nil && p.Addr().Is6() {
			b.warn(b.line(at), "%s: IPv6 is not supported yet; %v is left out", at, p)
			continue
		}
		if c.Subnet.IsValid() {
			b.wrong(at, "a second IPv4 subnet: want one for each network")
			return c
		}
		c = b.pool(pool, at)
	}
	return c
}

func (b *builder) pool(pool *types.IPAMPool, at path) (c ipam.Config) {
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

// checkOverlap compares a subnet with those before it, with the uplink and, where packets leave through the host's own
// network, with the host's routes: an address that is inside and outside at once could not be reached outside.
func (b *builder) checkOverlap(name string, subnet netip.Prefix, before []string, configs []ipam.Config) {
	at := path{"networks", name, "ipam", "config"}
	for i, other := range before {
		if configs[i].Subnet.IsValid() && subnet.Overlaps(configs[i].Subnet) {
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
	x.get("fdb") // read once the hosts are known
	b.pools[name] = pool
	b.owners[name] = map[string]string{pool.Gateway().String(): "the gateway", n.GatewayMAC.String(): "the gateway"}
	for _, a := range c.Aux {
		b.owners[name][a.String()] = "aux_addresses"
	}
	b.plan.Networks = append(b.plan.Networks, n)
}

// knobs reads the settings of a port, or of a network's ports.
func (b *builder) knobs(x *section, absent PortKnobs) PortKnobs {
	return PortKnobs{
		Learning:   x.boolean("learning", absent.Learning),
		Flood:      x.boolean("flood", absent.Flood),
		McastFlood: x.boolean("mcast_flood", absent.McastFlood),
		BcastFlood: x.boolean("bcast_flood", absent.BcastFlood),
		Isolated:   x.boolean("isolated", absent.Isolated),
		StormLimit: x.number("storm_limit", 0, maxStormLimit, absent.StormLimit),
	}
}

func (b *builder) optionMTU(config types.NetworkConfig, at path) int {
	text, ok := config.DriverOpts[optionMTU]
	if !ok {
		return defaultMTU
	}
	mtu, err := strconv.Atoi(text)
	if err != nil || mtu < minMTU || mtu > maxMTU {
		b.wrong(at.to("driver_opts", optionMTU), "%q: want a whole number from %d to %d", clip(text, 40), minMTU, maxMTU)
	}
	return mtu
}

// optionMasquerade also warns of the options that are not acted on.
func (b *builder) optionMasquerade(config types.NetworkConfig, at path) bool {
	at = at.to("driver_opts")
	for _, key := range sortedKeys(config.DriverOpts) {
		if key != optionMTU && key != optionMasquerade {
			b.warn(b.line(at.to(key)), "%s: not acted on (%s)", clip(key, 80), at[1])
		}
	}
	switch text, ok := config.DriverOpts[optionMasquerade]; {
	case !ok || text == "true":
		return true
	case text == "false":
		return false
	default:
		b.wrong(at.to(optionMasquerade), "%q: want \"true\" or \"false\"", clip(text, 40))
		return true
	}
}

// addressError turns a refusal of the pool into a sentence that names who has the address.
func (b *builder) addressError(network string, a netip.Addr, err error) error {
	if errors.Is(err, ipam.ErrInUse) {
		return fmt.Errorf("%v: %w: %s has it", a, ipam.ErrInUse, b.owners[network][a.String()])
	}
	return err
}
