package nat_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// routes lists the routes by prefix and interface.
func (l *lab) routes() string {
	var lines []string
	for _, r := range l.Routes() {
		lines = append(lines, r.Prefix.String()+" "+r.Dev.Name())
	}
	return strings.Join(lines, ", ")
}

func TestAddress(t *testing.T) {
	l := newLab(t)
	via := netip.MustParsePrefix("10.0.0.0/8")
	if err := l.AddRoute(via, ip4("11.11.11.2"), l.br0.leg); err != nil {
		t.Fatal(err)
	}
	question := func() []byte { return echo("11.11.11.2", "11.11.11.1", 7, "hello") }
	l.red.send(question())
	if got := len(l.br0.packets()); got != 1 {
		t.Fatalf("%d answers with an address, want 1", got)
	}

	// Without its address the gateway is nobody on br0: it answers neither ARP nor pings, and nothing leads there.
	if err := l.SetAddr(l.br0.leg, netip.Prefix{}, l.now); err != nil {
		t.Fatal(err)
	}
	if l.br0.leg.Addr().IsValid() {
		t.Errorf("the address is still %v", l.br0.leg.Addr())
	}
	if got, want := l.routes(), "0.0.0.0/0 uplink, 22.22.22.0/24 br1, 192.0.2.0/24 uplink"; got != want {
		t.Errorf("routes %q, want %q: all of br0 go with its last address", got, want)
	}
	l.red.ask("11.11.11.1")
	l.red.send(question())
	l.advance(10 * time.Second)
	if p, a := l.br0.packets(), l.br0.arps(); len(p)+len(a) > 0 {
		t.Errorf("the gateway without an address has sent %v and %v", p, a)
	}

	// With one it announces itself, is routed to, and answers.
	if err := l.SetAddr(l.br0.leg, netip.MustParsePrefix("11.11.11.1/24"), l.now); err != nil {
		t.Fatal(err)
	}
	l.Tick(l.now)
	if a := l.br0.arps(); len(a) != 1 || !a[0].IsAnnouncement() {
		t.Errorf("announced by %v, want one announcement now", a)
	}
	if got, want := l.routes(), "0.0.0.0/0 uplink, 11.11.11.0/24 br0, 22.22.22.0/24 br1, 192.0.2.0/24 uplink"; got != want {
		t.Errorf("routes %q, want %q", got, want)
	}
	l.red.send(question())
	if got := len(l.br0.packets()); got != 1 {
		t.Errorf("%d answers with the address again, want 1", got)
	}
}

// ask asks who has an address.
func (h host) ask(addr string) {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(b).SetHeader(frame.Broadcast, h.mac, frame.TypeARP)
	frame.PutARP(b[frame.EthernetHeader:], frame.ARPRequest, h.mac, h.addr, frame.MAC{}, ip4(addr))
	h.inject(frame.Frame{Data: b})
	h.leg.Input(frame.Frame{Data: b}, nil, h.lab.now) // nobody listens
}

// TestNoAddressToMasquerade routes to a network on which the gateway has no address: there is none to hide behind.
func TestNoAddressToMasquerade(t *testing.T) {
	l := newLab(t, "-t nat -A POSTROUTING -s 11.11.11.2 -o br1 -j MASQUERADE")
	if err := l.SetAddr(l.br1.leg, netip.Prefix{}, l.now); err != nil {
		t.Fatal(err)
	}
	if err := l.AddRoute(netip.MustParsePrefix("22.22.22.0/24"), netip.Addr{}, l.br1.leg); err != nil {
		t.Fatal(err)
	}
	l.red.send(echo("11.11.11.2", "22.22.22.2", 7, "hello"))
	l.drops(trace.NATNoPort, 1)
}

func TestAddressRefused(t *testing.T) {
	l := newLab(t)
	for want, c := range map[string]struct {
		leg  *nat.Interface
		addr string
	}{
		"overlaps br1":         {l.br0.leg, "22.22.22.9/16"},
		"want an IPv4 address": {l.br0.leg, "fd00::1/64"},
		"the uplink's":         {l.wan.leg, "10.0.0.1/24"},
	} {
		before, routes := c.leg.Addr(), l.routes()
		if err := l.SetAddr(c.leg, netip.MustParsePrefix(c.addr), l.now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", c.addr, err, want)
		}
		if c.leg.Addr() != before || l.routes() != routes {
			t.Errorf("%s: refused, and yet %v, %s", c.addr, c.leg.Addr(), l.routes())
		}
	}
}

// TestTwoAddresses: a leg with two networks on one wire answers for both its addresses, each from itself; it routes to both
// networks, asks and translates from the address that is the neighbour's, and announces both.
func TestTwoAddresses(t *testing.T) {
	l := newLab(t, "-t nat -A POSTROUTING -o both -j MASQUERADE")
	w := &wire{lab: l}
	w.leg = l.add(nat.InterfaceConfig{Name: "both", Addr: prefix("33.33.33.1/24"), More: []netip.Prefix{prefix("44.44.44.1/24")},
		MAC: gatewayMAC, Segment: w})
	l.advance(0)
	if got := w.arps(); len(got) != 2 || got[0].SenderIP() != ip4("33.33.33.1") || got[1].SenderIP() != ip4("44.44.44.1") {
		t.Errorf("announced: %v", got)
	}
	first, second := host{w, ip4("33.33.33.2"), frame.MAC{2, 0, 0, 0, 3, 3}}, host{w, ip4("44.44.44.2"), frame.MAC{2, 0, 0, 0, 4, 4}}
	w.hosts = append(w.hosts, first, second)
	l.red.send(udp(redPort, "44.44.44.2:53", "q"), udp(redPort, "33.33.33.2:53", "q"))
	asks := w.arps()
	if len(asks) != 2 || asks[0].SenderIP() != ip4("44.44.44.1") || asks[1].SenderIP() != ip4("33.33.33.1") {
		t.Errorf("asked: %v", asks)
	}
	l.want(w, `udp 44.44.44.1:1818 > 44.44.44.2:53 ttl 63 "q"`, `udp 33.33.33.1:1818 > 33.33.33.2:53 ttl 63 "q"`)
	second.ask("44.44.44.1")
	for _, a := range w.arps() {
		if a.Op() != frame.ARPReply || a.SenderIP() != ip4("44.44.44.1") || a.TargetIP() != second.addr {
			t.Errorf("answered: %v", a)
		}
	}
	second.send(echo("44.44.44.2", "44.44.44.1", 7, "mine?"), udp("44.44.44.2:9", "44.44.44.255:9", "to all"))
	l.want(w, `echo-reply 44.44.44.1 > 44.44.44.2 ttl 64 id 7 "mine?"`)
	l.drops(trace.NoGroup, 1)
	if got := w.leg.Addrs(); len(got) != 2 {
		t.Errorf("addresses %v", got)
	}
	clash := nat.InterfaceConfig{Name: "clash", Addr: prefix("55.55.55.1/24"), More: []netip.Prefix{prefix("44.44.44.9/24")}, MAC: gatewayMAC, Segment: w}
	if _, err := l.Gateway.Add(clash, l.now); err == nil || !strings.Contains(err.Error(), "overlaps both 44.44.44.1/24") {
		t.Errorf("a second address that clashes: %v", err)
	}
}
