package sim_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"uswitch/sim"
)

// get fetches a URL on a host of the world, until it has an answer.
func get(t *testing.T, w *sim.World, m *sim.Machine, url string) (body string, err error) {
	t.Helper()
	over := false
	m.Get(ip("8.8.8.8"), url, func(b string, e error) { body, err, over = b, e, true })
	if !w.RunUntil(func() bool { return over }) {
		t.Fatal("the world came to rest before the answer")
	}
	return body, err
}

func host(t testing.TB, w *sim.World, name string) *sim.Host {
	t.Helper()
	h, ok := w.Host(name)
	if !ok {
		t.Fatalf("no host %s", name)
	}
	return h
}

// TestTCPOverBadCables moves a page over cables that lose, double and reorder frames, and compares every byte.
func TestTCPOverBadCables(t *testing.T) {
	page := strings.Repeat("All work and no play makes Jack a dull boy.\n", 3000)
	for seed := range uint64(8) {
		topology := redBlue()
		topology.Seed = seed
		topology.Hosts[0].NICs[0].Wire = sim.WireConfig{Latency: time.Millisecond, Loss: 0.03, Duplicate: 0.1, Reorder: 0.1}
		w := build(t, topology)
		host(t, w, "BLUE").ServeTCP(80, sim.Page(func(netip.AddrPort, *http.Request) string { return page }))
		body, err := get(t, w, host(t, w, "RED").Machine, "http://11.11.11.3/")
		if err != nil || body != page {
			t.Errorf("seed %d: %d bytes of %d, %v", seed, len(body), len(page), err)
		}
	}
}

func TestTCPEndings(t *testing.T) {
	for _, tt := range []struct {
		name string
		url  string
		want error // nil: a page
	}{
		{"a page", "http://example.com/", nil},
		{"an address", "http://93.184.216.34/", nil},
		{"refused by the server", "http://example.com:81/", sim.ErrRefused},
		{"refused by a neighbour", "http://11.11.11.3/", sim.ErrRefused},
		{"refused by the gateway", "http://11.11.11.1/", sim.ErrRefused},
		{"silence", "http://203.0.113.9/", sim.ErrTimeout},
		{"no such name", "http://nowhere.example/", sim.ErrNoSuchName},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := build(t, redBlue())
			body, err := get(t, w, host(t, w, "RED").Machine, tt.url)
			if !errors.Is(err, tt.want) || (body == "") != (tt.want != nil) {
				t.Errorf("got %q, %v; want %v", body, err, tt.want)
			}
		})
	}
}

func TestTCPUnreachable(t *testing.T) {
	w := build(t, redBlue())
	_, err := get(t, w, host(t, w, "RED").Machine, "http://198.51.100.99/")
	if err == nil || !strings.Contains(err.Error(), "Destination Host Unreachable, says 100.64.0.1") {
		t.Errorf("got %v", err)
	}
	w = build(t, sim.Topology{Networks: redBlue().Networks,
		Hosts: []sim.HostConfig{{Name: "RED", NoGateway: true, NICs: redBlue().Hosts[0].NICs}}})
	if _, err := get(t, w, host(t, w, "RED").Machine, "http://8.8.8.8/"); !errors.Is(err, sim.ErrNoRoute) {
		t.Errorf("without a route: %v", err)
	}
}

// TestTCPLeavesNothing: after many connections and their waiting times no timer is left but the gateway's own.
func TestTCPLeavesNothing(t *testing.T) {
	w := build(t, redBlue())
	red := host(t, w, "RED")
	for range 2000 { // more than a machine may have at once
		if _, err := get(t, w, red.Machine, "http://93.184.216.34/"); err != nil {
			t.Fatal(err)
		}
		w.RunFor(time.Second)
	}
	w.RunFor(time.Hour)
	if next, ok := w.Clock().Next(); ok {
		t.Errorf("something is still due in %v", next.Sub(w.Clock().Now()))
	}
}
