package view_test

import (
	"bytes"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/switch/frame"
)

var update = flag.Bool("update", false, "write the golden files anew")

// devices are one of each kind: bridges with and without a carrier, ports that are up and down, both kinds of uplinks.
var devices = []api.Device{
	{Index: 1, Name: "lo", Kind: api.KindLoopback, Address: netip.MustParsePrefix("127.0.0.1/8"), MTU: 65536, Carrier: true},
	{Index: 2, Name: "uplink", Kind: api.KindNone, Address: netip.MustParsePrefix("192.168.104.2/24"), MTU: 1500, Carrier: true, RxPackets: 3, RxBytes: 1 << 41, TxPackets: 1, TxBytes: 1024},
	{Index: 3, Name: "wan", Kind: api.KindEther, MAC: mac("02:42:c0:00:02:02"), Address: netip.MustParsePrefix("192.0.2.2/31"), MTU: 1400, Carrier: true},
	{Index: 4, Name: "br10", Kind: api.KindBridge, MAC: mac("02:42:ac:11:00:01"), Address: netip.MustParsePrefix("172.17.0.1/16"), MTU: 1500, RxDropped: 7},
	{Index: 5, Name: "br2", Kind: api.KindBridge, MAC: mac("02:42:0b:0b:0b:01"), Address: netip.MustParsePrefix("11.11.11.1/24"), MTU: 1500, Carrier: true, RxPackets: 12345678901, RxBytes: 123456789012345},
	{Index: 6, Name: "veth6d2f1c0", Kind: api.KindVeth, MAC: mac("82:2a:4f:30:c1:d8"), MTU: 1500, Carrier: true, Master: "br2", Number: 1, Port: "RED", Host: "RED", Peer: 2, RxPackets: 10, RxBytes: 1270},
	{Index: 7, Name: "veth01e5b44", Kind: api.KindVeth, MAC: mac("3e:64:39:0f:aa:21"), MTU: 9000, Master: "br2", Number: 12, Port: "BLUE", Host: "BLUE", Peer: 17, NetnsID: 1},
}

var routes = []api.Route{
	{Dst: "default", Gateway: "192.168.104.1", Dev: "uplink", Flags: []string{}},
	{Dst: "10.7.0.1", Dev: "br2", Scope: "link", Flags: []string{}},
	{Dst: "11.11.11.0/24", Dev: "br2", Protocol: "kernel", Scope: "link", Prefsrc: "11.11.11.1", Flags: []string{}},
	{Dst: "172.17.0.0/16", Dev: "br10", Protocol: "kernel", Scope: "link", Prefsrc: "172.17.0.1", Flags: []string{"linkdown"}},
}

var neighbors = []api.Neighbor{
	{Dst: netip.MustParseAddr("11.11.11.2"), Dev: "br2", Lladdr: "02:42:0b:0b:0b:02", State: []string{"REACHABLE"}},
	{Dst: netip.MustParseAddr("11.11.11.9"), Dev: "br2", Lladdr: "02:42:0b:0b:0b:09", State: []string{"PERMANENT"}},
	{Dst: netip.MustParseAddr("11.11.11.88"), Dev: "br2", State: []string{"FAILED"}},
}

var published = []api.Published{
	{Host: "WEB", Protocol: "tcp", HostIP: netip.MustParseAddr("0.0.0.0"), HostPort: 8080, To: netip.MustParseAddrPort("172.17.0.4:80")},
	{Host: "DNS", Protocol: "udp", HostIP: netip.MustParseAddr("192.168.104.2"), HostPort: 53, To: netip.MustParseAddrPort("172.17.0.5:53")},
}

func fdb() []view.FDBRow {
	seconds := func(s float64) *float64 { return &s }
	return view.FDBRows(devices, []api.FDBEntry{
		{MAC: mac("02:42:0b:0b:0b:01"), Ifname: "br2", Master: "br2", Flags: []string{}, State: "permanent", Since: seconds(100)},
		{MAC: mac("02:42:0b:0b:0b:02"), Ifname: "RED", Master: "br2", Flags: []string{}, Age: seconds(1.456), Since: seconds(90)},
		{MAC: mac("02:42:0b:0b:0b:22"), Ifname: "RED", Master: "br2", Flags: []string{}, Age: seconds(0.1), Since: seconds(2)},
		{MAC: mac("02:42:0b:0b:0b:03"), Ifname: "BLUE", Master: "br2", Flags: []string{"sticky"}, State: "static", Since: seconds(100)},
	})
}

