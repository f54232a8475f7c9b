//go:build linux

package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"uswitch/tap"
)

// route is one way over a subject: where the client and the server are, and under which address the client asks for what
// listens at a port of the server's.
type route struct {
	client, server tap.Namespace
	target         netip.AddrPort
	listen         uint16
}

// servicePort is where servers listen.
const servicePort = 5201

// forth leads from a to b, back from b to a through a published port.
func (p *pair) forth() route {
	return route{p.a, p.b, netip.AddrPortFrom(p.target, servicePort), servicePort}
}

func (p *pair) back() route { return route{p.b, p.a, p.published, servicePort} }

// between runs a server while a client is run, and returns what the client prints. The client gets a few seconds more than
// the measurement takes; what the subject spends meanwhile is noted.
func (p *pair) between(r route, proto string, server, client []string) (string, error) {
	s := p.command(r.server, server...)
	if err := s.Start(); err != nil {
		return "", err
	}
	defer func() {
		_ = s.Process.Kill()
		_ = s.Wait()
	}()
	if err := p.await(server[0]+" listens", func() bool { return listens(s.Process.Pid, proto, r.listen) }); err != nil {
		return "", err
	}
	ctx, stop := context.WithTimeout(p.ctx, p.length+15*time.Second)
	defer stop()
	c := command(ctx, r.client, client...)
	before := spentBy(p.pids)
	out, err := c.CombinedOutput()
	p.spent = spentBy(p.pids).since(before)
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(client, " "), err, out)
	}
	return string(out), err
}

// listens reports whether a port is open in a process's namespace (/proc/net/tcp: the local address in hexadecimal, the
// other side, and the state: 0A is LISTEN, 07 a UDP socket that is not connected).
func listens(pid int, proto string, port uint16) bool {
	state := map[string]string{"tcp": "0A", "udp": "07"}[proto]
	for _, file := range []string{proto, proto + "6"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, file))
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) > 3 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == state {
				return true
			}
		}
	}
	return false
}
