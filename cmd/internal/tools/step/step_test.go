package step_test

import (
	"context"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/control/server"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/tools/step"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

var update = flag.Bool("update", false, "write the golden files anew")

const oneHost = `
name: s
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  RED: {networks: [br0]}
x-uswitch: {uplink: sim}
`

// start brings a lab up whose host is the test, and returns a client and what sends a ping of RED's.
func start(t *testing.T) (*api.Client, *world.World, func()) {
	t.Helper()
	p, err := plan.Parse("s.yaml", []byte(oneHost), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	host, dir := &worldtest.Host{}, t.TempDir()
	w, err := world.New(p, world.Options{Host: host})
	if err == nil {
		err = w.Up(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	l, err := server.Listen(dir, "s")
	if err != nil {
		t.Fatal(err)
	}
	server := server.New(l, w, "test", 42, func() {})
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := w.Down(); err != nil {
			t.Error(err)
		}
	})
	return api.NewClient(api.Path(dir, "s"), "s"), w, func() { host.Device("RED eth0").Send(ping()) }
}

func ping() []byte {
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+frame.ICMPHeader)
	frame.Ethernet(b).SetHeader(frame.MAC{2, 0x42, 11, 11, 11, 1}, frame.MAC{2, 0x42, 11, 11, 11, 2}, frame.TypeIPv4)
	m := frame.ICMP(b[frame.EthernetHeader+frame.IPv4Header:])
	m[0], m[5], m[7] = frame.ICMPEcho, 7, 1
	m.SetChecksum()
	frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoICMP, 64, 1, netip.MustParseAddr("11.11.11.2"), netip.MustParseAddr("8.8.8.8"))
	return b
}

// golden compares text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// files makes an input that has these lines, and an output.
func files(t *testing.T, lines string) (in, out *os.File, text func() string) {
	t.Helper()
	in, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, lines); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { in.Close() })
	if out, err = os.Create(filepath.Join(t.TempDir(), "out")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return in, out, func() string {
		text, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

// TestRun takes a ping on its way out, by a script: three steps one by one, the rest at once. Its end is the script's.
func TestRun(t *testing.T) {
	for name, o := range map[string]step.Options{
		"script": {}, "auto": {Auto: true, Count: 1}, "narrow": {Width: 60},
	} {
		t.Run(name, func(t *testing.T) {
			client, w, send := start(t)
			in, out, text := files(t, "n\n\nnext\nwhat?\nc\n")
			if o.Width == 0 {
				o.Width = 100
			}
			o.Query.Filter = trace.FilterSpec{From: []string{"RED"}, Proto: "icmp"}
			ended := make(chan error)
			var errs strings.Builder
			go func() { ended <- step.Run(context.Background(), client, o, in, out, &errs) }()
			for !w.Tracer().Listening() {
				time.Sleep(time.Millisecond)
			}
			send()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			got := text()
			number, _, _ := strings.Cut(got, " ") // announcements come in between
			golden(t, name+".txt", "#1"+strings.TrimPrefix(got, number))
			if name != "auto" && strings.Count(errs.String(), "n or space") != 2 {
				t.Errorf("the keys are told at the beginning and for a wrong one:\n%s", errs.String())
			}
		})
	}
}

// TestReplay: a journey from a capture, which is all there is to know, and what is wrong with others.
func TestReplay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.pcapng")
	file, err := pcap.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	capture, err := pcap.New(file, pcap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := ping()
	emit := func(e trace.Event) {
		e.Time, e.Packet, e.Length = time.Unix(1, 0), 3, len(b)
		e.Frame = frame.Frame{Data: b}
		if e.IP {
			e.Frame = e.Frame.Packet()
		}
		if err := capture.Event(&e); err != nil {
			t.Fatal(err)
		}
	}
	emit(trace.Event{Hook: trace.Ingress, Verdict: trace.Accept, Where: "br0", Port: "RED"})
	frame.IPv4(b[frame.EthernetHeader:]).DecrementTTL()
	emit(trace.Event{Hook: trace.Forward, Verdict: trace.Accept, Where: "gateway", IP: true, Rule: "-A FORWARD -j ACCEPT", Target: "ACCEPT"})
	emit(trace.Event{Hook: trace.Postrouting, Verdict: trace.Drop, Reason: trace.NATNoPort, Where: "gateway", IP: true})

	steps, lost, err := step.Captured(path, 3)
	if err != nil || lost != 0 {
		t.Fatal(lost, err)
	}
	in, out, text := files(t, "")
	if err := step.Replay(context.Background(), steps, step.ReplayOptions{Width: 100}, in, out, io.Discard); err != nil {
		t.Fatal(err)
	}
	golden(t, "replay.txt", text())

	for packet, says := range map[uint64]string{4: "packet 4 is not in it; the last one is 3"} {
		if _, _, err := step.Captured(path, packet); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("packet %d: %v", packet, err)
		}
	}
	_ = capture.Lost(70)
	_ = capture.Flush()
	if _, lost, err := step.Captured(path, 3); err != nil || lost != 70 {
		t.Errorf("%d steps are lost, want 70: %v", lost, err)
	}
	if _, _, err := step.Captured(path, 4); err == nil || !strings.Contains(err.Error(), "among the 70 steps that the capture has lost") {
		t.Errorf("a packet that may be lost: %v", err)
	}
	if _, _, err := step.Captured("testdata/script.txt", 1); err == nil || !strings.Contains(err.Error(), "not a pcapng capture") {
		t.Errorf("a text: %v", err)
	}
}
