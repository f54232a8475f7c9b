package trace_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// numbered is an event whose frame is n bytes of its own number.
func numbered(id uint64, n int) *trace.Event {
	return &trace.Event{Packet: id, Frame: frame.Frame{Data: bytes.Repeat([]byte{byte(id)}, n)}}
}

func TestRing(t *testing.T) {
	type got struct {
		packet uint64
		bytes  int
		lost   uint64
	}
	for _, tt := range []struct {
		name                string
		events, bytes, snap int
		push                []int // the length of each frame
		want                []got
	}{
		{"empty", 4, 0, 0, nil, nil},
		{"in order", 4, 0, 0, []int{10, 0, 20}, []got{{1, 10, 0}, {2, 0, 0}, {3, 20, 0}}},
		{"too many events: the oldest are forgotten", 2, 0, 0, []int{1, 2, 3, 4, 5}, []got{{4, 4, 3}, {5, 5, 0}}},
		{"too many bytes: the oldest are forgotten", 100, 4096, 0, []int{1500, 1500, 1500, 1500}, []got{{3, 1500, 2}, {4, 1500, 0}}},
		{"a large frame pushes out several small ones", 100, 4096, 0, []int{1000, 1000, 1000, 1000, 2500}, []got{{4, 1000, 3}, {5, 2500, 0}}},
		{"a frame that fills the arena", 100, 4096, 0, []int{10, 4096}, []got{{2, 4096, 1}}},
		{"a frame that the arena cannot hold is cut", 100, 4096, 0, []int{5000}, []got{{1, 4096, 0}}},
		{"snap", 4, 0, 64, []int{1500, 60}, []got{{1, 64, 0}, {2, 60, 0}}},
		{"no frames at all", 2, 0, 0, []int{0, 0, 0}, []got{{2, 0, 1}, {3, 0, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := trace.NewRing(tt.events, tt.bytes, tt.snap)
			for i, n := range tt.push {
				r.Push(numbered(uint64(i+1), n))
			}
			var e trace.Event
			for _, want := range tt.want {
				lost, ok := r.TryNext(&e)
				if g := (got{e.Packet, len(e.Frame.Data), lost}); !ok || g != want {
					t.Fatalf("got %+v, %v; want %+v", g, ok, want)
				}
				if e.Length != tt.push[e.Packet-1] {
					t.Errorf("length %d, want %d: how long it was", e.Length, tt.push[e.Packet-1])
				}
				if bytes.ContainsFunc(e.Frame.Data, func(r rune) bool { return r != rune(e.Packet) }) {
					t.Errorf("packet %d: %x", e.Packet, e.Frame.Data)
				}
			}
			if _, ok := r.TryNext(&e); ok {
				t.Error("one event too many")
			}
		})
	}
}

func TestRingCopiesTheFrame(t *testing.T) {
	r := trace.NewRing(1, 0, 0)
	e := numbered(1, 4)
	r.Push(e)
	e.Frame.Data[0] = 99
	var out trace.Event
	if _, ok := r.TryNext(&out); !ok || out.Frame.Data[0] != 1 {
		t.Errorf("got %v", out.Frame.Data)
	}
}

func TestRingNextWaits(t *testing.T) {
	r := trace.NewRing(4, 0, 0)
	var e trace.Event
	done := make(chan error)
	go func() {
		_, err := r.Next(t.Context(), &e)
		done <- err
	}()
	r.Push(numbered(7, 1))
	if err := <-done; err != nil || e.Packet != 7 {
		t.Errorf("packet %d, %v", e.Packet, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Next(ctx, &e); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// TestRingConcurrentPush loses nothing that it does not count.
func TestRingConcurrentPush(t *testing.T) {
	const pushers, each = 4, 2000
	r := trace.NewRing(64, 1<<14, 0)
	var wg sync.WaitGroup
	for p := range pushers {
		wg.Go(func() {
			for i := range each {
				r.Push(numbered(uint64(p+1), i%300))
			}
		})
	}
	stop := make(chan struct{})
	go func() { wg.Wait(); close(stop) }()
	var e trace.Event
	total := uint64(0)
	take := func() {
		for {
			lost, ok := r.TryNext(&e)
			if !ok {
				return
			}
			total += lost + 1
			if bytes.ContainsFunc(e.Frame.Data, func(r rune) bool { return r != rune(e.Packet) }) || e.Length != len(e.Frame.Data) {
				t.Errorf("packet %d, length %d: %x", e.Packet, e.Length, e.Frame.Data)
			}
		}
	}
	for running := true; running; {
		select {
		case <-stop:
			running = false
		default:
		}
		take()
	}
	if total != pushers*each {
		t.Errorf("%d events seen or counted as lost, want %d", total, pushers*each)
	}
}

// FuzzRing compares the ring with a list that forgets from its front: each byte of the script pushes a frame of that many
// times 16 bytes, or takes one when it is 0.
func FuzzRing(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0, 0, 255, 255, 0, 17}, uint8(3))
	f.Add(bytes.Repeat([]byte{200, 3, 0}, 50), uint8(10))
	f.Fuzz(func(t *testing.T, script []byte, events uint8) {
		r := trace.NewRing(int(events), 0, 0)
		var model []*trace.Event
		var e trace.Event
		for i, op := range script {
			if op == 0 {
				lost, ok := r.TryNext(&e)
				if ok != (len(model) > 0) {
					t.Fatalf("step %d: ok is %v with %d events", i, ok, len(model))
				}
				if ok {
					want := model[0]
					model = model[1:]
					if e.Packet != want.Packet || !bytes.Equal(e.Frame.Data, want.Frame.Data) {
						t.Fatalf("step %d (lost %d): packet %d %x, want %d", i, lost, e.Packet, e.Frame.Data, want.Packet)
					}
				}
				continue
			}
			_, before := r.Waiting()
			in := numbered(uint64(i+1), int(op)*16)
			r.Push(in)
			count, lost := r.Waiting()
			model = append(model, in)[lost-before:] // what the ring says it forgot is the oldest
			size := 0
			for _, m := range model {
				size += len(m.Frame.Data)
			}
			if count != len(model) || count < 1 || count > max(int(events), 1) || size > 4096 {
				t.Fatalf("step %d: %d events, the model has %d with %d bytes", i, count, len(model), size)
			}
		}
	})
}

func TestDrain(t *testing.T) {
	tracer, r := new(trace.Tracer), trace.NewRing(4, 0, 0)
	tracer.Attach(r)
	for range 6 {
		j := tracer.Begin(start)
		j.Emit(trace.Event{Hook: trace.Ingress, Verdict: trace.Accept})
		j.End()
	}
	f, err := trace.FilterSpec{Hooks: []string{"ingress"}}.Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &counting{}
	s.idle = cancel // what there is has been handed on
	if err := r.Drain(ctx, f, s, func() time.Time { return start }); err != nil {
		t.Fatal(err)
	}
	if s.events != 4 || s.lost != 2 || s.flushed != 1 {
		t.Errorf("%d events, %d lost, flushed %d times; want 4, 2, 1", s.events, s.lost, s.flushed)
	}
	s.fail = errors.New("broken pipe")
	r.Push(&trace.Event{Hook: trace.Ingress})
	if err := r.Drain(t.Context(), nil, s, func() time.Time { return start }); !errors.Is(err, s.fail) {
		t.Errorf("got %v, want the sink's error", err)
	}
}

// counting is a Sink.
type counting struct {
	events, flushed int
	lost            uint64
	fail            error
	idle            func()
}

func (c *counting) Event(*trace.Event) error { c.events++; return c.fail }
func (c *counting) Lost(n uint64) error      { c.lost += n; return nil }
func (c *counting) Idle(time.Time) error     { c.idle(); return nil }
func (c *counting) Flush() error             { c.flushed++; return nil }

func TestRingIsReadByPlaces(t *testing.T) {
	r := trace.NewRing(4, 0, 0)
	var e trace.Event
	if at, ok := r.At(0, &e); ok || at != 1 {
		t.Errorf("empty: place %d, %v", at, ok)
	}
	for id := range uint64(10) {
		r.Push(numbered(id+1, 5))
	}
	for _, tt := range []struct{ at, want uint64 }{{0, 7}, {3, 7}, {7, 7}, {9, 9}, {10, 10}, {7, 7}} {
		if at, ok := r.At(tt.at, &e); !ok || at != tt.want || e.Packet != tt.want || e.Frame.Data[4] != byte(tt.want) {
			t.Errorf("at %d: place %d, packet %d, %v; want %d", tt.at, at, e.Packet, ok, tt.want)
		}
	}
	if at, ok := r.At(11, &e); ok || at != 11 || r.Last() != 10 {
		t.Errorf("behind the last: place %d, %v; last %d", at, ok, r.Last())
	}
}
