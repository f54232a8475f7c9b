package vswitch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// listen attaches a ring and returns a function that renders the events since its last call, one a line.
func listen(l *lab) func() string {
	ring := trace.NewRing(1000, 1<<20, 0)
	l.tracer.Attach(ring)
	return func() string {
		var lines []string
		var e trace.Event
		for {
			lost, ok := ring.TryNext(&e)
			if !ok {
				return strings.Join(lines, "\n")
			}
			if lost > 0 || !e.Time.Equal(l.now) || e.Where != "br0" {
				l.t.Errorf("event at %v in %q, %d lost", e.Time, e.Where, lost)
			}
			line := fmt.Sprintf("#%d.%d %v %v", e.Packet, e.Hop, e.Hook, e.Verdict)
			if e.Reason != trace.NoReason {
				line += " " + e.Reason.String()
			}
			if name := notes[e.Note]; name != "" {
				line += " " + name
			}
			line += " " + e.Port
			if e.From != "" {
				line += " from " + e.From
			}
			if e.Ports != nil {
				line += fmt.Sprintf(" to %v gateway=%v", e.Ports, e.Local)
			}
			if e.Age > 0 {
				line += " " + e.Age.String()
			}
			lines = append(lines, line)
		}
	}
}

var notes = map[trace.Note]string{
	trace.Learned: "learned", trace.Moved: "moved", trace.FDBFull: "full", trace.Known: "known", trace.Static: "static",
	trace.UnknownUnicast: "unknown", trace.BroadcastFrame: "broadcast", trace.MulticastFrame: "multicast", trace.GatewayAddress: "gateway",
	trace.NothingLearned: "nothing-learned", trace.Looped: "looped",
}

// TestSteps: each step of a frame is one event, in the order of the path, numbered from 1; the copies of a flood are one
// journey.
func TestSteps(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
	events := listen(l)
	for _, step := range []struct {
		name     string
		before   func()
		from     string
		dst, src frame.MAC
		want     string
	}{
		{"a first broadcast", nil, "RED", frame.Broadcast, host(1), `
#1.1 ingress accept RED
#1.2 learn accept learned RED
#1.3 bridge flood broadcast RED to [RED BLUE GREEN] gateway=true
#1.4 egress accept BLUE
#1.5 egress accept GREEN`},
		{"the answer", func() { l.pass(400 * time.Microsecond) }, "BLUE", host(1), host(2), `
#2.1 ingress accept BLUE
#2.2 learn accept learned BLUE
#2.3 bridge forward known RED 400µs
#2.4 egress accept RED`},
		{"a known station to a known station", nil, "RED", host(2), host(1), `
#3.1 ingress accept RED
#3.2 bridge forward known BLUE
#3.3 egress accept BLUE`},
		{"unknown unicast is not for the gateway", nil, "RED", host(9), host(1), `
#4.1 ingress accept RED
#4.2 bridge flood unknown RED to [RED BLUE GREEN] gateway=false
#4.3 egress accept BLUE
#4.4 egress accept GREEN`},
		{"a move", nil, "GREEN", group, host(1), `
#5.1 ingress accept GREEN
#5.2 learn accept moved GREEN from RED
#5.3 bridge flood multicast GREEN to [RED BLUE GREEN] gateway=true
#5.4 egress accept RED
#5.5 egress accept BLUE`},
		{"the gateway", nil, "RED", gateway, host(3), `
#6.1 ingress accept RED
#6.2 learn accept learned RED
#6.3 bridge local gateway RED`},
		{"a reserved group", nil, "RED", nearest, host(3), `
#7.1 ingress accept RED
#7.2 bridge drop reserved-group RED`},
		{"a group as source", nil, "RED", host(1), group, `
#8.1 ingress drop group-source RED`},
		{"a forged source", nil, "RED", host(1), gateway, `
#9.1 ingress accept RED
#9.2 learn drop mac-spoof RED`},
		{"one's own station", nil, "RED", host(3), host(4), `
#10.1 ingress accept RED
#10.2 learn accept learned RED
#10.3 bridge drop same-port RED`},
		{"a configured station", func() { _ = l.SetStatic(host(5), l.ports["BLUE"], false) }, "RED", host(5), host(3), `
#11.1 ingress accept RED
#11.2 bridge forward static BLUE
#11.3 egress accept BLUE`},
		{"a full queue: handed over, and then refused", func() { l.links["BLUE"].err = errors.New("full") }, "RED", host(5), host(3), `
#12.1 ingress accept RED
#12.2 bridge forward static BLUE
#12.3 egress accept BLUE
#12.4 egress drop tx-error BLUE`},
		{"too big: never handed over", func() { l.set("BLUE", func(k *vswitch.PortFlags) { k.MTU = 20 }) }, "RED", host(5), host(3), `
#13.1 ingress accept RED
#13.2 bridge forward static BLUE
#13.3 egress drop pkt-too-big BLUE`},
		{"no room in the table", func() { l.FDB().SetMaxLearned(0) }, "GREEN", host(9), host(8), `
#14.1 ingress accept GREEN
#14.2 learn accept full GREEN
#14.3 bridge flood unknown GREEN to [RED BLUE GREEN] gateway=false
#14.4 egress accept RED
#14.5 egress drop pkt-too-big BLUE`},
	} {
		if step.before != nil {
			step.before()
		}
		l.send(step.from, step.dst, step.src)
		if got := "\n" + events(); got != step.want {
			t.Errorf("%s:%s\nwant:%s", step.name, got, step.want)
		}
	}
}

