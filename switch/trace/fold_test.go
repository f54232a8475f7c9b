package trace_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// hopName is packet.hop.
func hopName(e *trace.Event) string { return fmt.Sprintf("%d.%d", e.Packet, e.Hop) }

// segment is one TCP segment from RED to BLUE, or back if reply, across the bridge.
func segment(packet uint64, at time.Time, conn uint64, flags frame.TCPFlags, reply bool, data int) []trace.Event {
	src, dst, from, to := redMAC, blueMAC, "RED", "BLUE"
	p := ipv4(frame.ProtoTCP, 64, red, blue, tcp(40000, 80, 1, 1, flags, make([]byte, data)))
	if reply {
		src, dst, from, to = dst, src, to, from
		p = ipv4(frame.ProtoTCP, 64, blue, red, tcp(80, 40000, 1, 1, flags, make([]byte, data)))
	}
	w := walk{packet: packet, time: at, data: ethernet(src, dst, frame.TypeIPv4, p)}
	w.step(trace.Ingress, trace.Accept, "br0", trace.Event{Port: from, Conn: conn})
	w.step(trace.Egress, trace.Accept, "br0", trace.Event{Port: to, Conn: conn})
	return w.events
}

// burst is a handshake, n segments of 1,460 bytes with acknowledgements, and the end, a millisecond between two packets.
func burst(conn uint64, n int) []trace.Event {
	var all []trace.Event
	packet, at := uint64(0), start
	add := func(flags frame.TCPFlags, reply bool, data int) {
		packet++
		all = append(all, segment(packet, at, conn, flags, reply, data)...)
		at = at.Add(time.Millisecond)
	}
	add(frame.SYN, false, 0)
	add(frame.SYN|frame.ACK, true, 0)
	for range n {
		add(frame.ACK|frame.PSH, false, 1460)
		add(frame.ACK, true, 0)
	}
	add(frame.FIN|frame.ACK, false, 0)
	return all
}

func TestFold(t *testing.T) {
	golden(t, "burst.txt", print(trace.TextOptions{Names: labNames{}}, burst(3, 605)...))
	golden(t, "burst-bridged.txt", print(trace.TextOptions{Names: labNames{}}, burst(0, 300)...))
}

// shown lists the packets whose heads were printed and the folds between them.
func shown(text string) string {
	var got []string
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "#"):
			got = append(got, strings.Fields(line)[0])
		case strings.HasPrefix(line, "..."), strings.HasPrefix(line, "("):
			got = append(got, strings.TrimSpace(line))
		}
	}
	return strings.Join(got, " ")
}

func TestFoldCases(t *testing.T) {
	var slow, quick, mixed []trace.Event
	for i := range uint64(8) {
		slow = append(slow, segment(i+1, start.Add(time.Duration(i)*time.Second), 0, frame.ACK, false, 10)...)
		quick = append(quick, segment(i+1, start.Add(time.Duration(i)*time.Millisecond), 0, frame.ACK, false, 10)...)
		mixed = append(mixed, segment(i+1, start.Add(time.Duration(i)*time.Millisecond), i%2+1, frame.ACK, false, 10)...)
	}
	pause := append(quick[:len(quick):len(quick)], segment(9, start.Add(time.Minute), 0, frame.ACK, false, 10)...)
	for _, tt := range []struct {
		name   string
		noFold bool
		events []trace.Event
		want   string
	}{
		{"a packet a second is no burst", false, slow, "#1 #2 #3 #4 #5 #6 #7 #8"},
		{"the first three and a count", false, quick, "#1 #2 #3 ... 5 more TCP between RED and BLUE, 320 bytes"},
		{"unless asked not to", true, quick, "#1 #2 #3 #4 #5 #6 #7 #8"},
		{"connections are counted apart", false, mixed, "#1 #2 #3 #4 #5 #6 ... 1 more of connection 1, 64 bytes ... 1 more of connection 2, 64 bytes"},
		{"after a pause it is worth a look again", false, pause, "#1 #2 #3 ... 5 more TCP between RED and BLUE, 320 bytes #9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := shown(print(trace.TextOptions{Names: labNames{}, NoFold: tt.noFold}, tt.events...)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestIdle(t *testing.T) {
	var b strings.Builder
	p := trace.NewPrinter(&b, trace.TextOptions{Names: labNames{}})
	step := func(what string, err error, want string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(b.String()); got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
		b.Reset()
	}
	var last time.Time
	for i := range uint64(6) {
		last = start.Add(time.Duration(i) * 5 * time.Millisecond)
		for _, e := range segment(i+1, last, 0, frame.ACK, false, 10) {
			step("an event", p.Event(&e), "")
		}
	}
	step("at once", p.Idle(last.Add(time.Millisecond)), "#1 #2 #3")
	step("the last has come to rest, the burst may go on", p.Idle(last.Add(20*time.Millisecond)), "")
	step("the burst is over", p.Idle(last.Add(time.Second)), "... 3 more TCP between RED and BLUE, 192 bytes")
	step("a loss", p.Lost(1), "")
	step("and another", p.Lost(1203), "")
	step("is told soon", p.Idle(last.Add(2*time.Second)), "(1,204 events lost: this reader is slower than the network)")
	step("the next waits", p.Lost(1), "")
	step("for a second", p.Idle(last.Add(2500*time.Millisecond)), "")
	step("or the end", p.Flush(), "(1 event lost: this reader is slower than the network)")
}
