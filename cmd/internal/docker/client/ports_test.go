package client

import (
	"testing"

	"uswitch/cmd/internal/docker/types"
)

// TestPortsOfBothFamilies: addresses of IPv6 stand in brackets, and ranges are told for each family.
func TestPortsOfBothFamilies(t *testing.T) {
	var ports []types.Port
	for _, ip := range []string{"0.0.0.0", "::"} {
		ports = append(ports, types.Port{IP: ip, PrivatePort: 80, PublicPort: 8080, Type: "tcp"},
			types.Port{IP: ip, PrivatePort: 90, PublicPort: 90, Type: "tcp"}, types.Port{IP: ip, PrivatePort: 91, PublicPort: 91, Type: "tcp"})
	}
	if got, want := dockerPorts(ports), "0.0.0.0:90-91->90-91/tcp, [::]:90-91->90-91/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
