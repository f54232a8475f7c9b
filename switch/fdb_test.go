package vswitch_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestStatic is the rest of row S6: a configured address stays where it is, however old, and whoever claims it.
func TestStatic(t *testing.T) {
	for _, test := range []struct {
		name   string
		sticky bool
		forged string // outcome of a broadcast from elsewhere with that source
		table  string
	}{
		{"static", false, "!mac-spoof", "1>RED+"},
		{"sticky", true, "RED GREEN gateway", "1>RED*"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
			l.send("BLUE", nearest, host(1)) // learned elsewhere before
			l.outcome()
			if err := l.SetStatic(host(1), l.ports["RED"], test.sticky); err != nil {
				t.Fatal(err)
			}
			l.pass(1000 * time.Hour)
			l.send("BLUE", frame.Broadcast, host(1))
			l.expect(test.forged)
			l.send("RED", frame.Broadcast, host(1)) // its own port may
			l.expect("BLUE GREEN gateway")
			l.send("GREEN", host(1), host(3))
			l.expect("RED")
			l.FDB().Flush(nil)
			l.FDB().Flush(l.ports["RED"])
			if got := l.table(); got != test.table {
				t.Errorf("table after flushing %q, want %q", got, test.table)
			}
			if !l.FDB().Remove(host(1)) || l.FDB().Remove(host(1)) {
				t.Error("Remove does not say whether there was an entry")
			}
			l.send("BLUE", frame.Broadcast, host(1))
			l.expect("RED GREEN gateway")
		})
	}
	l := newLab(t, vswitch.Config{}, "RED")
	for _, mac := range []frame.MAC{{}, group, frame.Broadcast} {
		if err := l.SetStatic(mac, l.ports["RED"], false); err == nil {
			t.Errorf("%v became a station's address", mac)
		}
	}
}

// TestFlush: one port's learned addresses go, or all; the others' stay.
func TestFlush(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	for i := range 4 {
		l.send(l.names[i%2], nearest, host(i+1))
	}
	l.FDB().Flush(l.ports["RED"])
	if got := l.table(); got != "2>BLUE 4>BLUE" {
		t.Errorf("table %q", got)
	}
	l.FDB().Flush(nil)
	if got := l.table(); got != "" {
		t.Errorf("table %q", got)
	}
}

// TestFlushMatching: what matches goes, static entries too; the local station's stays whatever is asked.
func TestFlushMatching(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	l.send("RED", nearest, host(1))
	l.send("BLUE", nearest, host(2))
	for i, sticky := range []bool{false, true} {
		if err := l.SetStatic(host(3+i), l.ports["RED"], sticky); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		match func(vswitch.Entry) bool
		left  int // besides the local station's
	}{
		{func(e vswitch.Entry) bool { return e.Sticky }, 3},
		{func(e vswitch.Entry) bool { return !e.Static && e.Port == "BLUE" }, 2},
		{func(vswitch.Entry) bool { return false }, 2},
		{func(vswitch.Entry) bool { return true }, 0},
	} {
		l.FDB().FlushMatching(step.match)
		if rows := l.Entries(l.now); len(rows) != step.left+1 || !slices.ContainsFunc(rows, func(e vswitch.Entry) bool { return e.MAC == gateway }) {
			t.Errorf("left: %v; want %d and the local station's", rows, step.left)
		}
	}
}

