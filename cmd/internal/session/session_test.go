package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

func TestParseRoutes(t *testing.T) {
	const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010011AC	0003	0	0	0	00000000	0	0	0
eth0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
wg0	0002000A	00000000	0001	0	0	0	00FFFFFF	0	0	0
damaged	line
`
	want := []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("10.0.2.0/24")}
	if got := parseRoutes(table); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// files returns options whose output goes to files, and what reads them.
func files(t *testing.T, file string) (Options, func() (stdout, stderr string)) {
	t.Helper()
	p, err := plan.Parse("t.yaml", []byte(file), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	open := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	o := Options{Plan: p, Trace: "text", Stdout: open("out"), Stderr: open("err")}
	return o, func() (string, string) {
		out, _ := os.ReadFile(o.Stdout.Name())
		errs, _ := os.ReadFile(o.Stderr.Name())
		return string(out), string(errs)
	}
}

func TestPrefixed(t *testing.T) {
	const maxLine = 8 << 10 // of world.Lines
	o, read := files(t, "name: t\nservices: {RED: {command: a}, GREEN: {command: b}}\n")
	s := newScreen(o)
	red, green := s.host("RED"), s.host("GREEN")
	for _, text := range []string{"one\ntw", "o\n", strings.Repeat("x", maxLine+1), "\nlast"} {
		if _, err := io.WriteString(red, text); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.WriteString(green, "between\n")
	red.Close()
	green.Close()
	want := "RED   | one\nRED   | two\nRED   | " + strings.Repeat("x", maxLine) + "\nRED   | x\nGREEN | between\nRED   | last\n"
	if got, _ := read(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSimulate(t *testing.T) {
	const two = `
name: t
networks: {br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}}
services:
  RED: {command: uswitch ping -c 1 11.11.11.3, networks: [br0]}
  BLUE: {networks: [br0], x-uswitch: {passive: true}}
