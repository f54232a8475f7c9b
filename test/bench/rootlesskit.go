//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"uswitch/tap"
)

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
