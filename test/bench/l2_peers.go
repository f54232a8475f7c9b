//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"uswitch/tap"
)

// linuxBridge is what Docker has: a bridge and two veth pairs. The bridge is in B.
func linuxBridge(p *pair) error {
	for _, line := range []string{
		"ip link add br0 type bridge",
		"ip link set br0 up",
		"ip link add eth0 type veth peer name portb",
		"ip link add porta type veth peer name eth0 netns " + p.a.Path,
		"ip link set porta master br0 up",
		"ip link set portb master br0 up",
		"ip link set eth0 up",
		"ip addr add " + addrB.String() + " dev eth0",
	} {
		if err := p.do(p.b, line); err != nil {
			return err
		}
	}
	return endOfVeth(p)
}

// endOfVeth sets up A's end of a veth pair.
func endOfVeth(p *pair) error {
	p.target = addrB.Addr()
	if err := p.do(p.a, "ip addr add "+addrA.String()+" dev eth0"); err != nil {
		return err
	}
	if err := p.do(p.a, "ip link set eth0 up"); err != nil {
		return err
	}
	return p.reachable(p.forth())
}

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

// openVSwitch is its userspace datapath, with segmentation offload (userspace-tso-enable), and two veth pairs. It runs in B
// with a database of its own.
func openVSwitch(p *pair) error {
	dir, err := os.MkdirTemp(p.dir, "ovs-")
	if err != nil {
		return err
	}
	database, socket := filepath.Join(dir, "conf.db"), "unix:"+filepath.Join(dir, "db.sock")
	vsctl := "ovs-vsctl --timeout=10 --db=" + socket + " "
	if err := p.do(p.b, "ovsdb-tool create "+database+" /usr/share/openvswitch/vswitch.ovsschema"); err != nil {
		return err
	}
	server := p.command(p.b, "ovsdb-server", database, "--remote=p"+socket, "--unixctl="+filepath.Join(dir, "db.ctl"))
	if err := p.start(server, false); err != nil {
		return err
	}
	if err := p.await("ovsdb-server", func() bool { return exists(filepath.Join(dir, "db.sock")) }); err != nil {
		return err
	}
	for _, line := range []string{
		vsctl + "--no-wait init",
		vsctl + "--no-wait set Open_vSwitch . other_config:userspace-tso-enable=true",
	} {
		if err := p.do(p.b, line); err != nil {
			return err
		}
	}
	daemon := p.command(p.b, "ovs-vswitchd", socket, "--unixctl="+filepath.Join(dir, "vswitchd.ctl"), "--disable-system")
	daemon.Env = append(os.Environ(), "OVS_RUNDIR="+dir)
	if err := p.start(daemon, false); err != nil {
		return err
	}
	lines := []string{vsctl + "add-br br0 -- set bridge br0 datapath_type=netdev"}
	for name, ns := range map[string]string{"porta": p.a.Path, "portb": p.b.Path} {
		lines = append(lines,
			fmt.Sprintf("ip link add %s type veth peer name eth0 netns %s", name, ns),
			"ip link set "+name+" up",
			vsctl+"add-port br0 "+name)
	}
	lines = append(lines, "ip addr add "+addrB.String()+" dev eth0", "ip link set eth0 up")
	for _, line := range lines {
		if err := p.do(p.b, line); err != nil {
			return err
		}
	}
	return endOfVeth(p)
}

// cable copies frames from each interface to the other: two loops of read and write, nothing else.
func cable(p *pair, offload bool) error {
	a, err := nic(p, p.a, addrA, macA, offload)
	if err != nil {
		return err
	}
	p.undo(func() { _ = a.Close() })
	b, err := nic(p, p.b, addrB, macB, offload)
	if err != nil {
		return err
	}
	p.undo(func() { _ = b.Close() })
	var copies sync.WaitGroup
	for _, way := range [][2]tap.Device{{a, b}, {b, a}} {
		copies.Go(func() {
			for {
				f, err := way[0].Read()
				if err != nil {
					return
				}
				_ = way[1].Write(f) // a full queue loses the frame, as a cable would
			}
		})
	}
	p.target, p.pids = addrB.Addr(), []int{os.Getpid()}
	p.undo(func() {
		_, _ = a.Close(), b.Close()
		copies.Wait()
	})
	return p.reachable(p.forth())
}
