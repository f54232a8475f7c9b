//go:build linux

package main

import (
	"net/netip"
	"os"
	"strconv"
)

// dockerProxy joins two kernel sockets; it needs no TAP, for the kernel's veth leads to the container.
func dockerProxy(p *pair) error {
	if err := vethPair(p); err != nil {
		return err
	}
	for _, ns := range []string{"sysctl -qw net.ipv4.tcp_tw_reuse=1"} {
		if err := p.do(p.b, ns); err != nil {
			return err
		}
	}
	says, tells, err := os.Pipe() // it tells dockerd by descriptor 3 that it listens
	if err != nil {
		return err
	}
	defer says.Close()
	defer tells.Close()
	cmd := p.command(p.b, "docker-proxy", "-proto", "tcp", "-host-ip", loopback.String(), "-host-port", strconv.Itoa(publishedPort),
		"-container-ip", inside.Addr().String(), "-container-port", strconv.Itoa(servicePort))
	cmd.ExtraFiles = []*os.File{tells}
	if err := p.start(cmd, false); err != nil {
		return err
	}
	p.published = netip.AddrPortFrom(loopback, publishedPort)
	return p.reachable(p.back())
}
