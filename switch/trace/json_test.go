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
	j := trace.NewJSON(&b)
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
	if err := trace.NewJSON(&b).Event(&e); err != nil {
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
