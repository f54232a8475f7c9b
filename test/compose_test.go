package test

import (
	"slices"
	"strings"
	"testing"
)

// composeLab has what Compose has beside plain services.
const composeLab = `
name: lab@
networks:
  n@: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
services:
  WEB@: {networks: [n@], scale: 3, x-uswitch: {passive: true}}
  RED@: {networks: [n@], links: ["WEB@:www"], sysctls: {net.ipv4.ip_default_ttl: 77}}
x-uswitch: {uplink: none, keep_up: true}
`

// TestComposeKeys: a service of three hosts is found by its name, and by that of a link; a host's settings are its namespace's.
func TestComposeKeys(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, composeLab)
	addresses := func(name string) (all []string) {
		text, status := output(t, l.in("RED", "getent", "ahostsv4", name)...)
		if status != 0 {
			t.Errorf("getent %s: status %d: %s", name, status, text)
		}
		for line := range strings.Lines(text) {
			if f := strings.Fields(line); len(f) > 0 && !slices.Contains(all, f[0]) {
				all = append(all, f[0])
			}
		}
		slices.Sort(all)
		return all
	}
	want := []string{"10.1.0.2", "10.1.0.3", "10.1.0.4"}
	for _, name := range []string{l.ns("WEB"), "www"} {
		if got := addresses(name); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if text := l.exec("RED", "cat", "/proc/sys/net/ipv4/ip_default_ttl"); strings.TrimSpace(text) != "77" {
		t.Errorf("ip_default_ttl: %s", text)
	}
	if text := l.exec("RED", "ping", "-c", "1", l.ns("WEB")+"-2"); !strings.Contains(text, "10.1.0.3") {
		t.Errorf("ping: %s", text)
	}
}
