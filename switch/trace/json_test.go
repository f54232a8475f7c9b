package trace_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

func TestJSON(t *testing.T) {
	var b strings.Builder
	j := trace.NewJSON(&b, trace.English)
	events := append(firstPing()[:4], pingOut()...)
	events = append(events, publish()[1])
	for i := range events {
		if err := j.Event(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Lost(12); err != nil {
		t.Fatal(err)
	}
	golden(t, "events.jsonl", b.String())
	for line := range strings.Lines(b.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// TestJSONKeys holds the names that programs depend on.
func TestJSONKeys(t *testing.T) {
	contract := []string{"time", "packet", "hop", "hook", "verdict", "reason", "where", "port", "ports", "rule", "conn",
		"before", "after", "src_mac", "dst_mac", "ethertype", "length", "text"}
	e := about(trace.Bridge, trace.Drop, trace.NoNote)
	e.Time, e.Packet, e.Hop, e.Reason, e.Rule = start, 1, 1, trace.Storm, "-j DROP"
	e.Before, e.After = icmpTuple(red, blue, 1), icmpTuple(out, blue, 1)
	e.Frame.Data = ethernet(redMAC, blueMAC, frame.TypeIPv4, nil)
	var b strings.Builder
	if err := trace.NewJSON(&b, trace.English).Event(&e); err != nil {
		t.Fatal(err)
	}
	var keys []string
	dec := json.NewDecoder(strings.NewReader(b.String()))
	for depth, key := 0, true; ; {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			depth++
			key = true
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			key = true
			continue
		}
		if depth == 1 && key {
			keys = append(keys, tok.(string))
		}
		if depth == 1 {
			key = !key
		}
	}
	if !slices.Equal(keys, contract) {
		t.Errorf("keys %v\nwant %v", keys, contract)
	}
}

// TestJSONAddresses: every line of an IP frame says whom it is from and to, bridged or routed, and every line of ARP.
func TestJSONAddresses(t *testing.T) {
	bridged := func(payload []byte) []byte { return ethernet(redMAC, blueMAC, frame.TypeIPv4, payload) }
	fragment := frame.IPv4(echo(frame.ICMPEcho, 64, red, blue, 7, 1))
	fragment.SetFragment(false, true, 8)
	ping6 := append([]byte{0x60, 0, 0, 0, 0, 8, 58, 255}, make([]byte, 32)...)
	ping6[23], ping6[39] = 1, 2
	ping6 = append(ping6, 128, 0, 0, 0, 0, 9, 0, 1)
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"UDP":           {bridged(ipv4(17, 64, red, blue, udp(40000, 53, nil))), `"before":{"proto":"udp","src":"11.11.11.2","sport":40000,"dst":"11.11.11.3","dport":53}`},
		"TCP":           {bridged(ipv4(6, 64, red, blue, tcp(1, 2, 3, 4, frame.SYN, nil))), `"before":{"proto":"tcp","src":"11.11.11.2","sport":1,"dst":"11.11.11.3","dport":2}`},
		"echo":          {bridged(echo(frame.ICMPEcho, 64, red, blue, 7, 1)), `"before":{"proto":"icmp","src":"11.11.11.2","dst":"11.11.11.3","type":8,"code":0,"id":7}`},
		"an ICMP error": {bridged(ipv4(1, 64, red, blue, icmp(3, 1, 0, 0, nil))), `"before":{"proto":"icmp","src":"11.11.11.2","dst":"11.11.11.3","type":3,"code":1}`},
		"a fragment":    {bridged(fragment), `"before":{"proto":"icmp","src":"11.11.11.2","dst":"11.11.11.3"}`},
		"OSPF":          {bridged(ipv4(89, 1, red, blue, nil)), `"before":{"proto":"89","src":"11.11.11.2","dst":"11.11.11.3"}`},
		"IPv6":          {ethernet(redMAC, blueMAC, frame.TypeIPv6, ping6), `"before":{"proto":"icmpv6","src":"::1","dst":"::2","type":128,"code":0,"id":9}`},
		"VLAN":          {ethernet(redMAC, blueMAC, frame.TypeVLAN, append([]byte{0, 5, 8, 0}, ipv4(17, 64, red, blue, udp(1, 2, nil))...)), `"before":{"proto":"udp","src":"11.11.11.2","sport":1,"dst":"11.11.11.3","dport":2}`},
		"ARP":           {arp(redMAC, frame.Broadcast, 1, redMAC, red, zero, blue), `"arp":{"op":"request","src":"11.11.11.2","dst":"11.11.11.3"}`},
		"an answer":     {arp(blueMAC, redMAC, 2, blueMAC, blue, redMAC, red), `"arp":{"op":"reply","src":"11.11.11.3","dst":"11.11.11.2"}`},
		"no header":     {bridged([]byte{0x45}), ""},
	} {
		e := trace.Event{Hook: trace.Bridge, Verdict: trace.Flood, Where: "br0", Frame: frame.Frame{Data: tt.data}}
		var b strings.Builder
		if err := trace.NewJSON(&b, trace.English).Event(&e); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), tt.want) || tt.want == "" && (strings.Contains(b.String(), "before") || strings.Contains(b.String(), "arp")) {
			t.Errorf("%s: %s\nwant %s", name, b.String(), tt.want)
		}
	}
}

// TestLossIn: what the printers write of losses can be read again, and nothing else is taken for it.
func TestLossIn(t *testing.T) {
	var text, lines strings.Builder
	p, j := trace.NewPrinter(&text, trace.TextOptions{}), trace.NewJSON(&lines, trace.English)
	for _, n := range []uint64{1, 12, 1234567} {
		text.Reset()
		lines.Reset()
		_, _ = p.Lost(n), j.Lost(n)
		_, _ = p.Flush(), j.Flush()
		for _, b := range []string{text.String(), lines.String()} {
			if got := trace.LossIn(trace.English, []byte(strings.TrimSpace(b))); got != n || len(b) > trace.LossLength {
				t.Errorf("%q: %d, want %d", b, got, n)
			}
		}
	}
	for _, line := range []string{"", "(", "(12 events", "#1  RED > BLUE", `{"time":"x","lost":3}`, "(12 events lost: not so)"} {
		if n := trace.LossIn(trace.English, []byte(line)); n != 0 {
			t.Errorf("%q: %d", line, n)
		}
	}
}
