//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"slices"
)

// The MTUs: the Ethernet's, and the largest, for which most peers are made.
var mtus = []int{1500, 65520}

const toTheHostTitle = "From a namespace to a socket of the host"

// toTheHost is NAT: a host inside talks to servers outside, through sockets of the outside.
func toTheHost() chapter {
	c := chapter{title: toTheHostTitle}
	var peers, slirps, pastas []string
	for _, kind := range []struct {
		name  string
		needs []string
		up    func(mtu int) func(*pair) error
	}{
		{"uswitch", nil, func(mtu int) func(*pair) error { return natLab(mtu) }},
		{"pasta", []string{"pasta"}, pasta},
		{"slirp4netns", []string{"slirp4netns"}, slirp4netns},
		{"gvproxy", []string{"gvproxy", "vm"}, gvproxy},
	} {
		for _, mtu := range mtus {
			name := fmt.Sprintf("%s, MTU %d", kind.name, mtu)
			c.subjects = append(c.subjects, subject{name: name, needs: kind.needs, up: kind.up(mtu)})
			if kind.name != "uswitch" {
				peers = append(peers, name)
			}
			switch kind.name {
			case "slirp4netns":
				slirps = append(slirps, name)
			case "pasta":
				pastas = append(pastas, name)
			}
		}
	}
	c.subjects = append(c.subjects, subject{name: "kernel masquerade", needs: []string{"iptables"}, up: masquerade, slow: true})
	c.cells = []cell{
		{"TCP out, 1 stream", "Gbit/s", true, stream((*pair).forth)},
		{"TCP in, 1 stream", "Gbit/s", true, stream((*pair).forth, "-R")},
		{"TCP out, 4 streams", "Gbit/s", false, stream((*pair).forth, "-P", "4")},
		{"TCP in, 4 streams", "Gbit/s", false, stream((*pair).forth, "-R", "-P", "4")},
		{"new connections", "1/s", true, newConnections((*pair).forth)},
		{"round trip of a byte", "us", true, byteRoundTrip((*pair).forth)},
	}
	for _, mtu := range mtus {
		name := fmt.Sprintf("uswitch, MTU %d", mtu)
		for _, one := range c.cells[:4] {
			c.goals = append(c.goals, goal{cell: one.name, subject: name, beside: peers, name: "the best userspace peer", atLeast: 1.05})
		}
	}
	c.goals = append(c.goals,
		goal{cell: "new connections", subject: "uswitch, MTU 1500", beside: slirps, name: "slirp4netns at its better MTU", atLeast: 1},
		goal{cell: "new connections", subject: "uswitch, MTU 1500", beside: pastas, name: "pasta at its better MTU", atLeast: 0.85},
		goal{cell: "round trip of a byte", subject: "uswitch, MTU 1500", beside: slices.Concat(slirps, pastas), name: "the better of slirp4netns and pasta", atMost: 1.1})
	return c
}

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	serverIP = netip.MustParsePrefix("203.0.113.1/32")
)

// outside gives b an address for its servers, a default route that leads nowhere, and ports enough for thousands of new
// connections a second, which stay in TIME-WAIT for a minute.
func outside(p *pair) error {
	p.target = serverIP.Addr()
	for _, line := range []string{
		"ip addr add " + serverIP.String() + " dev lo",
		"ip link add out type veth peer name nowhere",
		"ip addr add 198.18.0.1/24 dev out",
		"ip link set out up",
		"ip link set nowhere up",
		"ip route add default via 198.18.0.2",
		"sysctl -qw net.ipv4.tcp_tw_reuse=1",
	} {
		if err := p.do(p.b, line); err != nil {
			return err
		}
	}
	for _, line := range []string{"sysctl -qw net.ipv4.tcp_tw_reuse=1"} {
		if err := p.do(p.a, line); err != nil {
			return err
		}
	}
	return nil
}
