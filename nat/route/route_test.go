package route_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"uswitch/nat/route"
)

func TestLookupPrefersTheLongestPrefix(t *testing.T) {
	var table route.Table[string]
	for prefix, dev := range map[string]string{
		"0.0.0.0/0": "uplink", "10.0.0.0/8": "ten", "10.1.0.0/16": "ten-one", "10.1.2.3/32": "host",
	} {
		table = with(t, table, prefix, dev)
	}
	for addr, want := range map[string]string{
		"8.8.8.8": "uplink", "10.9.9.9": "ten", "10.1.9.9": "ten-one", "10.1.2.3": "host", "10.1.2.4": "ten-one",
	} {
		r, ok := table.Lookup(netip.MustParseAddr(addr))
		if !ok || r.Dev != want {
			t.Errorf("Lookup(%s) = %q, %v, want %q", addr, r.Dev, ok, want)
		}
	}
	table, _ = table.Without(netip.MustParsePrefix("0.0.0.0/0"))
	if r, ok := table.Lookup(netip.MustParseAddr("8.8.8.8")); ok {
		t.Errorf("without a default route, Lookup(8.8.8.8) = %v", r)
	}
}

func TestATableDoesNotChange(t *testing.T) {
	before := with(t, route.Table[string]{}, "10.1.0.0/16", "a")
	after := with(t, before, "10.1.0.0/16", "b")
	if r, _ := before.Lookup(netip.MustParseAddr("10.1.0.1")); r.Dev != "a" {
		t.Errorf("the old table now says %q", r.Dev)
	}
	if r, _ := after.Lookup(netip.MustParseAddr("10.1.0.1")); r.Dev != "b" {
		t.Errorf("the new table says %q", r.Dev)
	}
}

func TestBadRoutes(t *testing.T) {
	var table route.Table[string]
	for _, p := range []netip.Prefix{{}, netip.MustParsePrefix("10.1.2.3/24")} {
		if _, err := table.With(route.Route[string]{Prefix: p}); err == nil {
			t.Errorf("a route to %v was taken", p)
		}
	}
}

// TestModel compares with the obvious: go through all routes and keep the longest that contains the address. Both families
// lie in one table.
func TestModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	addr := func() netip.Addr {
		a, b, c := byte(random.IntN(4)), byte(random.IntN(4)), byte(random.IntN(4))
		if random.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, a, b, c})
		}
		return netip.AddrFrom16([16]byte{0: 10, 1: a, 2: b, 3: c, 15: a})
	}
	var table route.Table[int]
	model := map[netip.Prefix]int{}
	for step := range 5000 {
		network := addr()
		p, _ := network.Prefix(random.IntN(network.BitLen() + 1))
		if random.IntN(3) == 0 {
			table, _ = table.Without(p)
			delete(model, p)
		} else {
			table, _ = table.With(route.Route[int]{Prefix: p, Dev: step})
			model[p] = step
		}
		a, best, want := addr(), -1, 0
		for p, dev := range model {
			if p.Contains(a) && p.Bits() > best {
				best, want = p.Bits(), dev
			}
		}
		r, ok := table.Lookup(a)
		if ok != (best >= 0) || ok && r.Dev != want {
			t.Fatalf("step %d: Lookup(%v) = %v, %v; want %d, %v", step, a, r.Dev, ok, want, best >= 0)
		}
	}
}

func with(t *testing.T, table route.Table[string], prefix, dev string) route.Table[string] {
	t.Helper()
	table, err := table.With(route.Route[string]{Prefix: netip.MustParsePrefix(prefix), Dev: dev})
	if err != nil {
		t.Fatal(err)
	}
	return table
}
