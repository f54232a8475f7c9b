package plan_test

import (
	"testing"

	"uswitch/cmd/internal/plan"
)

// TestKeep reads a file that has changed, for a lab that is up: what it leaves open stays where it was.
func TestKeep(t *testing.T) {
	load := func(text string, keep *plan.Plan) *plan.Plan {
		t.Helper()
		p, err := plan.Parse("k.yaml", []byte(text), plan.LoadOptions{Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(); err != nil {
			t.Errorf("a plan of our own is wrong: %v", err)
		}
		return p
	}
	before := load("networks: {a: {}, b: {}}\nservices: {RED: {networks: [a]}, BLUE: {networks: [a, b]}}\n", nil)
	after := load("networks: {new: {}, b: {}, a: {}}\nservices: {GREEN: {networks: [a, new]}, BLUE: {networks: [b, a]}, RED: {networks: [a]}}\n", before)
	for _, name := range []string{"a", "b"} {
		if got, want := after.Network(name).Subnet, before.Network(name).Subnet; got != want {
			t.Errorf("network %s is %v, and was %v", name, got, want)
		}
	}
	for _, h := range before.Hosts {
		for _, old := range h.Interfaces {
			for _, now := range after.Host(h.Name).Interfaces {
				if now.Network == old.Network && (now.Address != old.Address || now.MAC != old.MAC) {
					t.Errorf("%s on %s has %v %v, and had %v %v", h.Name, old.Network, now.Address, now.MAC, old.Address, old.MAC)
				}
			}
		}
	}
	// What the file does give is stronger.
	after = load("networks: {a: {}}\nservices: {GREEN: {networks: {a: {ipv4_address: "+before.Host("RED").Interfaces[0].Address.Addr().String()+
		"}}}, RED: {networks: [a]}}\n", before)
	if got := after.Host("RED").Interfaces[0].Address; got == before.Host("RED").Interfaces[0].Address {
		t.Errorf("RED keeps %v, which is GREEN's now", got)
	}
	after = load("networks: {a: {}, c: {ipam: {config: [{subnet: "+before.Network("a").Subnet.String()+"}]}}}\nservices: {RED: {networks: [a]}}\n", before)
	if after.Network("a").Subnet == before.Network("a").Subnet {
		t.Error("a keeps a subnet that is c's now")
	}
}