// TestEntries: rows are sorted, tell how long ago, and count what the table says of itself.
func TestEntries(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	l.send("BLUE", nearest, host(2))
	l.pass(3 * time.Second)
	l.send("RED", nearest, host(1))
	l.send("BLUE", nearest, host(2))
	l.pass(time.Second)
	got := l.Entries(l.now)
	want := []vswitch.Entry{
		{MAC: host(1), Port: "RED", Since: time.Second, Seen: time.Second},
		{MAC: host(2), Port: "BLUE", Since: 4 * time.Second, Seen: time.Second},
		{MAC: gateway, Static: true, Since: 4 * time.Second, Seen: 4 * time.Second},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestLimits: ageing time and size can be changed under way.
func TestLimits(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	if d, n := l.FDB().Ageing(), l.FDB().MaxLearned(); d != vswitch.DefaultAgeing || n != vswitch.DefaultMaxLearned {
		t.Errorf("defaults are %v and %d", d, n)
	}
	for i := range 100 {
		l.send("RED", nearest, host(i+1))
	}
	l.FDB().SetMaxLearned(10)
	l.send("RED", nearest, host(101))
	if n := len(strings.Fields(l.table())); n != 10 {
		t.Errorf("%d entries after the limit was lowered to 10", n)
	}
	l.FDB().SetAgeing(10 * time.Second)
	l.pass(10 * time.Second)
	if got := l.table(); got != "" {
		t.Errorf("table %q after the ageing time was lowered", got)
	}
}

// TestFull is row S7 without any room: nothing is learned, and everything is flooded rather than dropped.
func TestFull(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
	l.FDB().SetMaxLearned(0)
	l.send("RED", host(2), host(1))
	l.expect("BLUE GREEN")
	l.send("BLUE", host(1), host(2))
	l.expect("RED GREEN")
	if got := l.table(); got != "" {
		t.Errorf("table %q", got)
	}
}

// TestFairEviction is row S7 and fault F11: a port that floods the table with addresses keeps the others from nothing that
// is their share, and every frame still passes.
func TestFairEviction(t *testing.T) {
	const limit = 100
	l := newLab(t, vswitch.Config{MaxLearned: limit}, "RED", "BLUE", "EVIL")
	l.set("EVIL", func(k *vswitch.PortFlags) { k.StormLimit = 0 })
	for i := range 20 {
		l.send("RED", nearest, host(i+1))
		l.send("BLUE", nearest, host(i+101))
	}
	l.outcome()
	for i := range 5000 {
		l.send("EVIL", host(1), host(i+1000))
	}
	l.expect("REDx5000")
	count := map[string]int{}
	for _, e := range l.Entries(l.now) {
		count[e.Port]++
	}
	if want := map[string]int{"": 1, "RED": 20, "BLUE": 20, "EVIL": 60}; !maps.Equal(count, want) {
		t.Errorf("entries per port %v, want %v", count, want)
	}

	// Now RED grows too: it gets its share from the one that has most.
	for i := range 1000 {
		l.send("RED", nearest, host(i+100000))
	}
	clear(count)
	for _, e := range l.Entries(l.now) {
		count[e.Port]++
	}
	if count["BLUE"] != 20 || count["RED"] < limit/3 || count["EVIL"] < limit/3 {
		t.Errorf("entries per port %v: BLUE has 20, and RED and EVIL a third at least", count)
	}
}

// TestEvictsTheSilent: of one port's stations those go first that have not been heard.
func TestEvictsTheSilent(t *testing.T) {
	l := newLab(t, vswitch.Config{MaxLearned: 10}, "RED")
	for i := range 10 {
		l.send("RED", nearest, host(i+1))
	}
	l.pass(time.Second)
	for _, busy := range []int{1, 2, 3, 7} {
		l.send("RED", nearest, host(busy))
	}
	for i := range 6 {
		l.send("RED", nearest, host(100+i))
	}
	if got, want := l.table(), "1>RED 2>RED 3>RED 7>RED 100>RED 101>RED 102>RED 103>RED 104>RED 105>RED"; got != want {
		t.Errorf("table %q, want %q", got, want)
	}
}

// TestModel compares the table with a map over random frames, changes and the passing of time.
func TestModel(t *testing.T) {
	const ageing, stations, ports = 10 * time.Second, 40, 5
	type where struct {
		port   string
		static bool
		seen   time.Time
	}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := newLab(t, vswitch.Config{Ageing: ageing})
		for i := range ports {
			l.plug(fmt.Sprintf("p%d", i), vswitch.DefaultFlags())
		}
		model := map[int]where{}
		alive := func(n int) (where, bool) {
			w, ok := model[n]
			return w, ok && (w.static || l.now.Sub(w.seen) < ageing)
		}
		for step := range 3000 {
			n, port := 1+rng.IntN(stations), l.names[rng.IntN(ports)]
			var did, got, want string
			switch op := rng.IntN(100); {
			case op < 50:
				did, want = "learn", "!reserved-group"
				switch w, ok := alive(n); {
				case ok && w.static && w.port != port:
					want = "!mac-spoof"
				case ok && w.static:
				default:
					model[n] = where{port: port, seen: l.now}
				}
				l.send(port, nearest, host(n))
				got = l.outcome()
			case op < 85:
				did, want = "look up", strings.Join(l.names, " ")
				if w, ok := alive(n); ok {
					want = w.port
				}
				l.send("gateway", host(n), gateway)
				got = l.outcome()
			case op < 93:
				did = "pass"
				l.pass(time.Duration(rng.Int64N(int64(ageing / 2))))
			case op < 95:
				did = "make static"
				if err := l.SetStatic(host(n), l.ports[port], false); err != nil {
					t.Fatal(err)
				}
				model[n] = where{port: port, static: true}
			case op < 98:
				did = "remove"
				l.FDB().Remove(host(n))
				delete(model, n)
			case op < 99:
				did = "flush"
				l.FDB().Flush(l.ports[port])
				maps.DeleteFunc(model, func(_ int, w where) bool { return w.port == port && !w.static })
			default:
				did = "unplug and plug again"
				if err := l.Detach(l.ports[port]); err != nil {
					t.Fatal(err)
				}
				l.names = slices.DeleteFunc(l.names, func(name string) bool { return name == port })
				l.plug(port, vswitch.DefaultFlags())
				maps.DeleteFunc(model, func(_ int, w where) bool { return w.port == port })
			}
			if got != want {
				t.Fatalf("seed %d, step %d: %s %d at %s: %q, want %q", seed, step, did, n, port, got, want)
			}
			if step%50 == 0 {
				for _, e := range l.Entries(l.now) {
					if e.Port == "" {
						continue
					}
					n := int(e.MAC[4])<<8 | int(e.MAC[5])
					if w, ok := alive(n); !ok || w.port != e.Port || w.static != e.Static {
						t.Fatalf("seed %d, step %d: the table has %v, the model %v %v", seed, step, e, w, ok)
					}
				}
				rows, want := len(l.Entries(l.now))-1, 0
				for n := range model {
					if _, ok := alive(n); ok {
						want++
					}
				}
				if rows != want {
					t.Fatalf("seed %d, step %d: %d rows, the model has %d", seed, step, rows, want)
				}
			}
		}
	}
}

// TestModelLimit: whatever happens, the table keeps its limit and its place for everybody's newest station.
func TestModelLimit(t *testing.T) {
	const limit = 16
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		l := newLab(t, vswitch.Config{MaxLearned: limit}, "a", "b", "c", "d")
		for step := range 2000 {
			port, n := l.names[rng.IntN(rng.IntN(4)+1)], rng.IntN(200)+1
			l.send(port, nearest, host(n))
			if rng.IntN(50) == 0 {
				l.FDB().Flush(l.ports[l.names[rng.IntN(4)]])
				l.send(port, nearest, host(n))
			}
			l.pass(time.Millisecond)
			rows := l.Entries(l.now)
			if len(rows)-1 > limit {
				t.Fatalf("seed %d, step %d: %d entries", seed, step, len(rows)-1)
			}
			if !slices.ContainsFunc(rows, func(e vswitch.Entry) bool { return e.MAC == host(n) && e.Port == port }) {
				t.Fatalf("seed %d, step %d: the newest station is not in the table", seed, step)
			}
		}
		if l.tracer.Drops(trace.Storm) > 0 {
			t.Fatal("frames were dropped")
		}
	}
}