// TestOutputSteps: what the gateway sends goes on with the journey that it is part of.
func TestOutputSteps(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	events := listen(l)
	j := l.tracer.Begin(l.now)
	j.Emit(trace.Event{Hook: trace.Neighbor, Verdict: trace.Accept, Where: "br0", Port: "RED"})
	l.Output(frameOf(frame.Broadcast, gateway, 60), j, l.now)
	j.End()
	want := `#1.1 neighbor accept RED
#1.2 bridge flood broadcast  to [RED BLUE] gateway=false
#1.3 egress accept RED
#1.4 egress accept BLUE`
	if got := events(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestCame: every step of a frame knows by which port it came in, whatever address it has; a step of the gateway's own does not.
func TestCame(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "EVIL")
	ring := trace.NewRing(100, 1<<16, 64)
	l.tracer.Attach(ring)
	l.send("RED", frame.Broadcast, host(1))
	l.send("EVIL", frame.Broadcast, host(1))
	want := map[uint64]string{1: "RED", 2: "EVIL"}
	steps := 0
	for {
		var e trace.Event
		if _, ok := ring.TryNext(&e); !ok {
			break
		}
		if steps++; e.Came != want[e.Packet] {
			t.Errorf("%v: came by %q, want %q", e.Hook, e.Came, want[e.Packet])
		}
	}
	if steps < 8 {
		t.Errorf("%d steps", steps)
	}
}

// readyLink knows whether it would take a frame.
type readyLink struct {
	plainLink
	ready bool
}

func (l *readyLink) Ready() bool { return l.ready }

// TestSentIsSent: a frame that a link does not take is not told as sent, and one that a link takes is told before it is, for
// the answer may be back first; to a link that is not ready, when it has taken it.
func TestSentIsSent(t *testing.T) {
	super := superFrame(host(2), host(1), 3)
	for _, test := range []struct {
		name  string
		ready bool
		err   error
		frame frame.Frame
		want  string // the last events
	}{
		{"ready", true, nil, frameOf(host(2), host(1), 60), "egress accept BLUE"},
		{"down", false, frame.ErrLinkDown, frameOf(host(2), host(1), 60), "bridge forward static BLUE\negress drop port-down BLUE"},
		{"up again in that moment", false, nil, frameOf(host(2), host(1), 60), "egress accept BLUE"},
		{"a super-frame, ready", true, nil, super, "egress accept BLUE"},
		{"a super-frame, down", false, frame.ErrLinkDown, super, "bridge forward static BLUE\negress drop port-down BLUE"},
		{"a super-frame, up again in that moment", false, nil, super, "egress accept BLUE"},
	} {
		l := newLab(t, vswitch.Config{}, "RED")
		link := &readyLink{plainLink{newLink()}, test.ready}
		link.err = test.err
		p, err := l.Attach("BLUE", link, vswitch.DefaultFlags())
		if err == nil {
			err = l.SetStatic(host(2), p, false)
		}
		if err != nil {
			t.Fatal(err)
		}
		events := listen(l)
		l.Input(l.ports["RED"], test.frame, l.now)
		var lines []string
		for line := range strings.Lines(events()) {
			_, step, _ := strings.Cut(strings.TrimSpace(line), " ")
			lines = append(lines, step)
		}
		if got := strings.Join(lines, "\n"); !strings.HasSuffix(got, "\n"+test.want) || strings.Count(got, "egress") != 1 {
			t.Errorf("%s:\n%s\nwant at its end\n%s", test.name, got, test.want)
		}
	}
}

// TestAHubSaysThatItIsOne: a network that remembers nobody floods, and says why.
func TestAHubSaysThatItIsOne(t *testing.T) {
	l := newLab(t, vswitch.Config{Ageing: -1}, "RED", "BLUE")
	events := listen(l)
	l.send("RED", host(2), host(1))
	if got := events(); !strings.Contains(got, "bridge flood nothing-learned RED to [RED BLUE]") {
		t.Errorf("it says:\n%s", got)
	}
}

// TestIsolatedIsTold: two isolated ports have nothing to say to each other.
func TestIsolatedIsTold(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	for _, name := range []string{"RED", "BLUE"} {
		l.set(name, func(k *vswitch.PortFlags) { k.Isolated = true })
	}
	l.send("BLUE", host(9), host(2))
	before := l.tracer.Drops(trace.Isolated)
	l.send("RED", host(2), host(1))
	if n := l.tracer.Drops(trace.Isolated) - before; n != 1 {
		t.Errorf("%d frames were dropped", n)
	}
}
