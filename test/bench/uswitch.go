//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"uswitch/tap"
)

// switchLab is uswitch with two hosts on a network, nobody listening to the trace.
func switchLab(p *pair, program string, flags ...string) error {
	p.target = addrB.Addr()
	err := p.lab(tap.Namespace{}, program, flags, fmt.Sprintf(`
networks:
  br0: {ipam: {config: [{subnet: %v}]}}
services:
  A:
    networks: {br0: {ipv4_address: %v}}
    x-uswitch: {%s}
  B:
    networks: {br0: {ipv4_address: %v}}
    x-uswitch: {%s}
x-uswitch: {uplink: none, keep_up: true}
`, addrA.Masked(), addrA.Addr(), p.netns(p.a), addrB.Addr(), p.netns(p.b)))
	if err != nil {
		return err
	}
	return p.reachable(p.forth())
}

// The inside host's address, and that of its gateway where the subject lets us choose.
var (
	inside  = netip.MustParsePrefix("10.98.0.2/24")
	gateway = netip.MustParseAddr("10.98.0.1")
)

// natLab is uswitch with one host, whose way out are the sockets of b; a port of it is published.
func natLab(mtu int, flags ...string) func(*pair) error {
	return natLabWith(mtu, inside.Masked(), "", flags...)
}

// natLabWith is natLab with other services beside that host, as the lab file has them.
func natLabWith(mtu int, subnet netip.Prefix, others string, flags ...string) func(*pair) error {
	return func(p *pair) error {
		if err := outside(p); err != nil {
			return err
		}
		p.published = netip.AddrPortFrom(loopback, publishedPort)
		err := p.lab(p.b, p.uswitch, flags, fmt.Sprintf(`
networks:
  br0:
    driver_opts: {com.docker.network.driver.mtu: "%d"}
    ipam: {config: [{subnet: %v, gateway: %v}]}
services:
  A:
    networks: {br0: {ipv4_address: %v}}
    ports: ["127.0.0.1:%d:%d"]
    x-uswitch: {%s}
%sx-uswitch: {uplink: host, allow_host: true, keep_up: true}
`, mtu, subnet, gateway, inside.Addr(), publishedPort, servicePort, p.netns(p.a), others))
		if err != nil {
			return err
		}
		return p.reachable(p.forth())
	}
}

// lab brings a lab up, in a namespace or, if that is none, here.
func (p *pair) lab(in tap.Namespace, program string, flags []string, file string) error {
	name := fmt.Sprintf("bench%d", os.Getpid())
	path := filepath.Join(p.dir, name+".yml")
	if err := os.WriteFile(path, []byte("name: "+name+file), 0o600); err != nil {
		return err
	}
	if in.Path == "" {
		in.Path = "/proc/self/ns/net"
	}
	if len(flags) == 0 || flags[0] != "--trace" {
		flags = append([]string{"--trace", "off"}, flags...)
	}
	if err := p.start(p.command(in, append(append([]string{program, "run"}, flags...), path)...), true); err != nil {
		return err
	}
	err := p.awaitFor(10*time.Minute, "the lab is up", func() bool { return exists(filepath.Join(tap.DefaultDir, name+".sock")) })
	if err == nil && p.rootless {
		err = p.enterRootless()
	}
	return err
}
