package sim_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"uswitch/sim"
	"uswitch/switch/frame"
)

// redBlue is the first lab of the tutorial, with a way out.
func redBlue() sim.Topology {
	return sim.Topology{
		Networks: []sim.NetworkConfig{{Name: "br0", Subnet: netip.MustParsePrefix("11.11.11.0/24"), Gateway: ip("11.11.11.1")}},
		Hosts: []sim.HostConfig{
			{Name: "RED", NICs: []sim.NICConfig{{Network: "br0", Addr: ip("11.11.11.2")}}},
			{Name: "BLUE", NICs: []sim.NICConfig{{Network: "br0", Addr: ip("11.11.11.3")}}},
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
		{name: "a neighbour", host: "RED", dst: "11.11.11.3", received: 3, contains: "64 bytes from 11.11.11.3: icmp_seq=2 ttl=64 time=200µs"},
		{name: "the gateway", host: "BLUE", dst: "11.11.11.1", received: 3, contains: "ttl=64"},
		{name: "the internet", host: "RED", dst: "8.8.8.8", received: 3, contains: "icmp_seq=3 ttl=61 time=24.1ms"},
		{name: "itself", host: "RED", dst: "11.11.11.2", received: 3, contains: "time=0s"},
		{name: "larger than a frame", host: "RED", dst: "11.11.11.3", options: sim.PingOptions{Size: 4000}, received: 3, contains: "4008 bytes from"},
		{name: "larger than a frame, out", host: "RED", dst: "1.1.1.1", options: sim.PingOptions{Size: 4000}, received: 3, contains: "4008 bytes from"},
		{name: "nobody", host: "RED", dst: "11.11.11.9", errors: 3, contains: "From 11.11.11.2 icmp_seq=1 Destination Host Unreachable"},
		{name: "silence", host: "RED", dst: "203.0.113.5"},
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
	text := w.Observe()
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
	steps, err := text()
	if err != nil {
		t.Fatal(err)
	}
	return out.String() + steps
}

func TestTwoRunsAreTheSame(t *testing.T) {
	topology := redBlue()
	topology.Hosts[0].NICs[0].Wire = sim.WireConfig{Latency: time.Millisecond, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1}
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

// TestTwoThousandHosts: the Linux bridge ends at 1023 ports.
func TestTwoThousandHosts(t *testing.T) {
	const hosts = 2000
	topology := sim.Topology{Networks: []sim.NetworkConfig{
		{Name: "br0", Subnet: netip.MustParsePrefix("10.7.0.0/16"), Gateway: ip("10.7.0.1")}}}
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 7, byte(1 + i/200), byte(1 + i%200)}) }
	for i := range hosts {
		topology.Hosts = append(topology.Hosts, sim.HostConfig{Name: fmt.Sprintf("h%d", i),
			NICs: []sim.NICConfig{{Network: "br0", Addr: addr(i)}}})
	}
	w := build(t, topology)
	for i, h := range w.Hosts() {
		if i%100 != 0 {
			continue
		}
		for _, dst := range []netip.Addr{addr(hosts - 1 - i), ip("10.7.0.1")} {
			r, err := w.Ping(h.Name(), dst, sim.PingOptions{Count: 2, Interval: 10 * time.Millisecond}, io.Discard)
			if err != nil || r.Received != 2 {
				t.Errorf("%s pings %v: %d of 2 received, %v", h.Name(), dst, r.Received, err)
			}
		}
	}
	br0, _ := w.Switch("br0")
	if n := len(br0.Ports()); n != hosts {
		t.Errorf("%d ports, want %d", n, hosts)
	}
	if n := len(br0.Entries(w.Clock().Now())); n < 40 {
		t.Errorf("%d stations are known, want the 40 that have spoken", n)
	}
}

