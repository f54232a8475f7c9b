package view_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/switch/frame"
)

var (
	red   = frame.MAC{2, 0x42, 11, 11, 11, 2}
	gate  = frame.MAC{2, 0x42, 11, 11, 11, 1}
	start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func conns() []api.Conn {
	return []api.Conn{
		{ID: 1, Protocol: "tcp", Protonum: 6, Timeout: 431999, State: "ESTABLISHED", Replied: true, Assured: true,
			Original: api.Tuple{Src: addr("11.11.11.2"), Dst: addr("93.184.216.34"), Sport: 40000, Dport: 80, Packets: 5, Bytes: 500},
			Reply:    api.Tuple{Src: addr("93.184.216.34"), Dst: addr("192.168.104.2"), Sport: 80, Dport: 40000, Packets: 4, Bytes: 400}},
		{ID: 2, Protocol: "udp", Protonum: 17, Timeout: 29,
			Original: api.Tuple{Src: addr("11.11.11.2"), Dst: addr("8.8.8.8"), Sport: 5000, Dport: 53},
			Reply:    api.Tuple{Src: addr("8.8.8.8"), Dst: addr("192.168.104.2"), Sport: 53, Dport: 5000}},
		{ID: 3, Protocol: "icmp", Protonum: 1, Timeout: 59, Replied: true,
			Original: api.Tuple{Src: addr("11.11.11.2"), Dst: addr("8.8.8.8"), ID: 7},
			Reply:    api.Tuple{Src: addr("8.8.8.8"), Dst: addr("192.168.104.2"), ID: 7}},
		{ID: 4, Protocol: "41", Protonum: 41, Timeout: 600,
			Original: api.Tuple{Src: addr("11.11.11.2"), Dst: addr("8.8.8.8")}, Reply: api.Tuple{Src: addr("8.8.8.8"), Dst: addr("11.11.11.2")}},
	}
}

func TestText(t *testing.T) {
	age := 1.5
	fdb := []api.FDBEntry{
		{MAC: gate, Ifname: "br0", Flags: []string{}, Master: "br0", State: "permanent"},
		{MAC: red, Ifname: "RED", Flags: []string{}, Master: "br0", Age: &age},
		{MAC: red, Ifname: "BLUE", Flags: []string{"sticky"}, Master: "br0", State: "static"},
	}
	hosts := []api.Host{
		{Name: "RED", Namespace: api.Namespace{Path: "/run/netns/RED"}, Gateway: addr("11.11.11.1"), State: "running", PID: 42, Command: []string{"sleep", "9"},
			Interfaces: []api.Interface{
				{Name: "eth0", Network: "br0", Address: netip.MustParsePrefix("11.11.11.2/24"), MAC: red},
				{Name: "eth1", Network: "br1", Address: netip.MustParsePrefix("12.12.12.2/24"), MAC: red, Unplugged: "gone"}}},
		{Name: "ALONE", Namespace: api.Namespace{Path: "/run/netns/ALONE"}, State: "ended", Status: 3, Command: []string{"false"}},
	}
	for name, c := range map[string]struct {
		write func(*bytes.Buffer) error
		want  string
	}{
		"labs": {func(b *bytes.Buffer) error {
			return view.Labs(b, []api.Lab{{Name: "red-blue", PID: 7, Started: start, Now: start.Add(90 * time.Second), Hosts: 2, Networks: 1, Uplink: "sim", Source: "x.yaml"}})
		}, `LAB       PID  UP  HOSTS  NETWORKS  UPLINK  FROM
red-blue  7    1m  2      1         sim     x.yaml
`},
		"fdb": {func(b *bytes.Buffer) error { return view.FDB(b, fdb, false) }, `02:42:0b:0b:0b:01 dev br0 master br0 permanent
02:42:0b:0b:0b:02 dev RED master br0
02:42:0b:0b:0b:02 dev BLUE sticky master br0 static
`},
		"fdb with ages": {func(b *bytes.Buffer) error { return view.FDB(b, fdb[1:2], true) }, "02:42:0b:0b:0b:02 dev RED master br0 age 1.50s\n"},
		"neighbours": {func(b *bytes.Buffer) error {
			return view.Neighbors(b, []api.Neighbor{
				{Dst: addr("11.11.11.2"), Dev: "br0", Lladdr: red.String(), State: []string{"REACHABLE"}},
				{Dst: addr("11.11.11.9"), Dev: "br0", State: []string{"FAILED"}}})
		}, "11.11.11.2 dev br0 lladdr 02:42:0b:0b:0b:02 REACHABLE \n11.11.11.9 dev br0 FAILED \n"},
		"routes": {func(b *bytes.Buffer) error {
			return view.Routes(b, []api.Route{{Dst: "default", Gateway: "192.168.104.1", Dev: "uplink"},
				{Dst: "11.11.11.0/24", Dev: "br0", Protocol: "kernel", Scope: "link", Prefsrc: "11.11.11.1"}})
		}, "default via 192.168.104.1 dev uplink \n11.11.11.0/24 dev br0 proto kernel scope link src 11.11.11.1 \n"},
		"hosts": {func(b *bytes.Buffer) error { return view.Hosts(b, hosts) }, `HOST   CARD  ADDRESS        MAC                NETWORK          GATEWAY     NAMESPACE         COMMAND
RED    eth0  11.11.11.2/24  02:42:0b:0b:0b:02  br0              11.11.11.1  /run/netns/RED    running (process 42): sleep 9
       eth1  12.12.12.2/24  02:42:0b:0b:0b:02  br1 (unplugged)
ALONE  -     -              -                  -                -           /run/netns/ALONE  ended with status 3: false
`},
		"ports": {func(b *bytes.Buffer) error {
			return view.Ports(b, []api.Port{
				{Network: "br0", Name: "RED", Number: 1, Learning: true, McastFlood: true, BcastFlood: true, Isolated: true, NDGuard: true, StormLimit: 10000, MTU: 1500, RxPackets: 3, RxBytes: 300},
				{Network: "br0", Name: "gateway", MTU: 1500}})
		}, `NETWORK  PORT     NO  MTU   FROM HOST  BYTES  DROPPED  TO HOST  BYTES  DROPPED  FLAGS
br0      RED      1   1500  3          300    0        0        0      0        flood=off isolated=on ra_guard=off storm_limit=10000
br0      gateway  -   1500  0          0      0        0        0      0        the gateway
`},
		"no drops":             {func(b *bytes.Buffer) error { return view.Drops(b, nil) }, "No packet was dropped.\n"},
		"no examples of drops": {func(b *bytes.Buffer) error { return view.DropExamples(b, nil, time.Time{}, 100) }, "No packet was dropped.\n"},
		"examples of drops": {func(b *bytes.Buffer) error {
			at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.Local)
			return view.DropExamples(b, []api.Drop{
				{Reason: "policy-drop", Count: 2, Sentence: "no rule lets it through, and the chain's policy is DROP",
					Last: &api.Dropped{Time: at.Add(-4 * time.Second), At: "gateway forward", Summary: "8.8.8.8 > RED  ICMP echo reply, id 7 seq 1, ttl 62", Length: 84,
						Details: "by -P FORWARD DROP; it would pass with: uswitch iptables -A FORWARD -d 11.11.11.0/24 -j ACCEPT"}},
				{Reason: "pkt-too-small", Count: 12345, Sentence: "shorter than its own header, 14 bytes for Ethernet and 20 for IPv4: nobody can say where it should go"},
			}, at, 80)
		}, `    2  policy-drop    no rule lets it through, and the chain's policy is DROP
       4s ago         gateway forward: 8.8.8.8 > RED ICMP echo reply, id 7 seq
                      1, ttl 62, 84 bytes
                      by -P FORWARD DROP; it would pass with: uswitch iptables -A FORWARD -d 11.11.11.0/24 -j ACCEPT

12345  pkt-too-small  shorter than its own header, 14 bytes for Ethernet and 20
                      for IPv4: nobody can say where it should go
`},
		"drops as they happen": {func(b *bytes.Buffer) error {
			last := &api.Dropped{Time: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.Local), At: "RED ingress", Summary: "RED > ?  LLC", Length: 60}
			for _, e := range []api.DropEvent{{Reason: "storm", Count: 1, Last: last}, {Reason: "storm", Count: 7, More: true, Last: last}, {Lost: 3}} {
				if err := view.DropEvent(b, e); err != nil {
					return err
				}
			}
			return nil
		}, `03:04:05.678  storm             RED ingress: RED > ?  LLC, 60 bytes
03:04:05.678  storm             ... 7 more like this: RED ingress: RED > ?  LLC, 60 bytes
(3 steps lost: this reader is slower than the network)
`},
		"drops": {func(b *bytes.Buffer) error {
			return view.Drops(b, []api.Drop{{Reason: "storm", Count: 12, Sentence: "too many"}})
		}, "DROPPED  REASON  WHICH MEANS\n12       storm   too many\n"},
		"connections": {func(b *bytes.Buffer) error { return view.Conns(b, conns(), view.ConnOptions{}) },
			`tcp      6 431999 ESTABLISHED src=11.11.11.2 dst=93.184.216.34 sport=40000 dport=80 src=93.184.216.34 dst=192.168.104.2 sport=80 dport=40000 [ASSURED] mark=0 use=1
udp      17 29 src=11.11.11.2 dst=8.8.8.8 sport=5000 dport=53 [UNREPLIED] src=8.8.8.8 dst=192.168.104.2 sport=53 dport=5000 mark=0 use=1
icmp     1 59 src=11.11.11.2 dst=8.8.8.8 type=8 code=0 id=7 src=8.8.8.8 dst=192.168.104.2 type=0 code=0 id=7 mark=0 use=1
unknown  41 600 src=11.11.11.2 dst=8.8.8.8 [UNREPLIED] src=8.8.8.8 dst=11.11.11.2 mark=0 use=1
`},
		"connections in full": {func(b *bytes.Buffer) error {
			return view.Conns(b, conns()[:1], view.ConnOptions{Counters: true, Extended: true, ID: true})
		}, `ipv4     2 tcp      6 431999 ESTABLISHED src=11.11.11.2 dst=93.184.216.34 sport=40000 dport=80 packets=5 bytes=500 src=93.184.216.34 dst=192.168.104.2 sport=80 dport=40000 packets=4 bytes=400 [ASSURED] mark=0 use=1 id=1
`},
		"events": {func(b *bytes.Buffer) error {
			c := conns()[1]
			for _, e := range []api.ConnEvent{{Type: "NEW", Conn: &c}, {Type: "DESTROY", Conn: &c}, {Lost: 3}} {
				if err := view.ConnEvent(b, e, view.ConnOptions{}); err != nil {
					return err
				}
			}
			return nil
		}, `    [NEW] udp      17 29 src=11.11.11.2 dst=8.8.8.8 sport=5000 dport=53 [UNREPLIED] src=8.8.8.8 dst=192.168.104.2 sport=53 dport=5000
[DESTROY] udp      17 src=11.11.11.2 dst=8.8.8.8 sport=5000 dport=53 [UNREPLIED] src=8.8.8.8 dst=192.168.104.2 sport=53 dport=5000
... 3 events lost
`},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := c.write(&b); err != nil || b.String() != c.want {
				t.Errorf("%v\n%s\nwant\n%s", err, b.String(), c.want)
			}
		})
	}
}

