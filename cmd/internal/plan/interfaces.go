package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"uswitch/switch/frame"
	"uswitch/switch/ipam"
)

// interfaces builds a host's interfaces in Compose's order: higher priority first, then by the network's name. Addresses
// that the file gives are reserved here; the others are still zero.
func (b *builder) interfaces(service types.ServiceConfig, at path) []Interface {
	interfaces := []Interface{}
	if service.NetworkMode == "bridge" && b.pools[defaultBridgeName] != nil {
		n := b.plan.Network(defaultBridgeName)
		one := Interface{Network: n.Name, MTU: n.MTU, Port: n.Port}
		if service.MacAddress != "" {
			one.MAC = b.reserveMAC(n.Name, service.Name, service.MacAddress, at.to("mac_address"))
		}
		interfaces = append(interfaces, one)
	}
	if service.NetworkMode != "" {
		nameInterfaces(interfaces)
		return interfaces
	}
	for i, name := range service.NetworksByPriority() {
		at := at.to("networks", name)
		if _, ok := b.project.Networks[name]; !ok {
			b.wrong(at, "no such network: %s", oneOf(sortedKeys(b.project.Networks)))
			continue
		}
		network := b.switches[name]
		if b.pools[network] == nil {
			continue // what is wrong with the network has been said
		}
		attachment := service.Networks[name]
		if attachment == nil {
			attachment = &types.ServiceNetworkConfig{}
		}
		if i == 0 && attachment.MacAddress == "" && service.MacAddress != "" {
			attachment.MacAddress = service.MacAddress
			b.reserveMAC(network, service.Name, attachment.MacAddress, path{"services", service.Name, "mac_address"})
		} else if attachment.MacAddress != "" {
			b.reserveMAC(network, service.Name, attachment.MacAddress, at.to("mac_address"))
		}
		interfaces = append(interfaces, b.attach(service.Name, network, attachment, at))
	}
	nameInterfaces(interfaces)
	for i, one := range interfaces {
		if slices.ContainsFunc(interfaces[:i], func(o Interface) bool { return o.Name == one.Name }) {
			b.wrong(at.to("networks", b.keyOf(one.Network), "interface_name"), "%q is the name of another interface of %s", one.Name, service.Name)
		}
	}
	return interfaces
}

// attach builds one interface as far as the file describes it.
func (b *builder) attach(host, network string, a *types.ServiceNetworkConfig, at path) Interface {
	n := b.plan.Network(network)
	x := b.extension(mapping(b.file, at...), at)
	defer x.close()
	i := Interface{
		Name:    a.InterfaceName,
		Network: network,
		MTU:     x.number("mtu", minMTU, maxMTU, n.MTU),
		Port:    b.portFlags(x, n.Port),
		Aliases: slices.Compact(slices.Sorted(slices.Values(a.Aliases))),
		Veth:    b.veth(x),

		GatewayPriority: a.GatewayPriority,
	}
	if i.Name != "" {
		if err := ValidateInterfaceName(i.Name); err != nil {
			b.wrong(at.to("interface_name"), "%v", err)
		}
	}
	for _, alias := range i.Aliases {
		if err := ValidateName("alias", alias); err != nil {
			b.wrong(at.to("aliases"), "%v", err)
		}
	}
	if service := b.serviceOf(host).service; service != host && !slices.Contains(i.Aliases, service) {
		i.Aliases = append(i.Aliases, service)
		slices.Sort(i.Aliases)
	}
	i.Links = b.links(host)
	if a.MacAddress != "" {
		i.MAC, _ = parseStation(a.MacAddress) // what is wrong with it has been said
	}
	if a.Ipv4Address != "" {
		i.Address = b.reserve(b.pools[network], parseAddr, host, network, a.Ipv4Address, at.to("ipv4_address"))
	}
	if at := at.to("ipv6_address"); a.Ipv6Address != "" && n.IPv6 == nil {
		b.wrong(at, "%s has no IPv6: want enable_ipv6: true", n.Key)
	} else if a.Ipv6Address != "" && b.pools6[network] != nil {
		i.Address6 = b.reserve(b.pools6[network], parseAddr6, host, network, a.Ipv6Address, at)
	}
	return i
}

