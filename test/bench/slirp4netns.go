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
