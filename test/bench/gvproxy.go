//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
)

// gvproxy comes with a program for the other side, "vm", which carries frames between a TAP and gvproxy's socket.
func gvproxy(mtu int) func(*pair) error {
	return func(p *pair) error {
		if err := outside(p); err != nil {
			return err
		}
		dir, err := os.MkdirTemp(p.dir, "gvproxy-")
		if err != nil {
			return err
		}
		socket := filepath.Join(dir, "gvproxy.sock")
		err = p.start(p.command(p.b, "gvproxy", "-mtu", strconv.Itoa(mtu), "-listen", "unix://"+socket, "-ssh-port", "-1"), false)
		if err != nil {
			return err
		}
		if err := p.await("gvproxy", func() bool { return exists(socket) }); err != nil {
			return err
		}
		for _, line := range []string{
			"ip tuntap add tap0 mode tap",
			"ip link set tap0 mtu " + strconv.Itoa(mtu) + " up",
			"ip addr add 192.168.127.2/24 dev tap0",
			"ip route add default via 192.168.127.1",
		} {
			if err := p.do(p.a, line); err != nil {
				return err
			}
		}
		err = p.start(p.command(p.a, "vm", "-url", "unix://"+socket, "-iface", "tap0", "-preexisting",
			"-mtu", strconv.Itoa(mtu)), false)
		if err != nil {
			return err
		}
		if err := p.reachable(p.forth()); err != nil {
			return err
		}
		p.published = netip.AddrPortFrom(loopback, publishedPort)
		return exposeGvproxy(p.ctx, socket, p.published, fmt.Sprintf("192.168.127.2:%d", servicePort))
	}
}

// exposeGvproxy publishes a port through gvproxy's API.
func exposeGvproxy(ctx context.Context, socket string, local netip.AddrPort, remote string) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}}}
	body, err := json.Marshal(map[string]string{"local": local.String(), "remote": remote, "protocol": "tcp"})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://gvproxy/services/forwarder/expose", bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("gvproxy: %s: %s", answer.Status, text)
	}
	return nil
}
