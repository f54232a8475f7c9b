package trace_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"uswitch/switch/trace"
)

// about fills every field that a sentence may speak of.
func about(hook trace.Hook, verdict trace.Verdict, note trace.Note) trace.Event {
	e := trace.Event{Hook: hook, Verdict: verdict, Note: note, Where: "br0", Port: "BLUE", From: "GREEN",
		Ports: brPorts, Local: true, Conn: 1234, Addr: blue, MAC: blueMAC, Other: redMAC, Prefix: br0, Age: 2 * time.Second, Count: 3}
	if verdict == trace.Rewrite {
		e.Before, e.After = icmpTuple(red, google, 7), icmpTuple(out, google, 7)
	}
	if hook == trace.Encap || hook == trace.Decap {
		e.Outer = trace.Outer{Src: netip.MustParseAddrPort("192.168.50.1:51234"), Dst: netip.MustParseAddrPort("192.168.50.2:4789"), VNI: 42}
	}
	if note == trace.MSSLimited {
		e.After, e.Size = e.Before, 1460
	}
	return e
}

// meant lists where each note may stand. The list is part of the trace's vocabulary: a note that is missing here, or has
// no words of its own, fails the tests below.
var meant = []struct {
	hook    trace.Hook
	verdict trace.Verdict
	notes   []trace.Note
}{
	{trace.Decap, trace.Accept, []trace.Note{trace.NoNote, trace.TunnelHeard, trace.TunnelStatic, trace.TunnelNew, trace.TunnelMoved, trace.TunnelFull}},
	{trace.Ingress, trace.Accept, []trace.Note{trace.NoNote, trace.SegmentsTogether, trace.UplinkReceived, trace.UplinkMachine, trace.UplinkAccepted}},
	{trace.Learn, trace.Accept, []trace.Note{trace.Learned, trace.Moved, trace.FDBFull, trace.AddressConflict}},
	{trace.Learn, trace.Drop, []trace.Note{trace.Looped}},
	{trace.Bridge, trace.Unicast, []trace.Note{trace.NoNote, trace.Known, trace.Static}},
	{trace.Bridge, trace.Flood, []trace.Note{trace.NoNote, trace.UnknownUnicast, trace.BroadcastFrame, trace.MulticastFrame, trace.NothingLearned}},
	{trace.Bridge, trace.Local, []trace.Note{trace.NoNote, trace.GatewayAddress}},
	{trace.ARP, trace.Accept, []trace.Note{trace.ARPLearned, trace.ARPConflict, trace.ARPAnnounced, trace.ARPDefended, trace.Originated, trace.NeighborProbe}},
	{trace.ARP, trace.Consume, []trace.Note{trace.NoNote, trace.ARPAnswered, trace.ARPProbed, trace.ARPNotMine, trace.ARPLearned,
		trace.ARPHeard, trace.ARPIgnored, trace.ARPConflict, trace.ARPDefended}},
	{trace.Prerouting, trace.Accept, []trace.Note{trace.NoNote, trace.ConnNew, trace.ConnOriginal, trace.ConnReply, trace.ConnRelated,
		trace.ConnUntracked, trace.NoRuleChanged, trace.Reassembled}},
	{trace.Prerouting, trace.Queue, []trace.Note{trace.FragmentHeld}},
	{trace.Prerouting, trace.Rewrite, []trace.Note{trace.NoNote, trace.ConnNew, trace.ConnRelated, trace.ReplyTranslated, trace.SameTranslation}},
	{trace.Route, trace.Accept, []trace.Note{trace.RouteConnected, trace.RouteDefault, trace.RoutePrefix}},
	{trace.Input, trace.Accept, []trace.Note{trace.NoNote, trace.Delivered, trace.ARPLearned}},
	{trace.Input, trace.Consume, []trace.Note{trace.EchoAnswered, trace.Delivered, trace.ARPAnswered, trace.ARPProbed, trace.ARPNotMine,
		trace.ARPLearned, trace.ARPHeard, trace.ARPIgnored, trace.ARPDefended, trace.MLDHeard, trace.RouterAsked, trace.RouterSilent}},
	{trace.Forward, trace.Accept, []trace.Note{trace.NoNote, trace.Logged}},
	{trace.Forward, trace.Rewrite, []trace.Note{trace.MSSLimited}},
	{trace.Output, trace.Accept, []trace.Note{trace.NoNote, trace.Originated, trace.ErrorSent, trace.MachineError,
		trace.ARPAnnounced, trace.NeighborProbe, trace.RouterAdvertised}},
	{trace.Postrouting, trace.Accept, []trace.Note{trace.NoNote, trace.NoRuleChanged, trace.FragmentedInto}},
	{trace.Postrouting, trace.Rewrite, []trace.Note{trace.NoNote, trace.ReplyTranslated, trace.SameTranslation}},
	{trace.Neighbor, trace.Accept, []trace.Note{trace.NeighborKnown, trace.NeighborStatic, trace.NeighborSent, trace.NeighborProbe, trace.NeighborGroup}},
	{trace.Neighbor, trace.Rewrite, []trace.Note{trace.NeighborKnown}},
	{trace.Neighbor, trace.Queue, []trace.Note{trace.NoNote, trace.NeighborAsked, trace.NeighborWaiting}},
	{trace.Egress, trace.Accept, []trace.Note{trace.NoNote, trace.UplinkSent, trace.Segmented, trace.SegmentsTogether, trace.FragmentedInto}},
	{trace.Encap, trace.Accept, []trace.Note{trace.NoNote, trace.TunnelLearned, trace.TunnelStatic, trace.TunnelFlood}},
}

