package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"uswitch/cmd/internal/plan"
)

// TestULA: what Docker makes of two IDs of its host.
func TestULA(t *testing.T) {
	for id, want := range map[string]string{"": "fd42:98fc:1c14::/48", "499d4bc0-b0b3-416f-b1ee-cf6486315593": "fd62:fb69:18af::/48"} {
		if got := plan.ULA(id).String(); got != want {
			t.Errorf("%q: %s, want %s", id, got, want)
		}
	}
}

// TestPublishedFamilies: a port is open at all addresses of both families where its host has both, and a client of IPv6 is led to
// IPv4 where it has that alone; what is to be at one address is at that one.
func TestPublishedFamilies(t *testing.T) {
	for entry, want := range map[string][]string{
		`"8080:80"`:           {"0.0.0.0 8080 10.1.0.2:80", ":: 8080 [fd00:1::2]:80"},
		`"80"`:                {"0.0.0.0 0 10.1.0.2:80", ":: 0 [fd00:1::2]:80"},
		`"127.0.0.1:8080:80"`: {"127.0.0.1 8080 10.1.0.2:80"},
		`"[::1]:8080:80"`:     {"::1 8080 [fd00:1::2]:80"},
	} {
		for six, file := range map[bool]string{
			true:  "networks: {a: {enable_ipv6: true, ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: \"fd00:1::/64\"}]}}}\n",
			false: "networks: {a: {ipam: {config: [{subnet: 10.1.0.0/24}]}}}\n",
		} {
			p, err := plan.Parse("lab.yaml", []byte(file+"services: {A: {networks: [a], ports: ["+entry+"]}}\n"), plan.LoadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, port := range p.Host("A").Ports {
				got = append(got, fmt.Sprintf("%v %d %v", port.HostIP, port.HostPort, port.To))
			}
			want := slices.Clone(want)
			if !six && entry == `"[::1]:8080:80"` {
				want[0] = "::1 8080 10.1.0.2:80"
			}
			if !six {
				want = want[:1]
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, IPv6 %t: %q, want %q", entry, six, got, want)
			}
		}
	}
}
