package explain_test

import (
	"net/netip"
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/explain"
	"uswitch/nat"
)

// TestAddressless asks for a host that has lost its address: that is an answer, not a question without sense.
func TestAddressless(t *testing.T) {
	l := real(t, nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: noUplink{}}, explain.Uplink{Kind: explain.Host})
	l.Hosts[1].NICs[0].Addr = netip.Prefix{}
	q := api.Question{From: "RED", To: "BLUE", Protocol: "icmp"}
	a, err := l.Explain(q)
	if err != nil || a.Works || a.Stop == nil || a.Stop.Reason != "no-address" || a.Stop.Where != "BLUE" || len(a.Phases) != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	w, err := l.WhyNot(q)
	if err != nil || w.Works || w.Solved || !strings.Contains(w.Sentence, "ip addr add") {
		t.Errorf("%+v, %v", w, err)
	}
}