func TestTopologyMistakes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*sim.Topology)
		want   string
	}{
		{"nameless network", func(t *sim.Topology) { t.Networks[0].Name = "" }, "it needs a name"},
		{"two networks of a name", func(t *sim.Topology) { t.Networks = append(t.Networks, t.Networks[0]) }, "there are two of that name"},
		{"no subnet", func(t *sim.Topology) { t.Networks[0].Subnet = netip.Prefix{} }, "want an IPv4 prefix"},
		{"gateway elsewhere", func(t *sim.Topology) { t.Networks[0].Gateway = ip("1.2.3.4") }, "network br0: gateway 1.2.3.4 is not in 11.11.11.0/24"},
		{"bad gateway MAC", func(t *sim.Topology) { t.Networks[0].GatewayMAC = frame.Broadcast }, "cannot be the address of one station"},
		{"two hosts of a name", func(t *sim.Topology) { t.Hosts[1].Name = "RED" }, "host RED: a host needs a name of its own"},
		{"no such network", func(t *sim.Topology) { t.Hosts[0].NICs[0].Network = "br7" }, `host RED: network "br7": there is no such network`},
		{"address elsewhere", func(t *sim.Topology) { t.Hosts[0].NICs[0].Addr = ip("1.2.3.4") }, "host RED: address 1.2.3.4 is not in network br0"},
		{"bad MAC", func(t *sim.Topology) { t.Hosts[0].NICs[0].MAC = frame.Broadcast }, "host RED: MAC ff:ff:ff:ff:ff:ff"},
		{"tiny MTU", func(t *sim.Topology) { t.Hosts[0].NICs[0].MTU = 20 }, "host RED: MTU 20: want 68 to 65535"},
		{"bad rule", func(t *sim.Topology) { t.Rules = []string{"-A FORWARD -j NOTHING"} }, "NOTHING"},
		{"router elsewhere", func(t *sim.Topology) { t.Internet.Routers = []netip.Addr{ip("1.2.3.4")} }, "want the first router on the uplink's network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			topology := redBlue()
			tt.change(&topology)
			_, err := sim.New(topology)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something with %q", err, tt.want)
			}
		})
	}
}

// FuzzPackets throws IP packets at everything in the world: whatever they hold, nobody panics, and RED's ping works
// afterwards.
func FuzzPackets(f *testing.F) {
	f.Add(uint8(0), frame.ProtoICMP, uint8(64), []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0})
	f.Add(uint8(3), frame.ProtoTCP, uint8(64), []byte{0, 1, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x60, 2, 0, 0, 0, 0, 0, 0, 2, 4, 0, 1})
	f.Add(uint8(2), frame.ProtoUDP, uint8(1), []byte{0, 1, 0, 53, 0, 8, 0, 0})
	targets := []string{"11.11.11.3", "11.11.11.1", "8.8.8.8", "93.184.216.34", "192.168.104.1", "198.51.100.99", "192.168.104.2",
		"255.255.255.255", "224.0.0.1", "9.9.9.9"}
	f.Fuzz(func(t *testing.T, to, proto, ttl uint8, payload []byte) {
		if len(payload) > 60000 {
			return
		}
		w := build(t, redBlue())
		red := host(t, w, "RED")
		host(t, w, "BLUE").ServeTCP(80, sim.Page(func(netip.AddrPort, *http.Request) string { return "x" }))
		dst := ip(targets[int(to)%len(targets)])
		b := make([]byte, frame.EthernetHeader+frame.IPv4Header+len(payload))
		copy(b[frame.EthernetHeader+frame.IPv4Header:], payload)
		packet := frame.PutIPv4(b[frame.EthernetHeader:], proto, ttl, 1, ip("11.11.11.2"), dst)
		fixChecksum(packet)
		mac := frame.MACFromIPv4(ip("11.11.11.1"))
		if dst == ip("11.11.11.3") {
			mac = frame.MACFromIPv4(dst)
		}
		frame.Ethernet(b).SetHeader(mac, red.NICs()[0].MAC(), frame.TypeIPv4)
		red.NICs()[0].Send(b)
		w.RunFor(5 * time.Minute)
		if r, err := w.Ping("RED", ip("8.8.8.8"), sim.PingOptions{Count: 1}, io.Discard); err != nil || r.Received != 1 {
			t.Errorf("afterwards the ping fails: %+v, %v", r, err)
		}
	})
}

// fixChecksum makes the transport checksum right, so that what the fuzzer thinks of gets farther.
func fixChecksum(p frame.IPv4) {
	payload, sum := p.Payload(), frame.PseudoHeader(p.Proto(), p.Src(), p.Dst(), len(p.Payload()))
	at := map[uint8]int{frame.ProtoICMP: 2, frame.ProtoTCP: 16, frame.ProtoUDP: 6}[p.Proto()]
	if p.Proto() == frame.ProtoICMP {
		sum = 0
	}
	if at == 0 || len(payload) < at+2 {
		return
	}
	payload[at], payload[at+1] = 0, 0
	c := frame.Checksum(payload, sum)
	payload[at], payload[at+1] = byte(c>>8), byte(c)
}
