//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"uswitch/tap"
)

// slirp4netns forwards a port from every address of b, as its users have it do.
func slirp4netns(mtu int) func(*pair) error {
	return func(p *pair) error {
		if err := outside(p); err != nil {
			return err
		}
		dir, err := os.MkdirTemp(p.dir, "slirp-")
		if err != nil {
			return err
		}
		api := filepath.Join(dir, "api.sock")
		err = p.start(p.command(p.b, "slirp4netns", "--configure", "--mtu="+strconv.Itoa(mtu), "--api-socket", api,
			"--netns-type=path", p.a.Path, "tap0"), false)
		if err != nil {
			return err
		}
		if err := p.await("slirp4netns", func() bool { return exists(api) }); err != nil {
			return err
		}
		if err := p.reachable(p.forth()); err != nil {
			return err
		}
		p.published = netip.AddrPortFrom(loopback, publishedPort)
		return tellSlirp(api, map[string]any{"execute": "add_hostfwd", "arguments": map[string]any{
			"proto": "tcp", "host_addr": "0.0.0.0", "host_port": publishedPort, "guest_port": servicePort}})
	}
}

// tellSlirp sends one request to the API socket: a JSON object, and the end of it is the end of what is sent.
func tellSlirp(api string, request any) error {
	c, err := net.Dial("unix", api)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := json.NewEncoder(c).Encode(request); err != nil {
		return err
	}
	if err := c.(*net.UnixConn).CloseWrite(); err != nil {
		return err
	}
	var answer struct {
		Error *struct{ Desc string }
	}
	if err := json.NewDecoder(c).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return fmt.Errorf("slirp4netns: %s", answer.Error.Desc)
	}
	return nil
}

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

// rootlesskit makes a network namespace of its own, which becomes a. It wants a range of user ids, which root does not have
// as a rule: it sees one in mounts that nobody else sees.
func rootlesskit(p *pair) error {
	dir, err := os.MkdirTemp(p.dir, "rootlesskit-")
	if err != nil {
		return err
	}
	ids, state := filepath.Join(dir, "ids"), filepath.Join(dir, "state")
	if err := os.WriteFile(ids, []byte("root:100000:65536\n"), 0o644); err != nil {
		return err
	}
	script := fmt.Sprintf("mount --bind %[1]s /etc/subuid && mount --bind %[1]s /etc/subgid && exec rootlesskit --state-dir=%[2]s "+
		"--net=slirp4netns --mtu=65520 --port-driver=builtin -p %[3]v:%[4]d:%[5]d/tcp sleep infinity",
		ids, state, loopback, publishedPort, servicePort)
	if err := p.start(p.command(p.b, "unshare", "--mount", "sh", "-c", script), true); err != nil {
		return err
	}
	child := 0
	err = p.await("rootlesskit", func() bool {
		text, _ := os.ReadFile(filepath.Join(state, "child_pid"))
		child, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return child > 0
	})
	if err != nil {
		return err
	}
	p.a = tap.Namespace{Name: "rootlesskit", Path: fmt.Sprintf("/proc/%d/ns/net", child)} // not to be released
	p.published = netip.AddrPortFrom(loopback, publishedPort)
	return p.reachable(p.back())
}

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

// masquerade is the kernel's NAT, which is in another class: nothing leaves the kernel. Outside is a namespace behind the one
// that translates.
func masquerade(p *pair) error {
	if err := vethPair(p); err != nil {
		return err
	}
	p.target = serverIP.Addr()
	for _, line := range []string{
		"ip addr add " + serverIP.String() + " dev lo",
		"sysctl -qw net.ipv4.ip_forward=1 net.ipv4.tcp_tw_reuse=1",
		"iptables -t nat -A INPUT -s " + inside.Masked().String() + " -j SNAT --to-source " + serverIP.Addr().String(),
	} {
		if err := p.do(p.b, line); err != nil {
			return err
		}
	}
	if err := p.do(p.a, "sysctl -qw net.ipv4.tcp_tw_reuse=1"); err != nil {
		return err
	}
	return p.reachable(p.forth())
}

// vethPair is a cable of the kernel's between a and b, where the gateway's address is.
func vethPair(p *pair) error {
	for _, line := range []string{
		"ip link add gw type veth peer name eth0 netns " + p.a.Path,
		"ip addr add " + gateway.String() + "/24 dev gw",
		"ip link set gw up",
	} {
		if err := p.do(p.b, line); err != nil {
			return err
		}
	}
	for _, line := range []string{
		"ip addr add " + inside.String() + " dev eth0",
		"ip link set eth0 up",
		"ip route add default via " + gateway.String(),
	} {
		if err := p.do(p.a, line); err != nil {
			return err
		}
	}
	return nil
}
