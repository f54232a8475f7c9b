package join_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/tools/join"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

var (
	noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	a, b = netip.MustParseAddrPort("192.168.50.1:50000"), netip.MustParseAddrPort("192.168.50.2:4789")
)

// machine writes a capture.
type machine struct {
	t     *testing.T
	name  string
	file  bytes.Buffer
	w     *pcap.Writer
	ahead time.Duration // of its clock
}

func newMachine(t *testing.T, name string, ahead time.Duration) *machine {
	t.Helper()
	m := &machine{t: t, name: filepath.Join(t.TempDir(), name), ahead: ahead}
	var err error
	if m.w, err = pcap.New(&m.file, pcap.Options{}); err != nil {
		t.Fatal(err)
	}
	return m
}

// datagram has a frame pass its tunnel, after so many microseconds.
func (m *machine) datagram(hook trace.Hook, packet uint64, after int, outer trace.Outer, data []byte) {
	m.t.Helper()
	e := trace.Event{Hook: hook, Packet: packet, Time: noon.Add(time.Duration(after)*time.Microsecond + m.ahead), Outer: outer,
		Frame: frame.Frame{Data: data}, Length: len(data)}
	if err := m.w.Event(&e); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) save() string {
	m.t.Helper()
	if err := os.WriteFile(m.name, m.file.Bytes(), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return m.name
}

// echo is a frame that no other is like.
func echo(seq byte) []byte {
	f := make([]byte, 60)
	copy(f, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x88\xb5")
	f[20] = seq
	return f
}

func joined(t *testing.T, one, other *machine) string {
	t.Helper()
	j, err := join.Files(one.save(), other.save(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := j.Print(&out, 80); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
}

// TestBothWays: a question and its answer bound what two clocks differ by, between the two delays.
func TestBothWays(t *testing.T) {
	one, other := newMachine(t, "a.pcapng", 0), newMachine(t, "b.pcapng", 2*time.Second)
	there, back := trace.Outer{Src: a, Dst: b, VNI: 42}, trace.Outer{Src: b, Dst: a, VNI: 42}
	one.datagram(trace.Encap, 12, 0, there, echo(1))
	other.datagram(trace.Decap, 7, 300, there, echo(1))
	other.datagram(trace.Encap, 8, 400, back, echo(2))
	one.datagram(trace.Decap, 13, 500, back, echo(2))
	one.datagram(trace.Encap, 14, 600, there, echo(3)) // is lost
	text := joined(t, one, other)
	contains(t, text, "The clock of b.pcapng is 2.0001s ahead of that of a.pcapng, to within 200µs.", "1 datagrams are in a.pcapng alone",
		"a.pcapng #12 | 0.000 encap |", "| b.pcapng #7 | 0.200 decap |", "| b.pcapng #8 | 0.000 encap |", "a.pcapng #13 | 0.200 decap |")
	if strings.Contains(text, "doubt") {
		t.Errorf("doubts:\n%s", text)
	}
	if strings.Index(text, "#12") > strings.Index(text, "#8") {
		t.Errorf("the answer comes first:\n%s", text)
	}
}

// TestOneWay: what went there alone bounds the difference on one side only, and it says so.
func TestOneWay(t *testing.T) {
	one, other := newMachine(t, "a.pcapng", 0), newMachine(t, "b.pcapng", time.Second)
	there := trace.Outer{Src: a, Dst: b, VNI: 42}
	one.datagram(trace.Encap, 1, 0, there, echo(1))
	other.datagram(trace.Decap, 1, 300, there, echo(1))
	contains(t, joined(t, one, other), "is not known: nothing came back that is beyond doubt. That of b.pcapng is at most 1.0003s ahead")
	contains(t, joined(t, other, one), "is not known: nothing went there that is beyond doubt. That of a.pcapng is at least -1.0003s ahead")
}

// TestTwins: of equal frames, one of which is lost, nobody can say which one it was.
func TestTwins(t *testing.T) {
	one, other := newMachine(t, "a.pcapng", 0), newMachine(t, "b.pcapng", 0)
	there := trace.Outer{Src: a, Dst: b, VNI: 42}
	for i := range 3 {
		one.datagram(trace.Encap, uint64(i+1), 1000*i, there, echo(1))
	}
	other.datagram(trace.Decap, 1, 1100, there, echo(1))
	other.datagram(trace.Decap, 2, 2100, there, echo(1))
	contains(t, joined(t, one, other), "in doubt: 3 frames are equal to the byte, and not all are in both captures", "no crossing is beyond doubt")
}

// TestNothingCrossed: other VNIs and other ends are other networks, whatever the frame.
func TestNothingCrossed(t *testing.T) {
	one, other := newMachine(t, "a.pcapng", 0), newMachine(t, "b.pcapng", 0)
	one.datagram(trace.Encap, 1, 0, trace.Outer{Src: a, Dst: b, VNI: 42}, echo(1))
	other.datagram(trace.Decap, 1, 1, trace.Outer{Src: a, Dst: b, VNI: 43}, echo(1))
	other.datagram(trace.Decap, 2, 2, trace.Outer{Src: b, Dst: b, VNI: 42}, echo(1))
	_, err := join.Files(one.save(), other.save(), 1000)
	if err == nil || !strings.Contains(err.Error(), "no packet is in both") {
		t.Errorf("got %v", err)
	}
	if _, err := join.Files(one.name, other.name, 1); err == nil || !strings.Contains(err.Error(), "b.pcapng: more than 1 steps") {
		t.Errorf("got %v", err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := join.Files(empty, other.name, 1000); err == nil || !strings.Contains(err.Error(), "have no numbers") {
		t.Errorf("got %v", err)
	}
}
