//go:build linux

package main

import (
	"os"
	"path/filepath"

	"uswitch/tap"
)

// vde is a vde_switch with a plug and a TAP in each namespace.
func vde(p *pair) error {
	dir, err := os.MkdirTemp(p.dir, "vde-")
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, "switch")
	cmd := p.command(p.b, "vde_switch", "-sock", dir)
	if _, err := cmd.StdinPipe(); err != nil { // at whose end it would end
		return err
	}
	if err := p.start(cmd, false); err != nil {
		return err
	}
	if err := p.await("vde_switch", func() bool { return exists(filepath.Join(dir, "ctl")) }); err != nil {
		return err
	}
	for _, end := range []struct {
		ns   tap.Namespace
		addr string
	}{{p.a, addrA.String()}, {p.b, addrB.String()}} {
		if err := p.start(p.command(end.ns, "vde_plug2tap", "-s", dir, "eth0"), false); err != nil {
			return err
		}
		if err := p.await("vde_plug2tap", func() bool { return p.do(end.ns, "ip link show eth0") == nil }); err != nil {
			return err
		}
		for _, line := range []string{"ip addr add " + end.addr + " dev eth0", "ip link set eth0 up"} {
			if err := p.do(end.ns, line); err != nil {
				return err
			}
		}
	}
	p.target = addrB.Addr()
	return p.reachable(p.forth())
}
