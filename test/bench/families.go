//go:build linux

package main

import (
	"fmt"
	"net/netip"

	"uswitch/tap"
)

// bothFamilies is IPv6 beside IPv4: the same labs with the same two hosts, asked for by the address of either family.
func bothFamilies() chapter {
	c := chapter{
		title: "IPv6 beside IPv4",
		subjects: []subject{
			{name: "bridged, IPv4", only: "bridged", up: bridgedLab(addrB.Addr())},
			{name: "bridged, IPv6", only: "bridged", up: bridgedLab(addrB6.Addr())},
			{name: "to the host, IPv4", only: "to the host", up: natLabOfBoth(serverIP.Addr())},
			{name: "to the host, IPv6", only: "to the host", up: natLabOfBoth(serverIP6.Addr())},
		},
		cells: []cell{
			{"bridged: TCP, 1 stream", "Gbit/s", true, stream((*pair).forth)},
			{"bridged: UDP, 1,400 bytes", "kpps", false, datagrams(1400)},
			{"to the host: TCP out, 1 stream", "Gbit/s", true, stream((*pair).forth)},
			{"to the host: TCP in, 1 stream", "Gbit/s", true, stream((*pair).forth, "-R")},
			{"to the host: new connections", "1/s", false, newConnections((*pair).forth)},
		},
	}
	for _, one := range c.cells {
		s := c.subjects[0:2]
		if one.name[0] == 't' {
			s = c.subjects[2:4]
		}
		c.goals = append(c.goals, goal{cell: one.name, subject: s[1].name, beside: []string{s[0].name}, atLeast: 0.95})
	}
	return c
}

var (
	addrB6    = netip.MustParsePrefix("fd99::3/64")
	serverIP6 = netip.MustParsePrefix("2001:db8:99::1/128")
)

// bridgedLab is switchLab with both families.
func bridgedLab(target netip.Addr) func(*pair) error {
	return func(p *pair) error {
		p.target = target
		err := p.lab(tap.Namespace{}, p.uswitch, nil, fmt.Sprintf(`
networks:
  br0: {enable_ipv6: true, ipam: {config: [{subnet: %v}, {subnet: "%v"}]}}
services:
  A: {networks: {br0: {ipv4_address: %v}}, x-uswitch: {%s}}
  B: {networks: {br0: {ipv4_address: %v, ipv6_address: "%v"}}, x-uswitch: {%s}}
x-uswitch: {uplink: none, keep_up: true}
`, addrA.Masked(), addrB6.Masked(), addrA.Addr(), p.netns(p.a), addrB.Addr(), addrB6.Addr(), p.netns(p.b)))
		if err != nil {
			return err
		}
		return p.reachable(p.forth())
	}
}

// natLabOfBoth is natLab with both families.
func natLabOfBoth(target netip.Addr) func(*pair) error {
	return func(p *pair) error {
		if err := outside(p); err != nil {
			return err
		}
		if err := p.do(p.b, "ip addr add "+serverIP6.String()+" dev lo nodad"); err != nil {
			return err
		}
		p.target = target
		err := p.lab(p.b, p.uswitch, nil, fmt.Sprintf(`
networks:
  br0: {enable_ipv6: true, ipam: {config: [{subnet: %v, gateway: %v}, {subnet: "fd98::/64"}]}}
services:
  A: {networks: {br0: {ipv4_address: %v}}, x-uswitch: {%s}}
x-uswitch: {uplink: host, allow_host: true, keep_up: true}
`, inside.Masked(), gateway, inside.Addr(), p.netns(p.a)))
		if err != nil {
			return err
		}
		return p.reachable(p.forth())
	}
}
