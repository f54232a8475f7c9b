package sim_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"uswitch/sim"
	"uswitch/switch/trace"
)

// redBlue is the first lab of the tutorial, with a way out.
func redBlue() sim.Topology {
	return sim.Topology{
		Networks: []sim.NetworkConfig{{Name: "br0", Subnet: netip.MustParsePrefix("11.11.11.0/24"), Gateway: ip("11.11.11.1")}},
		Hosts: []sim.HostConfig{
			{Name: "RED", Cards: []sim.CardConfig{{Network: "br0", Addr: ip("11.11.11.2")}}},
			{Name: "BLUE", Cards: []sim.CardConfig{{Network: "br0", Addr: ip("11.11.11.3")}}},
		},
		Internet: &sim.InternetConfig{},
		Rules:    []string{"-t nat -A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE"},
	}
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func build(t testing.TB, topology sim.Topology) *sim.World {
	t.Helper()
	w, err := sim.New(topology)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestPing(t *testing.T) {
	for _, tt := range []struct {
		name     string
		host     string
		dst      string
		options  sim.PingOptions
		received int
		errors   int
		contains string
	}{
		{name: "a neighbour", host: "RED", dst: "11.11.11.3", received: 3, contains: "64 bytes from 11.11.11.3: icmp_seq=2 ttl=64 time=0.200 ms"},
		{name: "the gateway", host: "BLUE", dst: "11.11.11.1", received: 3, contains: "ttl=64"},
		{name: "the internet", host: "RED", dst: "8.8.8.8", received: 3, contains: "icmp_seq=3 ttl=61 time=24.1 ms"},
		{name: "itself", host: "RED", dst: "11.11.11.2", received: 3, contains: "time=0.000 ms"},
		{name: "larger than a frame", host: "RED", dst: "11.11.11.3", options: sim.PingOptions{Size: 4000}, received: 3, contains: "4008 bytes from"},
		{name: "larger than a frame, out", host: "RED", dst: "1.1.1.1", options: sim.PingOptions{Size: 4000}, received: 3, contains: "4008 bytes from"},
		{name: "nobody", host: "RED", dst: "11.11.11.9", errors: 3, contains: "From 11.11.11.2 icmp_seq=1 Destination Host Unreachable"},
		{name: "silence", host: "RED", dst: "203.0.113.5", contains: "100% packet loss"},
		{name: "a machine that is off", host: "RED", dst: "198.51.100.99", errors: 3, contains: "From 100.64.0.1 icmp_seq=1 Destination Host Unreachable"},
		{name: "an address that is nowhere", host: "RED", dst: "9.9.9.9", errors: 3, contains: "Destination Net Unreachable"},
		{name: "too few hops", host: "RED", dst: "8.8.8.8", options: sim.PingOptions{TTL: 2}, errors: 3, contains: "From 192.168.104.1 icmp_seq=1 Time to live exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			tt.options.Count = 3
			got, err := build(t, redBlue()).Ping(tt.host, ip(tt.dst), tt.options, &out)
			if err != nil {
				t.Fatal(err)
			}
			if got.Received != tt.received || got.Errors != tt.errors || !strings.Contains(out.String(), tt.contains) {
				t.Errorf("received %d, errors %d; want %d, %d and %q\n%s", got.Received, got.Errors, tt.received, tt.errors,
					tt.contains, out.String())
			}
		})
	}
}

// story runs a bit of everything and returns all that can be seen of it.
func story(t testing.TB, topology sim.Topology) string {
	w := build(t, topology)
	var out bytes.Buffer
	stop := w.Watch(nil, trace.NewPrinter(&out, trace.TextOptions{Names: w.Names()}))
	for _, dst := range []string{"11.11.11.3", "11.11.11.9", "8.8.8.8", "198.51.100.99"} {
		if _, err := w.Ping("RED", ip(dst), sim.PingOptions{Count: 5}, &out); err != nil {
			t.Fatal(err)
		}
	}
	red, _ := w.Host("RED")
	over := false
	red.Get(ip("8.8.8.8"), "http://example.com/", func(body string, err error) {
		if err != nil {
			t.Error(err)
		}
		out.WriteString(body)
		over = true
	})
	if !w.RunUntil(func() bool { return over }) {
		t.Error("the world stood still before the page came")
	}
	w.RunFor(10 * time.Minute)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTwoRunsAreTheSame(t *testing.T) {
	topology := redBlue()
	topology.Hosts[0].Cards[0].Wire = sim.WireConfig{Latency: time.Millisecond, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1}
	first, second := story(t, topology), story(t, topology)
	if first != second {
		t.Error("two runs of one world differ")
	}
	if topology.Seed = 1; story(t, topology) == first {
		t.Error("the seed changes nothing")
	}
	if !strings.Contains(first, "From here you look like 192.168.104.2:") {
		t.Errorf("no page:\n%s", first)
	}
}
