package world_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
	"uswitch/switch/frame"
)

// TestDefaultRouteFollows unplugs the interface that leads out, and another one takes over, with the published port; as in Docker.
func TestDefaultRouteFollows(t *testing.T) {
	eachDialect(t, func(t *testing.T, text string) {
		host := &worldtest.Host{}
		w, _ := up(t, text, host)
		if h := w.Host("WEB").Plan; h.GatewayDev != "eth0" || h.Gateway != addr("10.2.0.1") {
			t.Fatalf("WEB leaves by %s via %v", h.GatewayDev, h.Gateway)
		}
		host.Fail(1)
		before := describe(t, w, host)
		if err := w.Disconnect("WEB", "back"); !errors.Is(err, worldtest.ErrTold) {
			t.Errorf("the route cannot be changed: %v", err)
		}
		sameSet(t, describe(t, w, host), before)

		if err := w.Disconnect("WEB", "back"); err != nil {
			t.Fatal(err)
		}
		if h := w.Host("WEB").Plan; h.GatewayDev != "eth1" || host.Device("WEB eth1").Gateway() != addr("10.1.0.1") {
			t.Errorf("WEB leaves by %s via %v", h.GatewayDev, host.Device("WEB eth1").Gateway())
		}
		if p := w.Published(); len(p) != 1 || p[0].To.String() != "10.1.0.2:80" || !strings.Contains(saved(w), "--to-destination 10.1.0.2:80") ||
			strings.Contains(saved(w), "10.2.0.2:80") {
			t.Errorf("published: %v\n%s", p, saved(w))
		}
		if err := w.Plan().Verify(); err != nil {
			t.Error(err)
		}
		if err := w.Disconnect("WEB", "front"); err != nil {
			t.Fatal(err)
		}
		if h := w.Host("WEB").Plan; h.Gateway.IsValid() || h.GatewayDev != "" || len(w.Published()) > 0 || len(h.Ports) > 0 {
			t.Errorf("WEB is on no network, and leaves by %s; published: %v", h.GatewayDev, w.Published())
		}
		if err := w.Connect(t.Context(), "WEB", plan.Interface{Network: "front"}); err != nil {
			t.Fatal(err)
		}
		if h := w.Host("WEB").Plan; h.GatewayDev != "eth0" || host.Device("WEB eth0").Gateway() != addr("10.1.0.1") {
			t.Errorf("WEB is on front again, and leaves by %q via %v", h.GatewayDev, host.Device("WEB eth0").Gateway())
		}
	})
}

// TestDefaultRouteMoves: a network whose name comes first takes the default route over when a host is connected to it, with the
// published port, and so does one of a higher priority; one of a lower does not.
func TestDefaultRouteMoves(t *testing.T) {
	eachDialect(t, func(t *testing.T, text string) {
		host := &worldtest.Host{}
		w, _ := up(t, text, host)
		leaves := func(when, dev, via, to string) {
			t.Helper()
			if h := w.Host("WEB").Plan; h.GatewayDev != dev || h.Gateway != addr(via) || host.Device("WEB "+dev).Gateway() != addr(via) {
				t.Errorf("%s: WEB leaves by %s via %v", when, h.GatewayDev, h.Gateway)
			}
			if p := w.Published(); len(p) != 1 || p[0].To.String() != to || strings.Count(saved(w), "--to-destination "+to) == 0 {
				t.Errorf("%s: published: %v\n%s", when, p, saved(w))
			}
		}
		connect := func(network string, priority int) {
			t.Helper()
			if err := w.Connect(t.Context(), "WEB", plan.Interface{Network: network, GatewayPriority: priority}); err != nil {
				t.Fatal(err)
			}
		}
		disconnect := func(network string) {
			t.Helper()
			if err := w.Disconnect("WEB", network); err != nil {
				t.Fatal(err)
			}
		}
		disconnect("front")
		leaves("front is gone", "eth0", "10.2.0.1", "10.2.0.2:80")
		connect("front", 0)
		leaves("front comes behind back", "eth0", "10.2.0.1", "10.2.0.2:80")
		disconnect("back")
		leaves("back is gone", "eth1", "10.1.0.1", "10.1.0.2:80")
		connect("back", 0)
		leaves("back comes before front", "eth0", "10.2.0.1", "10.2.0.2:80")
		disconnect("front")
		connect("front", 1)
		leaves("front has the priority", "eth1", "10.1.0.1", "10.1.0.2:80")
	})
}

