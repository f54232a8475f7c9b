package tap_test

import (
	"net/netip"
	"sync"
	"testing"

	"uswitch/tap"
)

// TestRoutesOwns: what a namespace keeps for itself is what its kernel says, from the moment at which it does.
func TestRoutesOwns(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	var routes *tap.Routes
	if err := tap.Do(ns, func() (err error) {
		routes, err = tap.OpenRoutes()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer routes.Close()
	in := func(args ...string) { ip(t, append([]string{"-n", ns.Name}, args...)...) }
	owns := func(when, addr string, want bool) {
		t.Helper()
		if got, err := routes.Owns(netip.MustParseAddr(addr)); err != nil || got != want {
			t.Errorf("%s: %s: %v %v, want %v", when, addr, got, err, want)
		}
	}
	owns("no route at all", "192.0.2.1", false)
	in("link", "set", "lo", "up")
	open(t, host, ns, tap.Interface{Name: "d0", DisableIPv6: true})
	in("addr", "add", "192.0.2.1/24", "dev", "d0")
	owns("an address came", "192.0.2.1", true)
	owns("a neighbour of it", "192.0.2.2", false)
	owns("loopback", "127.9.9.9", true)
	owns("loopback, as IPv6 writes it", "::ffff:127.0.0.1", true)
	owns("loopback of IPv6", "::1", true)
	owns("no route of IPv6", "2001:db8::1", false)
	in("route", "add", "local", "198.51.100.0/24", "dev", "lo")
	owns("a local route without an address", "198.51.100.77", true)
	in("route", "add", "local", "203.0.113.0/24", "dev", "lo", "table", "77")
	owns("a table that nobody asks", "203.0.113.9", false)
	in("rule", "add", "to", "203.0.113.0/24", "lookup", "77")
	owns("a rule asks it", "203.0.113.9", true)
	for _, kind := range []string{"blackhole", "unreachable", "prohibit"} {
		in("route", "add", kind, "198.18.0.0/24")
		owns(kind, "198.18.0.9", false)
		in("route", "del", kind, "198.18.0.0/24")
	}
	in("addr", "del", "192.0.2.1/24", "dev", "d0")
	owns("the address is gone", "192.0.2.1", false)

	var many sync.WaitGroup
	for i := range 8 {
		many.Go(func() {
			for range 500 {
				if got, err := routes.Owns(netip.AddrFrom4([4]byte{198, byte(51 + i%2), 100, 7})); err != nil || got != (i%2 == 0) {
					t.Errorf("asker %d: %v %v", i, got, err)
					return
				}
			}
		})
	}
	many.Wait()
	if err := routes.Close(); err != nil {
		t.Error(err)
	}
	if _, err := routes.Owns(netip.MustParseAddr("192.0.2.1")); err == nil {
		t.Error("closed, and no error")
	}
}