func mac(s string) frame.MAC {
	m, err := frame.ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return m
}

func ports() (all []view.BridgePort) {
	for _, d := range devices[5:] {
		all = append(all, view.BridgePort{Device: d, Flags: api.Port{Learning: true, Flood: true, McastFlood: d.Number == 1, BcastFlood: true, Isolated: d.Number == 12}})
	}
	return all
}

func TestGolden(t *testing.T) {
	bridges := devices[3:5]
	for name, write := range map[string]func(io.Writer) error{
		"ip-link":     func(w io.Writer) error { return view.Links(w, devices, view.IPOptions{}) },
		"ip-link-s":   func(w io.Writer) error { return view.Links(w, devices, view.IPOptions{Stats: true}) },
		"ip-link-o-s": func(w io.Writer) error { return view.Links(w, devices, view.IPOptions{Stats: true, Oneline: true}) },
		"ip-link-br":  func(w io.Writer) error { return view.Links(w, devices, view.IPOptions{Brief: true}) },
		"ip-addr":     func(w io.Writer) error { return view.Addrs(w, devices, view.IPOptions{}) },
		"ip-addr-4":   func(w io.Writer) error { return view.Addrs(w, devices, view.IPOptions{IPv4: true}) },
		"ip-addr-o":   func(w io.Writer) error { return view.Addrs(w, devices, view.IPOptions{Oneline: true}) },
		"ip-addr-br":  func(w io.Writer) error { return view.Addrs(w, devices, view.IPOptions{Brief: true}) },
		"ip-link-j-s": func(w io.Writer) error {
			return view.IPRouteJSON(w, view.LinksJSON(devices, view.IPOptions{Stats: true}), false)
		},
		"ip-addr-j-p": func(w io.Writer) error { return view.IPRouteJSON(w, view.AddrsJSON(devices, view.IPOptions{}), true) },
		"ip-addr-j-br": func(w io.Writer) error {
			return view.IPRouteJSON(w, view.AddrsJSON(devices, view.IPOptions{Brief: true}), false)
		},
		"ip-route":        func(w io.Writer) error { return view.Routes(w, routes) },
		"ip-neigh":        func(w io.Writer) error { return view.Neighbors(w, neighbors) },
		"ip-neigh-br":     func(w io.Writer) error { return view.NeighborsBrief(w, neighbors) },
		"bridge-link-d":   func(w io.Writer) error { return view.BridgeLinks(w, ports(), true) },
		"bridge-link-j-d": func(w io.Writer) error { return view.IPRouteJSON(w, view.BridgeLinksJSON(ports(), true), false) },
		"bridge-fdb-s":    func(w io.Writer) error { return view.BridgeFDB(w, fdb(), view.FDBOptions{Stats: true}) },
		"bridge-fdb-j": func(w io.Writer) error {
			return view.IPRouteJSON(w, view.BridgeFDBJSON(fdb(), view.FDBOptions{}), false)
		},
		"brctl-show":     func(w io.Writer) error { return view.Brctl(w, bridges, devices) },
		"brctl-showmacs": func(w io.Writer) error { return view.BrctlMACs(w, devices, fdb()) },
		"ifconfig":       func(w io.Writer) error { return view.Ifconfig(w, devices) },
		"route-n":        func(w io.Writer) error { return view.RouteTable(w, routes, true, false) },
		"route":          func(w io.Writer) error { return view.RouteTable(w, routes, false, false) },
		"arp-n":          func(w io.Writer) error { return view.ARP(w, neighbors, false) },
		"arp-an":         func(w io.Writer) error { return view.ARP(w, neighbors, true) },
		"ss-lntu":        func(w io.Writer) error { return view.SS(w, published, view.SSOptions{}) },
		"ss-lntH": func(w io.Writer) error {
			return view.SS(w, published[:1], view.SSOptions{NoNetid: true, NoHeader: true})
		},
		"ip-link-j-p-none": func(w io.Writer) error { return view.IPRouteJSON(w, view.LinksJSON(nil, view.IPOptions{}), true) },
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%v; got\n%s\nwant\n%s", err, got.Bytes(), want)
			}
		})
	}
}
