package plan_test

import (
	"encoding/json"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"uswitch/cmd/internal/plan"
	"uswitch/switch/frame"
)

// TestVerifyOwnPlans reads every lab that there is: a plan of ours is right, also after it was sent somewhere.
func TestVerifyOwnPlans(t *testing.T) {
	labs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(labs) == 0 {
		t.Fatal("no labs to read", err)
	}
	for _, b := range plan.Builtins() {
		labs = append(labs, b.Name)
	}
	for _, name := range labs {
		t.Run(filepath.Base(name), func(t *testing.T) {
			p, err := plan.Load(name, plan.LoadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Verify(); err != nil {
				t.Error(err)
			}
			data, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			sent := &plan.Plan{}
			if err := json.Unmarshal(data, sent); err != nil || !reflect.DeepEqual(p, sent) {
				t.Errorf("sent: %v\n%+v\nwant\n%+v", err, sent, p)
			}
		})
	}
}

// TestVerify has plans that this package would not make: each is refused, with a word for what is wrong.
func TestVerify(t *testing.T) {
	const text = `name: w
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  WEB: {networks: [front, back], ports: ["8080:80"], command: "true"}
  DB: {networks: [back], ports: ["8081:81"], depends_on: [WEB]}
`
	for want, wrong := range map[string]func(*plan.Plan){
		`lab name "a/b"`:                 func(p *plan.Plan) { p.Name = "a/b" },
		`uplink "tunnel"`:                func(p *plan.Plan) { p.Uplink.Kind = "tunnel" },
		"network name \"\\n\"":           func(p *plan.Plan) { p.Networks[0].Name = "\n" },
		"network name is empty":          func(p *plan.Plan) { p.Networks[0].Name = "" },
		"at most 15":                     func(p *plan.Plan) { p.Networks[0].Name = "sixteen-letters-" },
		"already exists":                 func(p *plan.Plan) { p.Networks[1].Name = p.Networks[0].Name },
		"want an address of 10.1.0.0/24": func(p *plan.Plan) { p.Networks[0].Gateway = netip.MustParsePrefix("10.1.0.1/16") },
		"gateway_mac":                    func(p *plan.Plan) { p.Networks[0].GatewayMAC = frame.Broadcast },
		"mtu 7":                          func(p *plan.Plan) { p.Networks[0].MTU = 7 },
		"ageing_time -1":                 func(p *plan.Plan) { p.Networks[0].AgeingTime = -1 },
		"group_fwd_mask 0x4":             func(p *plan.Plan) { p.Networks[0].GroupFwdMask = 4 },
		"storm_limit -1":                 func(p *plan.Plan) { p.Networks[0].Port.StormLimit = -1 },
		"host WEB exists":                func(p *plan.Plan) { p.Hosts[1].Name = "WEB" },
		`netns "/a/../b"`:                func(p *plan.Plan) { p.Hosts[0].Netns = "/a/../b" },
		"namespace of WEB":               func(p *plan.Plan) { p.Hosts[1].Netns = "WEB" },
		`network mode "other"`:           func(p *plan.Plan) { p.Hosts[1] = plan.Host{Name: "DB", Hostname: "DB", Mode: "other"} },
		`the namespace of "NOBODY"`: func(p *plan.Plan) {
			p.Hosts[1] = plan.Host{Name: "DB", Hostname: "DB", Mode: plan.ModeShared, Shares: "NOBODY"}
		},
		"no interfaces and no ports":   func(p *plan.Plan) { p.Hosts[1].Mode = plan.ModeHost },
		"zero byte":                    func(p *plan.Plan) { p.Hosts[0].Environment = []string{"A=\x00"} },
		"a program's name first":       func(p *plan.Plan) { p.Hosts[0].Command = []string{""} },
		"the name of its interface":    func(p *plan.Plan) { p.Hosts[0].Interfaces[1].Name = p.Hosts[0].Interfaces[0].Name },
		"no station can have this MAC": func(p *plan.Plan) { p.Hosts[0].Interfaces[0].MAC = frame.MAC{} },
		"WEB has it":                   func(p *plan.Plan) { p.Hosts[1].Interfaces[0].MAC = p.Hosts[0].Interfaces[0].MAC },
		"default route via 10.9.0.1":   func(p *plan.Plan) { p.Hosts[0].Gateway = netip.MustParseAddr("10.9.0.1") },
		`protocol "sctp"`:              func(p *plan.Plan) { p.Hosts[0].Ports[0].Proto = "sctp" },
		"host_ip invalid IP":           func(p *plan.Plan) { p.Hosts[0].Ports[0].HostIP = netip.Addr{} },
		"port is already allocated":    func(p *plan.Plan) { p.Hosts[1].Ports[0].HostPort = 8080 },
		"an address of the host":       func(p *plan.Plan) { p.Hosts[0].Ports[0].To = netip.MustParseAddrPort("10.1.0.77:80") },
		"a host that starts before":    func(p *plan.Plan) { p.Hosts[0].DependsOn = []plan.Dependency{{Host: "DB"}} },
		"a host on the network":        func(p *plan.Plan) { p.Networks[0].FDB = []plan.FDBEntry{{MAC: frame.MAC{2}, Host: "DB"}} },
	} {
		labPlan, err := plan.Parse("w.yaml", []byte(text), plan.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		wrong(labPlan)
		if err := labPlan.Verify(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