// TestFDBKeys: what bridge -json fdb show has, and nothing else.
func TestFDBKeys(t *testing.T) {
	age := 1.0
	var b bytes.Buffer
	if err := view.JSON(&b, view.WithoutAges([]api.FDBEntry{{MAC: red, Ifname: "RED", Flags: []string{}, Master: "br0", Age: &age}})); err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(b.Bytes(), &rows); err != nil || len(rows) != 1 || len(rows[0]) != 5 {
		t.Fatalf("%v: %s", err, b.String())
	}
	for _, key := range []string{"mac", "ifname", "flags", "master", "state"} {
		if _, ok := rows[0][key]; !ok {
			t.Errorf("no key %s", key)
		}
	}
}

func TestHostPrefix(t *testing.T) {
	if got := view.HostPrefix("RED", 5, false); got != "RED   | " {
		t.Errorf("%q", got)
	}
	if got := view.HostPrefix("RED", 3, true); got[:2] != "\x1b[" || got[len(got)-4:] != "\x1b[0m" {
		t.Errorf("%q", got)
	}
}

// The order is the one in which net-tools 2.10 has shown these names.
func TestIfconfigOrder(t *testing.T) {
	want := []string{"br2", "br10", "eth", "eth0", "eth00", "eth1", "eth0a", "eth0a0", "lo",
		"veth9", "veth10", "veth8942850", "veth0a", "veth1a0", "veth4115ab4", "vetha1"}
	var devices []api.Device
	for _, name := range slices.Sorted(slices.Values(want)) {
		devices = append(devices, api.Device{Name: name})
	}
	var out bytes.Buffer
	if err := view.Ifconfig(&out, devices); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^(\w+): flags`).FindAllStringSubmatch(out.String(), -1) {
		got = append(got, m[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