`
	for name, c := range map[string]struct {
		file      string
		status    int
		out, errs string
	}{
		"answered":       {two, 0, "RED | 64 bytes from 11.11.11.3: icmp_seq=1 ttl=64", "RED: ended with status 0"},
		"unanswered":     {strings.ReplaceAll(two, "11.11.11.3", "11.11.11.99"), 1, "100% packet loss", "RED: ended with status 1"},
		"other commands": {strings.ReplaceAll(two, "uswitch ping -c 1 11.11.11.3", "ping -c 1 11.11.11.3"), 0, "RED | 64 bytes from 11.11.11.3", "RED: ended with status 0"},
		"no such thing":  {strings.ReplaceAll(two, "uswitch ping -c 1 11.11.11.3", "no-such-program"), 127, "", "no-such-program cannot be simulated"},
		"in another one's namespace": {"name: t\nservices: {RED: {x-uswitch: {passive: true}}, PINK: {network_mode: \"service:RED\", command: uswitch ping -c 1 172.18.0.3}, BLUE: {x-uswitch: {passive: true}}}\n",
			0, "64 bytes from 172.18.0.3: icmp_seq=1 ttl=64", "PINK: ended with status 0"},
		"neighbours that do not reach each other": {"name: t\nnetworks: {default: {driver_opts: {com.docker.network.bridge.enable_icc: \"false\"}}}\n" +
			"services: {RED: {command: uswitch ping -c 1 -W 1 172.18.0.3}, BLUE: {x-uswitch: {passive: true}}}\n", 1, " -j DROP", "RED: ended with status 1"},
		"nothing but lo": {"name: t\nservices: {RED: {network_mode: none, command: uswitch ping -c 1 172.18.0.3}}\n",
			2, "", "RED: ended with status 2"},
		"waits for success": {strings.ReplaceAll(two, "BLUE: {", "BLUE: {command: uswitch ping -c 1 11.11.11.1, depends_on: {RED: {condition: service_completed_successfully}}, "),
			0, "BLUE | 64 bytes from 11.11.11.1", "BLUE: ended with status 0"},
		"waits in vain": {strings.ReplaceAll(strings.ReplaceAll(two, "11.11.11.3", "11.11.11.99"), "BLUE: {",
			"BLUE: {command: uswitch ping -c 1 11.11.11.1, depends_on: {RED: {condition: service_completed_successfully}}, "),
			1, "", "BLUE: not started: RED, which it waits for, ended with status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			o, read := files(t, c.file)
			o.Simulated = true
			if !Simulable(o.Plan) {
				t.Error("not simulable")
			}
			status, err := Run(o)
			out, errs := read()
			if status != c.status || (err == nil) != (c.errs != "") || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) {
				t.Errorf("status %d, error %v\n%s%s", status, err, out, errs)
			}
		})
	}
}

func TestSimulatedCapture(t *testing.T) {
	o, _ := files(t, "name: t\nservices: {RED: {command: uswitch ping -c 1 172.17.0.1}}\n")
	o.Simulated = true
	o.Pcap = filepath.Join(t.TempDir(), "c.pcapng")
	if _, err := Run(o); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(o.Pcap)
	if err != nil || len(data) < 500 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	var copied bytes.Buffer
	if err := copyBlocks(&copied, bytes.NewReader(data)); err != nil || !bytes.Equal(copied.Bytes(), data) {
		t.Errorf("copied %d of %d bytes: %v", copied.Len(), len(data), err)
	}
	if err := copyBlocks(&copied, bytes.NewReader(data[:len(data)-1])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a block that is cut short: %v", err)
	}
	if _, err := Run(o); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("an existing capture: %v", err)
	}
}

// TestBlockCounter: what is told at the end of a capture is what it holds and what it says that it has lost.
func TestBlockCounter(t *testing.T) {
	var in bytes.Buffer
	w, err := pcap.New(&in, pcap.Options{})
	e := trace.Event{Hook: trace.Ingress, Verdict: trace.Accept, Where: "br0", Port: "RED", Frame: frame.Frame{Data: make([]byte, 61)}}
	for _, lost := range []uint64{0, 155000, 12} {
		err = errors.Join(err, w.Event(&e), w.Lost(lost))
	}
	before := bytes.Clone(in.Bytes())
	err = errors.Join(err, w.Event(&e), w.Lost(1), w.Flush())
	for want, b := range map[string][]byte{
		"f holds 3 steps of packets; 155000 steps are missing: the reader was slower than the network": before, // cut off
		"f holds 4 steps of packets; 155013 steps are missing: the reader was slower than the network": in.Bytes(),
	} {
		counted := &blockCounter{out: io.Discard}
		if err := errors.Join(err, copyBlocks(counted, bytes.NewReader(b))); err != nil || counted.holds("f") != want {
			t.Errorf("%s, want %s: %v", counted.holds("f"), want, err)
		}
	}
	if text := (&blockCounter{packets: 7}).holds("f"); text != "f holds 7 steps of packets" {
		t.Error(text)
	}
}

// TestCutShort: what of the end did not come is told beside what was lost, but not of who was there to the end or is gone.
func TestCutShort(t *testing.T) {
	ended, end := context.WithCancel(context.Background())
	end()
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want bool
	}{
		{ended, nil, false}, {ended, api.ErrUnfinished, true}, {ended, io.ErrUnexpectedEOF, true}, {ended, syscall.EPIPE, false},
		{context.Background(), io.ErrUnexpectedEOF, false},
	} {
		if got := cutShort(test.ctx, test.err); got != test.want {
			t.Errorf("%v: %v", test.err, got)
		}
	}
	want := "f holds 7 steps of packets; 3 steps are missing: the reader was slower than the network; " +
		"at its end up to 8192 steps are missing: what the lab still held for it did not come in time"
	if text := (&blockCounter{packets: 7, lost: 3, cut: true}).holds("f"); text != want {
		t.Error(text)
	}
}

// TestLossCounter reads losses from a trace however it is cut on its way.
func TestLossCounter(t *testing.T) {
	text := "#1  RED > BLUE\n\n(1,204 events lost: this reader is slower than the network)\n{\"lost\":12}\n" + strings.Repeat("x", 1000) + "\n"
	for size := range 40 {
		var out bytes.Buffer
		c := &lossCounter{out: &out}
		for rest := []byte(text); len(rest) > 0; rest = rest[min(size+1, len(rest)):] {
			_, _ = c.Write(rest[:min(size+1, len(rest))])
		}
		if c.lost != 1216 || out.String() != text {
			t.Fatalf("in pieces of %d: %d lost", size+1, c.lost)
		}
	}
}

// TestScreenInOrder: next to a trace a host's line stands behind the packets that came before it, and before those after it.
func TestScreenInOrder(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := newScreen(Options{Plan: &plan.Plan{}, Stdout: file, Stderr: file})
	p := trace.NewPrinter(s, trace.TextOptions{Turn: s.turn})
	packet := func(n uint64) *trace.Event {
		return &trace.Event{Time: time.Now(), Packet: n, Hop: 1, Hook: trace.Ingress, Verdict: trace.Accept, Where: "br0", Port: "RED", Frame: frame.Frame{Data: make([]byte, 60)}}
	}
	s.order(true)
	host := s.host("RED")
	_ = p.Event(packet(1))
	_, _ = host.Write([]byte("after the first\n"))
	_ = p.Event(packet(2))
	_, _ = host.Write([]byte("after the second\n"))
	_ = p.Idle(time.Now().Add(time.Second))
	_, _ = host.Write([]byte("without any\n"))
	_ = p.Flush()
	s.order(false)
	_, _ = host.Write([]byte("at the end\n"))
	text, _ := os.ReadFile(file.Name())
	at := -1
	for _, want := range []string{"#1 ", "after the first", "#2 ", "after the second", "without any", "at the end"} {
		i := strings.Index(string(text), want)
		if i <= at {
			t.Errorf("%q does not stand in its place:\n%s", want, text)
		}
		at = i
	}

	s.order(true)
	for range 3 * maxWaiting / 1000 {
		_, _ = host.Write(append(bytes.Repeat([]byte("y"), 999), '\n'))
	}
	if s.bytes > maxWaiting+2000 {
		t.Errorf("%d bytes wait", s.bytes)
	}
}

// TestCopyBlocksOnAFullDisk ends with a whole block.
func TestCopyBlocksOnAFullDisk(t *testing.T) {
	block := []byte{1, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0}
	out := &small{room: 20}
	if err := copyBlocks(out, bytes.NewReader(bytes.Repeat(block, 3))); !errors.Is(err, pcap.ErrFull) || out.n != 12 {
		t.Errorf("%d bytes, %v", out.n, err)
	}
	if err := copyBlocks(io.Discard, bytes.NewReader([]byte{1, 0, 0, 0, 255, 255, 255, 255})); err == nil {
		t.Error("a block of 4 GiB is believed")
	}
}

// small has room for so many bytes, and takes a write as a whole or not at all.
type small struct{ room, n int }

func (s *small) Write(b []byte) (int, error) {
	if s.n+len(b) > s.room {
		return 0, pcap.ErrFull
	}
	s.n += len(b)
	return len(b), nil
}
