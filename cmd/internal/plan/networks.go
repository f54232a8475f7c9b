package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/netip"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"

	"uswitch/switch/frame"
	"uswitch/switch/ipam"
)

// networks builds the switches: Docker's own bridge first, if anybody is on it; then those that name a subnet, so that the
// others are given one that is free.
func (b *builder) networks() {
	keys := b.keys(path{"networks"})
	if _, ok := b.project.Networks["default"]; ok && !slices.Contains(keys, "default") {
		keys = append(keys, "default")
	}
	b.switchNames(keys)
	b.pools, b.pools6, b.owners = make(map[string]*ipam.Pool), make(map[string]*ipam.Pool), make(map[string]map[string]string)
	taken := slices.Clone(b.opts.Taken)
	if b.plan.Uplink.Address.IsValid() {
		taken = append(taken, b.plan.Uplink.Address.Masked())
	}
	taken = append(taken, b.keptSubnets()...)
	docker0 := b.docker0(&taken)

	configs := make([]ipam.Config, len(keys))
	for i, key := range keys {
		configs[i] = b.subnet(key)
		if subnet := configs[i].Subnet; subnet.IsValid() {
			b.checkOverlap(key, subnet, docker0, keys[:i], configs)
			taken = append(taken, subnet)
		}
	}
	for i, key := range keys {
		if !configs[i].Subnet.IsValid() {
			configs[i].Subnet = b.keptSubnet(b.switches[key], configs)
		}
		if !configs[i].Subnet.IsValid() {
			subnet, err := ipam.NextSubnet(taken)
			if err != nil {
				b.wrong(path{"networks", key}, "%s: %v", noPool, err)
				continue
			}
			configs[i].Subnet = subnet
			taken = append(taken, subnet)
		}
		b.network(key, configs[i])
	}
}

// noPool is what Docker said for years when no default pool was left, and what people search for; the sentence of ipam's
// error, which follows it, is that of newer versions.
const noPool = "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network"

// docker0 takes the first free default pool for Docker's own bridge, as every Docker host has done before it makes other
// networks; and makes that bridge if the lab has use for it. It returns its subnet if so.
func (b *builder) docker0(taken *[]netip.Prefix) (subnet netip.Prefix) {
	subnet, err := b.keptSubnet(defaultBridgeName, nil), error(nil)
	if !subnet.IsValid() {
		subnet, err = ipam.NextSubnet(*taken)
	}
	if err == nil {
		*taken = append(*taken, subnet)
	}
	if !b.defaultBridge {
		return netip.Prefix{}
	}
	if err != nil {
		b.mistake(0, nil, "network bridge: %s: %v", noPool, err)
		return netip.Prefix{}
	}
	b.add(Network{
		Name: defaultBridgeName, Docker: defaultBridgeDocker,
		MTU: defaultMTU, Masquerade: true, ICC: true, GatewayMode: "nat", HostIP: netip.IPv4Unspecified(),
		Options: map[string]string{
			"com.docker.network.bridge.default_bridge": "true",
			optionICC: "true", optionMasquerade: "true", optionHostIP: "0.0.0.0", optionName: defaultBridgeName, optionMTU: "1500",
		},
		AgeingTime: defaultAgeingTime, Port: defaultFlags,
	}, ipam.Config{Subnet: subnet}, nil)
	return subnet
}

// network builds one switch of the file.
func (b *builder) network(key string, c ipam.Config) {
	at := path{"networks", key}
	config := b.project.Networks[key]
	x := b.extension(mapping(b.file, at...), at)
	defer x.close()
	tunnel, mtu := b.tunnel(config, x, at)
	o := b.options(config, at, tunnel != nil)
	if tunnel == nil || config.DriverOpts[optionMTU] != "" {
		mtu = o.mtu()
	}
	n := Network{
		Name: b.switches[key], Key: key, Docker: b.dockerName(key),
		Internal: config.Internal, Attachable: config.Attachable,
		ICC: o.boolean(optionICC, true), GatewayMode: o.gatewayMode(config.Internal), HostIP: o.hostIP(), Options: optionsOf(config),

		MTU:           x.number("mtu", minMTU, maxMTU, mtu),
		Masquerade:    x.boolean("masquerade", o.boolean(optionMasquerade, true)),
		AgeingTime:    x.number("ageing_time", minAgeingTime, maxAgeingTime, defaultAgeingTime),
		FDBMaxLearned: x.number("fdb_max_learned", 1, maxFDB, 0),
		GroupFwdMask:  groups(x),
		Port:          b.portFlags(x, defaultFlags),
		Tunnel:        tunnel,
	}
	n.GatewayMAC, _ = x.mac("gateway_mac")
	switch word := x.text("gateway"); word {
	case "", "none":
		n.NoAddress = word == "none"
	default:
		x.bad("gateway", "%q: want none; the address itself stands under ipam.config", clip(word, 40))
	}
	switch kind := NetworkKind(x.text("kind")); kind {
	case KindNetwork, KindInterface:
		n.Kind = kind
	default:
		x.bad("kind", "%q: want interface, or nothing for a network", clip(string(kind), 40))
	}
	n.IPv6 = b.ipv6(key, x, o, n.MTU)
	x.get("fdb") // read once the hosts are known
	b.add(n, c, at)
}

