//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
)

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
