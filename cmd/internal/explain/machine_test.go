package explain_test

import (
	"net/netip"
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/explain"
	"uswitch/nat"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// machine is a kernel that has one way for everything.
type machine struct{ kind sim.RouteKind }

func (m machine) Route(sim.Lookup) sim.Decision { return sim.Decision{Kind: m.kind} }

// TestMachineWithoutRoute: behind the host uplink stands this machine, whose own routes decide too. What they forbid is not
// answered; what they lead to is not known, and never "works".
func TestMachineWithoutRoute(t *testing.T) {
	for kind, want := range map[sim.RouteKind]api.Verdict{sim.NoRoute: api.No, sim.Unreachable: api.No, sim.Prohibit: api.No, sim.Blackhole: api.No,
		sim.Unicast: api.NotKnown} {
		l := real(t, nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: noUplink{}}, explain.Uplink{Kind: explain.Host, Machine: machine{kind}})
		a, err := l.Explain(api.Question{From: "RED", To: "8.8.8.8", Protocol: "icmp"})
		if err != nil {
			t.Fatal(err)
		}
		if a.Verdict != want || a.Works || want == api.No && a.Stop == nil {
			t.Errorf("%s: %s, works %v: %s", kind, a.Verdict, a.Works, a.Sentence)
		}
		advice, err := l.WhyNot(a.Question)
		if err != nil {
			t.Fatal(err)
		}
		if advice.Solved || advice.Works || advice.Verdict != want {
			t.Errorf("%s: %s, solved %v: %s", kind, advice.Verdict, advice.Solved, advice.Sentence)
		}
	}
}

// TestHeldPort: where a server has a port at one address alone, no other can take it.
func TestHeldPort(t *testing.T) {
	for _, proto := range []string{"tcp", "udp"} {
		number := map[string]uint8{"tcp": frame.ProtoTCP, "udp": frame.ProtoUDP}[proto]
		for at, socket := range map[string]sim.Socket{
			"127.0.0.1:81":                {Addr: ip("127.0.0.1")},
			"10.9.9.9:81":                 {Addr: ip("10.9.9.9")},
			"10.1.0.3:81 for 10.1.0.9:53": {Addr: ip("10.1.0.3"), Peer: netip.MustParseAddrPort("10.1.0.9:53")},
		} {
			l := real(t, nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: noUplink{}}, explain.Uplink{Kind: explain.Sim, Internet: sim.InternetConfig{}})
			socket.Proto, socket.Port = number, 81
			l.Hosts[1].Bound = []sim.Socket{socket}
			advice, err := l.WhyNot(api.Question{From: "RED", To: "BLUE", Protocol: proto, Port: 81})
			if err != nil {
				t.Fatal(err)
			}
			if len(advice.Steps) != 1 || advice.Steps[0].Command != "" || !strings.Contains(advice.Steps[0].Text, at+" only") {
				t.Errorf("%s at %s: %+v", proto, at, advice.Steps)
			}
		}
	}
}

// TestHostsFirewall: a firewall in a host is shown, never opened, and nothing is called solved behind it.
func TestHostsFirewall(t *testing.T) {
	for _, drops := range []bool{false, true} {
		l := real(t, nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: noUplink{}}, explain.Uplink{Kind: explain.Sim, Internet: sim.InternetConfig{}})
		l.Hosts[1].Unseen = []sim.Unseen{{At: sim.AtInput, Text: "a firewall", Shown: "nft list ruleset", Drops: drops}}
		l.Hosts[0].NICs[0].Down = true
		advice, err := l.WhyNot(api.Question{From: "RED", To: "BLUE", Protocol: "icmp"})
		if err != nil {
			t.Fatal(err)
		}
		if advice.Solved || len(advice.Steps) != 1 || len(advice.Look) != 1 || advice.Look[0] != "uswitch exec BLUE -- nft list ruleset" {
			t.Errorf("drops: %v: solved %v by %+v, look at %q", drops, advice.Solved, advice.Steps, advice.Look)
		}
		if drops && (advice.Rest == nil || advice.Rest.Reason != trace.PolicyDrop.String()) {
			t.Errorf("the rest: %+v", advice.Rest)
		}
	}
}
