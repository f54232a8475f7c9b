package world_test

import (
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/world"
)

// TestOwnRules: options of networks act on uswitch's own rules too, as far as those have a place for them.
func TestOwnRules(t *testing.T) {
	lines, err := world.Rules(parsed(t, `
networks:
  a: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  b: {driver_opts: {com.docker.network.bridge.enable_icc: "false", com.docker.network.bridge.enable_ip_masquerade: "false"}, ipam: {config: [{subnet: 10.2.0.0/24}]}}
  c: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}, ipam: {config: [{subnet: 10.3.0.0/24}]}}
  d: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: nat-unprotected}, ipam: {config: [{subnet: 10.4.0.0/24}]}}
  e: {internal: true, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: nat-unprotected}, ipam: {config: [{subnet: 10.5.0.0/24}]}}
services: {A: {network_mode: none}}
x-uswitch: {docker_rules: off}
`))
	want := []string{
		"-P FORWARD DROP",
		"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"-t nat -A POSTROUTING -s 10.1.0.0/24 ! -o a -j MASQUERADE",
		"-t filter -A FORWARD -i a -o uplink -j ACCEPT",
		"-t filter -A FORWARD -i a -o a -j ACCEPT",
		"-t filter -A FORWARD -i b -o uplink -j ACCEPT",
		"-t filter -A FORWARD -i c -o uplink -j ACCEPT",
		"-t filter -A FORWARD -i c -o c -j ACCEPT",
		"-t filter -A FORWARD -o c -p icmp -j ACCEPT",
		"-t nat -A POSTROUTING -s 10.4.0.0/24 ! -o d -j MASQUERADE",
		"-t filter -A FORWARD -i d -o uplink -j ACCEPT",
		"-t filter -A FORWARD -i d -o d -j ACCEPT",
		"-t filter -A FORWARD -o d -j ACCEPT",
		"-t nat -A POSTROUTING -s 10.5.0.0/24 ! -o e -j MASQUERADE",
		"-t filter -A FORWARD -i e -o e -j ACCEPT",
	}
	if err != nil || !slices.Equal(lines, want) {
		t.Errorf("%v; got\n%s\nwant\n%s", err, strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}
