//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"strconv"
)

func pasta(mtu int) func(*pair) error {
	return func(p *pair) error {
		if err := outside(p); err != nil {
			return err
		}
		err := p.start(p.command(p.b, "pasta", "--foreground", "--quiet", "--runas", "0:0", "--config-net", "--ipv4-only",
			"--mtu", strconv.Itoa(mtu), "--no-map-gw", "-t", fmt.Sprintf("%d:%d", publishedPort, servicePort),
			"-T", "none", "-u", "none", "-U", "none", "--netns", p.a.Path), false)
		if err != nil {
			return err
		}
		p.published = netip.AddrPortFrom(loopback, publishedPort)
		return p.reachable(p.forth())
	}
}
