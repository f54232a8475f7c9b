package world_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
)

// office is a lab with a bit of everything: two networks, a host on both, a published port.
const office = `
name: w
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}, x-uswitch: {fdb: [{mac: "02:00:00:00:00:77", host: WEB}]}}
  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  WEB: {networks: [front, back], ports: ["8080:80"]}
  DB: {networks: [back]}
x-uswitch: {uplink: sim, docker_rules: DIALECT}
`

// eachDialect runs a test on an office with each kind of rules.
func eachDialect(t *testing.T, test func(t *testing.T, text string)) {
	for _, dialect := range []string{"off", "20.10", "classic", "29"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			test(t, strings.Replace(office, "DIALECT", dialect, 1))
		})
	}
}

// describe says all that there is: what two worlds are compared by.
func describe(t *testing.T, w *world.World, host *worldtest.Host) string {
	t.Helper()
	var b strings.Builder
	plan, err := json.MarshalIndent(w.Plan(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "%s\n%s", plan, saved(w))
	made := host.Made()
	slices.Sort(made)
	fmt.Fprintln(&b, made)
	for _, n := range w.Networks() {
		var ports []string
		for _, p := range n.Switch.Ports() {
			ports = append(ports, p.Name())
		}
		slices.Sort(ports)
		fmt.Fprintln(&b, n.Plan.Name, ports)
	}
	for _, i := range w.Gateway().Interfaces() {
		fmt.Fprintln(&b, i.Name(), i.Addr())
	}
	fmt.Fprintln(&b, w.Published())
	return b.String()
}

// steps are changes that can be made to the office, with what undoes each.
var steps = []struct {
	name     string
	do, undo func(*testing.T, *world.World) error
}{
	{"network",
		func(t *testing.T, w *world.World) error { return w.AddNetwork(t.Context(), newNetwork("side")) },
		func(_ *testing.T, w *world.World) error { return w.RemoveNetwork("side") }},
	{"host",
		func(t *testing.T, w *world.World) error {
			return w.AddHost(t.Context(), plan.Host{Name: "CACHE", Command: []string{"true"},
				Interfaces: []plan.Interface{{Network: "back"}, {Network: "front"}}, Ports: ports("tcp", 8081, 6379)})
		},
		func(_ *testing.T, w *world.World) error { return w.RemoveHost("CACHE") }},
	{"interface",
		func(t *testing.T, w *world.World) error {
			return w.Connect(t.Context(), "DB", plan.Interface{Network: "front"})
		},
		func(_ *testing.T, w *world.World) error { return w.Disconnect("DB", "front") }},
}

// ports is a published port of a host that has no address yet.
func ports(proto string, outside, inside uint16) []plan.Publish {
	return []plan.Publish{{Proto: proto, HostIP: addr("0.0.0.0"), HostPort: outside, To: portOf(inside)}}
}

// portOf is a port of a host that has no address yet.
func portOf(n uint16) netip.AddrPort { return netip.AddrPortFrom(netip.Addr{}, n) }

// TestLive makes each change and undoes it: all is as before.
func TestLive(t *testing.T) {
	eachDialect(t, func(t *testing.T, text string) {
		for _, step := range steps {
			host := &worldtest.Host{}
			w, _ := up(t, text, host)
			before := describe(t, w, host)
			for range 2 {
				if err := step.do(t, w); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
				if err := w.Plan().Verify(); err != nil {
					t.Errorf("%s: the plan is wrong: %v", step.name, err)
				}
				if describe(t, w, host) == before {
					t.Errorf("%s: nothing has changed", step.name)
				}
				if err := step.undo(t, w); err != nil {
					t.Fatalf("%s undone: %v", step.name, err)
				}
				if after := describe(t, w, host); after != before {
					t.Errorf("%s undone:\n%s\nwant\n%s", step.name, after, before)
				}
			}
		}
	})
}

// TestLiveFailures lets each call fail that a change makes, one after the other: all is as before.
func TestLiveFailures(t *testing.T) {
	eachDialect(t, func(t *testing.T, text string) {
		for _, step := range steps {
			host := &worldtest.Host{}
			w, _ := up(t, text, host)
			before, calls := describe(t, w, host), host.Calls()
			if err := step.do(t, w); err != nil {
				t.Fatal(err)
			}
			calls = host.Calls() - calls
			if err := step.undo(t, w); err != nil {
				t.Fatal(err)
			}
			for n := 1; n <= calls; n++ {
				host.Fail(n)
				if err := step.do(t, w); !errors.Is(err, worldtest.ErrTold) {
					t.Errorf("%s, call %d fails: %v", step.name, n, err)
				}
				if after := describe(t, w, host); after != before {
					t.Errorf("%s, call %d fails:\n%s\nwant\n%s", step.name, n, after, before)
				}
			}
		}
	})
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func prefix(text string) netip.Prefix { return netip.MustParsePrefix(text) }

// TestConcurrentChanges adds, connects and removes many hosts at once, while others look: what is left is what was asked for.
func TestConcurrentChanges(t *testing.T) {
	host := &worldtest.Host{}
	w, _ := up(t, strings.Replace(office, "DIALECT", "29", 1), host)
	before, ctx := describe(t, w, host), t.Context()
	var changes, looks sync.WaitGroup
	over := make(chan struct{})
	looks.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
			}
			if err := w.Plan().Verify(); err != nil {
				t.Errorf("a picture that is wrong: %v", err)
			}
			for _, h := range w.Hosts() {
				if len(h.NICs) != len(h.Plan.Interfaces) {
					t.Errorf("%s has %d interfaces and a plan with %d", h.Plan.Name, len(h.NICs), len(h.Plan.Interfaces))
				}
			}
		}
	})
	for i := range 25 { // there are default pools for some thirty networks
		changes.Go(func() {
			name := fmt.Sprint("H", i)
			must := func(err error) {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			must(w.AddHost(ctx, plan.Host{Name: name, Command: []string{"true"}, Interfaces: []plan.Interface{{Network: "back"}}}))
			must(w.Connect(ctx, name, plan.Interface{Network: "front"}))
			must(w.StartHost(name))
			must(w.AddNetwork(ctx, newNetwork(fmt.Sprint("n", i))))
			must(w.Disconnect(name, "back"))
			must(w.RemoveNetwork(fmt.Sprint("n", i)))
			must(w.RemoveHost(name))
		})
	}
	changes.Wait()
	close(over)
	looks.Wait()
	sameSet(t, describe(t, w, host), before)
}

// TestNoPoolLeft adds networks without a subnet until there is none left (fault F73): the last one is refused in Docker's words.
func TestNoPoolLeft(t *testing.T) {
	w, _ := up(t, strings.Replace(office, "DIALECT", "off", 1), &worldtest.Host{})
	for i := range 100 {
		err := w.AddNetwork(t.Context(), newNetwork(fmt.Sprint("n", i)))
		if err == nil {
			continue
		}
		if want := fmt.Sprintf("network n%d: all predefined address pools have been fully subnetted", i); err.Error() != want || i < 20 {
			t.Errorf("got %v, want %s", err, want)
		}
		return
	}
	t.Error("a hundred networks, and there is still room")
}