// TestRefusals has changes that cannot be: each names what is in the way, and changes nothing.
func TestRefusals(t *testing.T) {
	host := &worldtest.Host{Owned: []string{"TAKEN"}}
	w, _ := up(t, strings.Replace(office, "DIALECT", "classic", 1), host)
	before, ctx := describe(t, w, host), t.Context()
	network := func(change func(*plan.Network)) plan.Network {
		n := newNetwork("side")
		change(&n)
		return n
	}
	for want, err := range map[string]error{
		"network back has active endpoints: WEB, DB: disconnect them first": w.RemoveNetwork("back"),
		`network "nosuch": there is no such network; there are front, back`: w.RemoveNetwork("nosuch"),
		"network with name w_back already exists: back has it":              w.AddNetwork(ctx, network(func(n *plan.Network) { n.Name = "back" })),
		"Pool overlaps with other one on this address space: network back has 10.2.0.0/24": w.AddNetwork(ctx,
			network(func(n *plan.Network) { n.Subnet = prefix("10.2.0.0/16") })),
		"side 192.168.104.1/24 overlaps uplink 192.168.104.2/24": w.AddNetwork(ctx, network(func(n *plan.Network) { n.Subnet = prefix("192.168.104.0/24") })),
		`network name "a/b"`:                       w.AddNetwork(ctx, network(func(n *plan.Network) { n.Name = "a/b" })),
		`network name "uplink": the name is taken`: w.AddNetwork(ctx, network(func(n *plan.Network) { n.Name = "uplink" })),
		"host DB exists already":                   w.AddHost(ctx, plan.Host{Name: "DB"}),
		`host name "../x"`:                         w.AddHost(ctx, plan.Host{Name: "../x"}),
		`host name "gateway": the name is taken`:   w.AddHost(ctx, plan.Host{Name: "gateway"}),
		"in use by a lab that is up":               w.AddHost(ctx, plan.Host{Name: "TAKEN"}),
		"10.2.0.1 02:42:0a:02:00:01: Address already in use: the gateway has it": w.AddHost(ctx,
			plan.Host{Name: "NEW", Interfaces: []plan.Interface{{Network: "back", Address: prefix("10.2.0.1/24")}}}),
		"requested address is out of range": w.Connect(ctx, "DB", plan.Interface{Network: "front", Address: prefix("10.9.0.1/24")}),
		"it is there already, with eth0":    w.Connect(ctx, "DB", plan.Interface{Network: "back"}),
		"the kernel uses this name itself":  w.Connect(ctx, "DB", plan.Interface{Network: "front", Name: "lo"}),
		"Bind for 127.0.0.1:8080 failed: port is already allocated: WEB publishes it": w.AddHost(ctx, plan.Host{Name: "NEW", Interfaces: []plan.Interface{{Network: "back"}},
			Ports: []plan.Publish{{Proto: "tcp", HostIP: addr("127.0.0.1"), HostPort: 8080, HostPortEnd: 0, To: portOf(80)}}}),
		"host DB is not on network front":          w.Disconnect("DB", "front"),
		`host "NOBODY": there is no such host`:     w.Disconnect("NOBODY", "front"),
		`host "NOBODY": there is no such host; th`: w.RemoveHost("NOBODY"),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if after := describe(t, w, host); after != before {
		t.Errorf("something has changed:\n%s\nwant\n%s", after, before)
	}
	other, err := world.New(w.Plan(), world.Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.AddNetwork(ctx, newNetwork("side")); err == nil || err.Error() != "lab w is not up" {
		t.Errorf("a change of what is not there: %v", err)
	}
}

// newNetwork returns a network of which a lab file says nothing but the name; its addresses are still to be chosen.
func newNetwork(name string) plan.Network {
	p, err := plan.Parse("n.yaml", []byte("services: {nobody: {network_mode: none}}\nnetworks: {"+name+": {}}\n"), plan.LoadOptions{})
	if err != nil {
		panic(err)
	}
	n := p.Networks[0]
	n.Subnet, n.Gateway, n.GatewayMAC, n.Docker = netip.Prefix{}, netip.Prefix{}, frame.MAC{}, ""
	return n
}