// links reads what a host alone calls other services: links: [db, "db:database"].
func (b *builder) links(host string) (all []Link) {
	for _, text := range b.project.Services[host].Links {
		at := path{"services", host, "links"}
		service, alias, renamed := strings.Cut(text, ":")
		if len(b.hostsOf(service)) == 0 {
			b.wrong(at, "%q: no such service: %s", clip(text, 60), oneOf(sortedKeys(b.project.Services)))
			continue
		}
		if !renamed {
			continue // which everybody calls it
		}
		if err := ValidateName("link", alias); err != nil {
			b.wrong(at, "%v", err)
			continue
		}
		all = append(all, Link{Name: service, Alias: alias})
	}
	slices.SortFunc(all, func(p, q Link) int { return strings.Compare(p.Alias, q.Alias) })
	return all
}

// reserve takes the address that the file gives to a host.
func (b *builder) reserve(pool *ipam.Pool, parse func(string) (netip.Addr, error), host, network, text string, at path) netip.Prefix {
	a, err := parse(text)
	if err == nil {
		if err = pool.Reserve(a); err != nil {
			err = b.addressError(network, a, err)
		}
	}
	if err != nil {
		b.wrong(at, "%v", err)
		return netip.Prefix{}
	}
	b.owners[network][a.String()] = host
	return netip.PrefixFrom(a, pool.Subnet().Bits())
}

// reserveMAC notes whose a MAC address is, and returns it. On one switch, two stations with one address would take the
// table's entry from each other with every frame.
func (b *builder) reserveMAC(network, host, text string, at path) frame.MAC {
	m, err := parseStation(text)
	if err != nil {
		b.wrong(at, "%v", err)
		return m
	}
	if owner, taken := b.owners[network][m.String()]; taken {
		b.wrong(at, "%v: %s has this MAC address on %s already", m, owner, network)
		return m
	}
	b.owners[network][m.String()] = host
	return m
}

// giveAddresses hands out what the file has left open.
func (b *builder) giveAddresses(h *Host) {
	for i := range h.Interfaces {
		one := &h.Interfaces[i]
		at := path{"services", h.Name, "networks", b.keyOf(one.Network)}
		if !one.Address.IsValid() {
			pool := b.pools[one.Network]
			a, err := pool.Allocate()
			if err != nil {
				b.wrong(at, "no address for %s on %s: %v", h.Name, one.Network, err)
				continue
			}
			b.owners[one.Network][a.String()] = h.Name
			one.Address = netip.PrefixFrom(a, pool.Subnet().Bits())
		}
		b.giveAddress6(h, one, at)
		if one.MAC == (frame.MAC{}) {
			one.MAC = frame.MACFromIPv4(one.Address.Addr())
			b.reserveMAC(one.Network, h.Name, one.MAC.String(), at)
		}
	}
}

// keyOf returns what the file calls a network.
func (b *builder) keyOf(network string) string { return b.plan.Network(network).Key }

// nameInterfaces calls the interfaces that have no name of their own by the lowest free ethN, as Docker does.
func nameInterfaces(interfaces []Interface) {
	taken := make(map[string]bool)
	for _, i := range interfaces {
		taken[i.Name] = true
	}
	next := 0
	for i := range interfaces {
		for interfaces[i].Name == "" {
			if name := fmt.Sprint("eth", next); !taken[name] {
				interfaces[i].Name = name
			}
			next++
		}
	}
}

// fdb reads the networks' static stations, now that it is known who is on which network:
//
//	fdb:
//	  - {mac: 02:42:0b:0b:0b:03, host: BLUE}
//	  - {mac: 02:42:0b:0b:0b:63, host: RED, sticky: true}
func (b *builder) fdb() {
	for i := range b.plan.Networks {
		n := &b.plan.Networks[i]
		at := path{"networks", n.Key}
		x := b.extension(mapping(b.file, at...), at)
		seen := make(map[string]bool)
		for j, item := range x.list("fdb", "mappings with mac and host") {
			entry := b.section(item, x.at.to("fdb", strconv.Itoa(j)))
			mac, ok := entry.mac("mac")
			e := FDBEntry{MAC: mac, Host: entry.text("host"), Sticky: entry.boolean("sticky", false)}
			entry.close()
			switch {
			case !ok:
				if entry.values["mac"] == nil {
					b.wrong(entry.at, "mac is missing")
				}
			case !b.attached(e.Host, n.Name):
				b.wrong(entry.at, "host %q is not on %s", clip(e.Host, 60), n.Key)
			case seen[mac.String()]:
				b.wrong(entry.at, "%v stands in this list already", mac)
			}
			seen[mac.String()] = true
			n.FDB = append(n.FDB, e)
		}
	}
}

func (b *builder) attached(host, network string) bool {
	h := b.plan.Host(host)
	if h == nil {
		return false
	}
	for _, i := range h.Interfaces {
		if i.Network == network {
			return true
		}
	}
	return false
}
