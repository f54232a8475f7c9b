package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// TestCaptured: a capture is told as journeys, in the order in which they began, each with its steps; what is none is refused.
func TestCaptured(t *testing.T) {
	s := start(t)
	s.Start()
	var file bytes.Buffer
	capture, err := pcap.New(&file, pcap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 600)
	large := func() string {
		for range 300 {
			e := trace.Event{Where: "br0", Port: "RED", Hook: trace.Ingress, Packet: 9, Length: 60000, Frame: frame.Frame{Data: make([]byte, 60000)}}
			if err := capture.Event(&e); err != nil {
				t.Fatal(err)
			}
		}
		return file.String()
	}
	emit := func(packet uint64, e trace.Event) {
		e.Time, e.Packet, e.Length, e.Frame = time.Unix(1, 0), packet, len(data), frame.Frame{Data: data}
		if err := capture.Event(&e); err != nil {
			t.Fatal(err)
		}
	}
	emit(7, trace.Event{Where: "br0", Port: "RED", Hook: trace.Ingress})
	emit(8, trace.Event{Where: "br0", Port: "BLUE", Hook: trace.Ingress})
	emit(7, trace.Event{Where: "br0", Port: "RED", Hook: trace.Bridge, Verdict: trace.Drop, Reason: trace.BridgeLoop})
	if err := capture.Lost(3); err != nil {
		t.Fatal(err)
	}
	if err := capture.Flush(); err != nil {
		t.Fatal(err)
	}
	ask := func(body string) (told api.Captured, err error) {
		answer, err := s.Stream(context.Background(), http.MethodPost, api.CapturedPath, nil, strings.NewReader(body))
		if err != nil {
			return told, err
		}
		defer answer.Close()
		return told, json.NewDecoder(answer).Decode(&told)
	}
	told, err := ask(file.String())
	if err != nil || told.Lost != 3 || len(told.Journeys) != 2 || len(told.Journeys[0].Steps) != 2 || told.Journeys[1].Packet != 8 {
		t.Fatalf("%v, %+v", err, told)
	}
	first, last := told.Journeys[0].Steps[0], told.Journeys[0].Steps[1]
	if first.Where != "RED" || first.What != "ingress" || first.Length != 600 || len(first.Data) != 256 || first.Hop != 1 {
		t.Errorf("%+v", first)
	}
	if last.Verdict != "drop" || last.Hop != 2 || last.Text == "" {
		t.Errorf("%+v", last)
	}
	for body, want := range map[string]string{"no capture": "not a pcapng capture", large(): "larger than"} {
		if _, err := ask(body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: %v, want %q", len(body), err, want)
		}
	}
	if told, err := ask(""); err != nil || len(told.Journeys) != 0 {
		t.Errorf("an empty file: %v, %+v", err, told)
	}
}
