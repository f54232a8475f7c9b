package trace_test

import (
	"net/netip"
	"testing"

	"uswitch/switch/trace"
)

// TestSenderIsThePort: a frame with RED's addresses that came by EVIL's port is EVIL's, who says that it is RED: in the head, in
// a drop of which somebody is told later, and for a filter that asks for RED or for EVIL. An address that is nobody's, and a
// packet that has been translated, are what they say.
func TestSenderIsThePort(t *testing.T) {
	evil := netip.MustParseAddr("11.11.11.66")
	echo := ethernet(redMAC, blueMAC, 0x0800, ipv4(1, 64, red, blue, icmp(8, 0, 7, 1, nil)))
	for _, test := range []struct {
		name       string
		port, came string
		hook       trace.Hook
		verdict    trace.Verdict
		data       []byte
		from       string
		red, evil  bool // what --from RED and --from EVIL say
	}{
		{"its own port", "RED", "", trace.Ingress, trace.Accept, echo, "RED", true, false},
		{"another's port", "EVIL", "", trace.Ingress, trace.Accept, echo, "EVIL as RED", false, true},
		{"dropped for it", "EVIL", "EVIL", trace.Learn, trace.Drop, echo, "EVIL as RED", false, true},
		{"at the gateway", "br0", "EVIL", trace.Prerouting, trace.Drop, echo, "EVIL as RED", false, true},
		{"on its way out", "BLUE", "EVIL", trace.Egress, trace.Accept, echo, "RED", false, true},
		{"nobody's address", "EVIL", "", trace.Ingress, trace.Accept, ethernet([6]byte{2, 0, 0, 0, 0, 9}, blueMAC, 0x0800, ipv4(1, 64, google, blue, icmp(8, 0, 7, 1, nil))), "8.8.8.8", false, true},
		{"from the gateway", "BLUE", "", trace.Bridge, trace.Unicast, echo, "RED", true, false},
	} {
		e := trace.Event{Packet: 1, Hop: 1, Hook: test.hook, Verdict: test.verdict, Where: "br0", Port: test.port, Came: test.came}
		e.Frame.Data = test.data
		if got := e.Head(trace.English, labNames{}).From; got != test.from {
			t.Errorf("%s: from %q, want %q", test.name, got, test.from)
		}
		for name, want := range map[string]bool{"RED": test.red, "EVIL": test.evil} {
			f, err := trace.FilterSpec{From: []string{name}}.Compile(map[string][]netip.Addr{"RED": {red}, "EVIL": {evil}, "BLUE": {blue}})
			if err != nil {
				t.Fatal(err)
			}
			got := false
			if err := f.Pass(&e, func(*trace.Event) error { got = true; return nil }); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s: --from %s: %v", test.name, name, got)
			}
		}
	}
}
