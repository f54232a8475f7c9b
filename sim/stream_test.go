package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"uswitch/sim"
)

// TestStreams carries bytes both ways over cables that lose, double and overtake, and ends each stream in order.
func TestStreams(t *testing.T) {
	t.Parallel()
	topology := redBlue()
	topology.Hosts[0].NICs[0].Wire = sim.WireConfig{Latency: time.Millisecond, Loss: 0.03, Duplicate: 0.1, Reorder: 0.1}
	w := build(t, topology)
	red, blue := host(t, w, "RED"), host(t, w, "BLUE")
	question, answer := bytes.Repeat([]byte("question "), 5000), bytes.Repeat([]byte("answer "), 9000)
	var asked, answered bytes.Buffer
	var ends []string
	end := func(who string) func(error) {
		return func(err error) { ends = append(ends, fmt.Sprint(who, " ", err)) }
	}

	stop, err := blue.Listen(80, func(s *sim.Stream) sim.StreamEvents {
		return sim.StreamEvents{Opened: func() { s.Write(answer); s.CloseWrite() }, Data: func(b []byte) { asked.Write(b) }, Sent: func() {}, Ended: end("BLUE")}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blue.Listen(80, nil); !errors.Is(err, sim.ErrInUse) {
		t.Errorf("a second listener: %v", err)
	}
	var client *sim.Stream
	client, err = red.Dial(netip.MustParseAddrPort("11.11.11.3:80"), sim.StreamEvents{
		Opened: func() { client.Write(question); client.CloseWrite() },
		Data:   func(b []byte) { answered.Write(b) }, Sent: func() {}, Ended: end("RED")})
	if err != nil {
		t.Fatal(err)
	}
	if !w.RunUntil(func() bool { return len(ends) == 2 }) {
		t.Fatal("the world has come to rest before the streams have ended")
	}
	if !bytes.Equal(asked.Bytes(), question) || !bytes.Equal(answered.Bytes(), answer) {
		t.Errorf("%d bytes of %d arrived, and %d of %d", asked.Len(), len(question), answered.Len(), len(answer))
	}
	for _, how := range ends {
		if how != "RED <nil>" && how != "BLUE <nil>" {
			t.Error(how)
		}
	}
	stop()
	var refused error
	if _, err := red.Dial(netip.MustParseAddrPort("11.11.11.3:80"), sim.StreamEvents{Opened: func() { t.Error("opened") },
		Data: func([]byte) {}, Sent: func() {}, Ended: func(err error) { refused = err }}); err != nil {
		t.Fatal(err)
	}
	w.RunUntil(func() bool { return refused != nil })
	if !errors.Is(refused, sim.ErrRefused) {
		t.Errorf("where nobody listens any more: %v", refused)
	}
}

// TestStreamAbort: one side goes away, the other hears of it.
func TestStreamAbort(t *testing.T) {
	t.Parallel()
	w := build(t, redBlue())
	red, blue := host(t, w, "RED"), host(t, w, "BLUE")
	var heard error
	if _, err := blue.Listen(80, func(s *sim.Stream) sim.StreamEvents {
		return sim.StreamEvents{Opened: func() {}, Data: func([]byte) {}, Sent: func() {}, Ended: func(err error) { heard = err }}
	}); err != nil {
		t.Fatal(err)
	}
	opened := false
	client, err := red.Dial(netip.MustParseAddrPort("11.11.11.3:80"), sim.StreamEvents{Opened: func() { opened = true }, Data: func([]byte) {},
		Sent: func() {}, Ended: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	w.RunUntil(func() bool { return opened })
	client.Write([]byte("x"))
	w.RunUntil(func() bool { return client.Queued() == 0 })
	client.Abort()
	client.Abort()
	w.RunUntil(func() bool { return heard != nil })
	if !errors.Is(heard, sim.ErrReset) {
		t.Errorf("BLUE hears %v", heard)
	}
}