// TestSentences keeps the whole vocabulary in one file for people to read.
func TestSentences(t *testing.T) {
	var b strings.Builder
	for _, m := range meant {
		for _, note := range m.notes {
			e := about(m.hook, m.verdict, note)
			if m.hook == trace.Neighbor {
				e.After = e.Before // only MAC addresses change there
			}
			fmt.Fprintf(&b, "%-12s %-8s %s\n", m.hook, m.verdict, e.Text(trace.English))
		}
	}
	for _, r := range trace.Reasons() {
		e := trace.Event{Hook: trace.Forward, Verdict: trace.Drop, Reason: r}
		fmt.Fprintf(&b, "%-12s %-8s %s\n", "any", trace.Drop, e.Text(trace.English))
	}
	golden(t, "sentences.txt", b.String())
}

func TestEveryNoteHasAPlaceAndWords(t *testing.T) {
	placed := map[trace.Note]string{}
	for _, m := range meant {
		for _, note := range m.notes {
			e := about(m.hook, m.verdict, note)
			placed[note] = e.Text(trace.English)
			bare := about(m.hook, m.verdict, trace.NoNote)
			if note != trace.NoNote && placed[note] == bare.Text(trace.English) {
				t.Errorf("%v %v: note %d adds nothing to %q", m.hook, m.verdict, note, placed[note])
			}
		}
	}
	for note := range trace.NoteEnd {
		if placed[note] == "" {
			t.Errorf("note %d is meant nowhere", note)
		}
	}
}

// TestNoSentenceIsEmpty goes through everything that could be emitted, also where it makes no sense and fields are missing.
func TestNoSentenceIsEmpty(t *testing.T) {
	for _, hook := range trace.Hooks() {
		for verdict := trace.Accept; verdict < trace.VerdictEnd; verdict++ {
			for note := range trace.NoteEnd {
				full := about(hook, verdict, note)
				for _, e := range []trace.Event{full, {Hook: hook, Verdict: verdict, Note: note}} {
					check(t, &e)
				}
			}
		}
		for _, reason := range trace.Reasons() {
			check(t, &trace.Event{Hook: hook, Verdict: trace.Drop, Reason: reason})
		}
	}
}

func check(t *testing.T, e *trace.Event) {
	t.Helper()
	text := e.Text(trace.English)
	bad := func(r rune) bool { return !unicode.IsPrint(r) }
	if text == "" || strings.IndexFunc(text, bad) >= 0 || strings.Contains(text, "invalid ") || strings.Contains(text, "  ") {
		t.Errorf("%v %v note %d %v: %q", e.Hook, e.Verdict, e.Note, e.Reason, text)
	}
}

func TestFloodNamesAFew(t *testing.T) {
	many := []string{"A", "B", "C", "D"}
	for len(many) < 2000 {
		many = append(many, fmt.Sprint("H", len(many)))
	}
	for _, tt := range []struct {
		name  string
		port  string
		ports []string
		want  string
	}{
		{"nobody", "A", []string{"A"}, "to nobody"},
		{"one", "A", []string{"A", "B"}, "to B"},
		{"the gateway last", "A", []string{"A", "B"}, "to B and the gateway"},
		{"four", "E", []string{"A", "B", "C", "D", "E"}, "to A, B, C and D"},
		{"two thousand", "A", many, "to B, C, D and 1,996 others"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := trace.Event{Hook: trace.Bridge, Verdict: trace.Flood, Port: tt.port, Ports: tt.ports, Local: strings.Contains(tt.want, "gateway")}
			if got := e.Text(trace.English); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMendOnlyWhereCertain(t *testing.T) {
	events := pingOut()
	drop := events[len(events)-1]
	for _, tt := range []struct {
		name   string
		change func(*trace.Event)
		want   bool
	}{
		{"the policy, and the network is known", func(*trace.Event) {}, true},
		{"no network", func(e *trace.Event) { e.Prefix = netip.Prefix{} }, false},
		{"the default route", func(e *trace.Event) { e.Prefix = netip.MustParsePrefix("0.0.0.0/0") }, false},
		{"a network that it does not go to", func(e *trace.Event) { e.Prefix = netip.MustParsePrefix("10.0.0.0/8") }, false},
		{"a rule", func(e *trace.Event) { e.Reason, e.Rule = trace.RuleDrop, "-A FORWARD -j DROP" }, false},
		{"another chain", func(e *trace.Event) { e.Rule = "-P INPUT DROP" }, false},
		{"no packet to look at", func(e *trace.Event) { e.Frame.Data = nil }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := drop
			tt.change(&e)
			if got := strings.Contains(e.Text(trace.English), "-A FORWARD -d 11.11.11.0/24 -j ACCEPT"); got != tt.want {
				t.Errorf("%q", e.Text(trace.English))
			}
		})
	}
}

func TestPrintable(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"BLUE", "BLUE"},
		{"Zürich 東京", "Zürich 東京"},
		{"\x1b]0;owned\a", `\x1b]0;owned\a`},
		{"a\r\nb", `a\r\nb`},
		{"\xff\xfe", `\xff\xfe`},
		{"abc\u202edef", `abc\u202edef`},
		{"\u009b31m", `\u009b31m`},
	} {
		if got := trace.Printable(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
	e := trace.Event{Hook: trace.Learn, Verdict: trace.Accept, Note: trace.Learned, Port: "\x1b[2J", MAC: redMAC}
	check(t, &e)
}
