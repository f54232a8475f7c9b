package trace_test

import (
	"net/netip"
	"strings"
	"testing"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

var labHosts = map[string][]netip.Addr{"RED": {red}, "BLUE": {blue}}

func TestFilter(t *testing.T) {
	all := append(append(firstPing(), pingOut()...), publish()...)
	for _, tt := range []struct {
		name string
		spec trace.FilterSpec
		want string // packet.hop of what matches
	}{
		{"drops", trace.FilterSpec{Drops: true}, "10.4 21.3"},
		{"a hook", trace.FilterSpec{Hooks: []string{"forward"}}, "9.5 10.4 21.3"},
		{"two hooks", trace.FilterSpec{Hooks: []string{"learn", "arp"}}, "1.2 1.4 1.5 2.2"},
		{"a published port, before and after translation", trace.FilterSpec{Port: "8080"}, "21.1 21.2 21.3"},
		{"a protocol", trace.FilterSpec{Proto: "tcp"}, "21.1 21.2 21.3"},
		{"a protocol and a hook", trace.FilterSpec{Proto: "icmp", Hooks: []string{"postrouting"}}, "9.6"},
		{"arp by name in capitals", trace.FilterSpec{Proto: "ARP", Hooks: []string{"ingress"}}, "1.1 2.1"},
		{"by number", trace.FilterSpec{Proto: "1", Hooks: []string{"ingress"}}, "3.1 9.1 10.1"},
		{"an address", trace.FilterSpec{Hosts: []string{"8.8.8.8"}, Hooks: []string{"ingress"}}, "9.1 10.1"},
		{"a connection is followed behind its translation", trace.FilterSpec{Hosts: []string{"RED"}, Hooks: []string{"egress", "prerouting"}},
			"1.6 2.4 3.3 9.3 9.7 10.2"},
		{"either of two hosts", trace.FilterSpec{Hosts: []string{"BLUE", "203.0.113.9"}, Hooks: []string{"ingress"}}, "1.1 2.1 3.1 21.1"},
		{"nothing", trace.FilterSpec{Proto: "udp"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := tt.spec.Compile(labHosts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range all {
				_ = f.Pass(&all[i], func(e *trace.Event) error { got = append(got, hopName(e)); return nil })
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

// TestFilterLooksBack: the first steps of an answer and of a published port's client say nothing of the host that they turn
// out to concern; others' steps in between are not taken along.
func TestFilterLooksBack(t *testing.T) {
	f, err := trace.FilterSpec{Hosts: []string{"RED", "BLUE"}}.Compile(labHosts)
	if err != nil {
		t.Fatal(err)
	}
	stranger := trace.Event{Packet: 77, Hop: 1, Hook: trace.Ingress, Verdict: trace.Accept, Frame: frame.Frame{Data: make([]byte, 60)}}
	var got []string
	give := func(e *trace.Event) error { got = append(got, hopName(e)); return nil }
	for _, e := range append(pingOut()[7:], publish()...) {
		_ = f.Pass(&stranger, give)
		_ = f.Pass(&e, give)
	}
	if s := strings.Join(got, " "); s != "10.1 10.2 10.3 10.4 21.1 21.2 21.3" {
		t.Errorf("got %s", s)
	}
	for range 1000 {
		_ = f.Pass(&stranger, give)
	}
	if n := testing.AllocsPerRun(1000, func() { _ = f.Pass(&stranger, give) }); n != 0 {
		t.Errorf("%v allocations for a step that nobody wants", n)
	}
}

func TestNilFilterMatchesAll(t *testing.T) {
	var f *trace.Filter
	passed := false
	if _ = f.Pass(&trace.Event{}, func(*trace.Event) error { passed = true; return nil }); !passed {
		t.Error("a nil filter refused an event")
	}
}

func TestFilterErrors(t *testing.T) {
	for _, tt := range []struct {
		spec trace.FilterSpec
		want string
	}{
		{trace.FilterSpec{Hosts: []string{"GREEN"}}, `host "GREEN": neither an address nor a host of this lab; there are BLUE, RED`},
		{trace.FilterSpec{Port: "http"}, `port "http": want a number from 1 to 65535`},
		{trace.FilterSpec{Port: "65536"}, `port "65536": want a number from 1 to 65535`},
		{trace.FilterSpec{Port: "0"}, `port "0": want a number from 1 to 65535`},
		{trace.FilterSpec{Proto: "quic"}, `protocol "quic": want arp, ip, ipv6, icmp, icmp6, tcp, udp, or an IP protocol number`},
		{trace.FilterSpec{Hooks: []string{"forwrd"}}, `hook "forwrd": there is no such hook; there are decap, ingress, learn, bridge, arp, ` +
			`prerouting, route, input, forward, output, postrouting, neighbor, egress, encap`},
	} {
		if _, err := tt.spec.Compile(labHosts); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