// optionsOf copies driver_opts.
func optionsOf(config types.NetworkConfig) map[string]string {
	if len(config.DriverOpts) == 0 {
		return nil
	}
	return config.DriverOpts
}

// add opens the book of a network's addresses and puts the network into the plan. at is its place in the file.
func (b *builder) add(n Network, c ipam.Config, at path) {
	c.NoGateway = n.GatewayMode == "isolated" && !c.Gateway.IsValid()
	pool, err := ipam.New(c)
	if err == nil && n.NoAddress && pool.Gateway().IsValid() {
		n.Gateway = netip.PrefixFrom(pool.Gateway(), c.Subnet.Bits())
		pool, err = n.poolOf(c)
	}
	if err != nil {
		b.wrong(at.to("ipam", "config"), "%v", err)
		return
	}
	owners := make(map[string]string)
	if gateway := pool.Gateway(); gateway.IsValid() {
		owners[gateway.String()] = "the gateway"
	}
	switch {
	case n.GatewayMode == "isolated":
		n.GatewayMAC, n.Gateway = frame.MAC{}, netip.Prefix{}
	case n.NoAddress:
		if n.GatewayMAC == (frame.MAC{}) {
			n.GatewayMAC = frame.MACFromIPv4(c.Subnet.Addr()) // that of no host, whatever address each gets
		}
		owners[n.GatewayMAC.String()] = "the gateway"
	default:
		n.Gateway = netip.PrefixFrom(pool.Gateway(), c.Subnet.Bits())
		if n.GatewayMAC == (frame.MAC{}) {
			n.GatewayMAC = frame.MACFromIPv4(pool.Gateway())
		}
		owners[n.GatewayMAC.String()] = "the gateway"
	}
	for _, a := range c.Aux {
		owners[a.String()] = "aux_addresses"
	}
	n.Subnet, n.Range, n.Reserved = c.Subnet, c.Range, c.Aux
	b.pools[n.Name], b.owners[n.Name] = pool, owners
	if other := b.otherHalf(&n); other != nil {
		b.pools[n.Name], b.owners[n.Name] = b.pools[other.Name], b.owners[other.Name]
		maps.Copy(b.owners[n.Name], owners)
		if n.Gateway.IsValid() {
			if err := b.pools[n.Name].Reserve(n.Gateway.Addr()); err != nil {
				b.wrong(at.to("ipam", "config"), "gateway %v: %v", n.Gateway.Addr(), err)
			}
		}
	}
	b.addIPv6(&n, at)
	b.plan.Networks = append(b.plan.Networks, n)
}

// What Docker's own bridge is called.
const (
	defaultBridgeDocker = "bridge"  // as a network
	defaultBridgeName   = "docker0" // as a device
)

// predefined are the networks that every Docker host has.
var predefined = []string{"bridge", "host", "none"}

// ID returns the network's 64 hexadecimal digits. Docker draws them by lot; here they come from the network's name there,
// and are the same in every run.
func (n *Network) ID() string { return networkID(n.Docker) }

func networkID(docker string) string {
	sum := sha256.Sum256([]byte("network\x00" + docker))
	return hex.EncodeToString(sum[:])
}

// IsDefaultBridge reports whether this is Docker's own bridge, docker0, on which hosts are if they ask for no network. It
// differs from others above all in that names mean nothing there.
func (n *Network) IsDefaultBridge() bool { return n.Docker == defaultBridgeDocker }

// switchNames gives every network of the file the name of its switch, by key, and refuses names that are there twice.
func (b *builder) switchNames(keys []string) {
	b.switches = make(map[string]string)
	seen, docker := make(map[string]string), make(map[string]string)
	if b.defaultBridge {
		seen[defaultBridgeName] = "network_mode: bridge"
	}
	for _, name := range predefined {
		docker[name] = "Docker itself"
	}
	for _, key := range keys {
		at := path{"networks", key}
		full := b.dockerName(key)
		if owner, taken := docker[full]; taken {
			b.wrong(at.to("name"), "network with name %s already exists: %s has it", full, owner)
		}
		docker[full] = key
		name := b.project.Networks[key].DriverOpts[optionName]
		switch {
		case name != "":
			at = at.to("driver_opts", optionName)
			if err := ValidateInterfaceName(name); err != nil {
				b.wrong(at, "%v", err)
			} else if slices.Contains(reserved, name) {
				b.wrong(at, "%q means something else to uswitch", name)
			}
		case key != "default" && ValidateInterfaceName(key) == nil:
			name = key
		default:
			name = "br-" + networkID(full)[:12]
		}
		if owner, taken := seen[name]; taken {
			b.wrong(at, "bridge name %s is already used, by %s", name, owner)
		}
		seen[name] = key
		b.switches[key] = name
	}
}

// dockerName returns what docker network ls would call a network of the file.
func (b *builder) dockerName(key string) string {
	if given, ok := mapping(b.file, "networks", key)["name"].(string); ok && given != "" {
		return given
	}
	return b.plan.Name + "_" + key
}
