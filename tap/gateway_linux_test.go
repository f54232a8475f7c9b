package tap_test

import (
	"net/netip"
	"strings"
	"testing"
)

// TestSetGateway moves the default route from one interface to the other and takes it away.
func TestSetGateway(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	first, second := quietly("10.1.0.2/24"), quietly("10.2.0.2/24")
	first.Gateway, second.Name = netip.MustParseAddr("10.1.0.1"), "eth1"
	a, b := open(t, host, ns, first), open(t, host, ns, second)
	routes := func() string { return strings.TrimSpace(ip(t, "-n", ns.Name, "route", "show", "default")) }

	for _, step := range []struct {
		name string
		do   func() error
		want string
	}{
		{"to the second interface", func() error { return b.SetGateway(netip.MustParseAddr("10.2.0.1")) }, "default via 10.2.0.1 dev eth1"},
		{"not the first one's any more", func() error { return a.SetGateway(netip.Addr{}) }, "default via 10.2.0.1 dev eth1"},
		{"gone", func() error { return b.SetGateway(netip.Addr{}) }, ""},
		{"gone already", func() error { return b.SetGateway(netip.Addr{}) }, ""},
		{"back", func() error { return a.SetGateway(netip.MustParseAddr("10.1.0.1")) }, "default via 10.1.0.1 dev eth0"},
		{"goes with its interface", a.Close, ""},
	} {
		if err := step.do(); err != nil || routes() != step.want {
			t.Errorf("%s: %v, and there is %q, want %q", step.name, err, routes(), step.want)
		}
	}
	if err := b.SetGateway(netip.MustParseAddr("10.9.0.1")); err == nil || !strings.Contains(err.Error(), "eth1 in namespace") {
		t.Errorf("a gateway that is no neighbour: %v", err)
	}
}
