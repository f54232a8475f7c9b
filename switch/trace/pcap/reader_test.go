package pcap_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// readAll reads a capture back.
func readAll(r io.Reader) (steps []pcap.Step, err error) {
	for in := pcap.NewReader(r); ; {
		s, err := in.Next()
		if errors.Is(err, io.EOF) {
			return steps, nil
		}
		if err != nil {
			return steps, err
		}
		steps = append(steps, s)
	}
}

// TestReader: what was written is read back, step by step.
func TestReader(t *testing.T) {
	events := journey()
	capture, _ := write(t, events)
	steps, err := readAll(bytes.NewReader(capture))
	if err != nil || len(steps) != len(events) {
		t.Fatalf("%d steps of %d: %v", len(steps), len(events), err)
	}
	for i, s := range steps {
		e := &events[i]
		where, what := e.Step()
		name := where + " " + what
		if e.Verdict == trace.Drop {
			name = "drops"
		}
		if s.Name != name || s.Text != e.Text(trace.English) || s.Packet != e.Packet || !s.Time.Equal(e.Time) || s.IP != e.IP || s.Length != e.Length || len(s.Data) != e.Length {
			t.Errorf("step %d: got %+v of %+v", i, s, e)
		}
	}
}

// TestReaderOfDamage: a capture that is cut anywhere ends with a whole step, and no bytes make the reader fail otherwise
// than by saying so.
func TestReaderOfDamage(t *testing.T) {
	capture, _ := write(t, journey())
	for n := range capture {
		if steps, err := readAll(bytes.NewReader(capture[:n])); err != nil || len(steps) > len(journey()) {
			t.Fatalf("cut after %d bytes: %d steps, %v", n, len(steps), err)
		}
	}
	for _, b := range [][]byte{[]byte("hello, this is no capture"), make([]byte, 100), {0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2, 3, 4, 5, 6}} {
		if steps, err := readAll(bytes.NewReader(b)); !errors.Is(err, pcap.ErrFormat) {
			t.Errorf("%q: %d steps, %v", b, len(steps), err)
		}
	}
}

func FuzzReader(f *testing.F) {
	w := &bytes.Buffer{}
	if c, err := pcap.New(w, pcap.Options{}); err != nil {
		f.Fatal(err)
	} else {
		for _, e := range journey() {
			_ = c.Event(&e)
		}
	}
	f.Add(w.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		steps, _ := readAll(bytes.NewReader(b))
		for _, s := range steps {
			if len(s.Data) > len(b) {
				t.Errorf("%d bytes out of %d", len(s.Data), len(b))
			}
		}
	})
}

// TestLosses: a capture says what it has lost, in front of the next packet, every second and at its end; whoever reads it
// can tell where.
func TestLosses(t *testing.T) {
	events := journey()
	var b bytes.Buffer
	w, err := pcap.New(&b, pcap.Options{})
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	step(err)
	step(w.Event(&events[0]))
	step(w.Lost(3))
	step(w.Event(&events[1]))
	step(w.Lost(4))
	step(w.Idle(events[1].Time))
	length := b.Len()
	step(w.Idle(events[1].Time.Add(time.Millisecond)))
	step(w.Lost(5))
	step(w.Idle(events[1].Time.Add(time.Millisecond)))
	if b.Len() != length {
		t.Error("it is told more often than every second")
	}
	step(w.Flush())
	step(w.Flush())
	if n := read(t, b.Bytes(), nil); n != 2 {
		t.Errorf("gopacket finds %d packets", n)
	}
	r, lost := pcap.NewReader(bytes.NewReader(b.Bytes())), []uint64{}
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		step(err)
		lost = append(lost, s.Lost)
	}
	if !slices.Equal(lost, []uint64{0, 3}) || r.Lost() != 12 {
		t.Errorf("%v are missing in front of the packets, %d in all", lost, r.Lost())
	}
	if n := bytes.Count(b.Bytes(), []byte("more are missing")); n != 2 {
		t.Errorf("%d statistics", n)
	}
	if !bytes.Contains(b.Bytes(), []byte("holds 2 steps so far, and 12 more are missing")) {
		t.Error("the last statistics do not say so")
	}
}
