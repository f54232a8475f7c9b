package nat_test

import (
	"fmt"
	"slices"
	"testing"

	"uswitch/switch/trace"
)

// notes are short names for what a step found.
var notes = map[trace.Note]string{
	trace.EchoAnswered: "echo-answered", trace.Originated: "originated", trace.ConnNew: "new", trace.ConnOriginal: "original",
	trace.ConnReply: "reply", trace.ConnRelated: "related", trace.ConnUntracked: "untracked", trace.NoRuleChanged: "no-rule",
	trace.ReplyTranslated: "reply-translated", trace.SameTranslation: "same-translation", trace.Logged: "logged",
	trace.RouteConnected: "connected", trace.RouteDefault: "default", trace.RoutePrefix: "prefix", trace.Reassembled: "reassembled",
	trace.FragmentHeld: "fragment-held", trace.FragmentedInto: "fragmented", trace.UplinkSent: "sent", trace.UplinkReceived: "received",
	trace.NeighborKnown: "known", trace.NeighborAsked: "asked", trace.NeighborWaiting: "waiting", trace.NeighborSent: "released",
	trace.NeighborProbe: "probe", trace.ARPAnswered: "arp-answered", trace.ARPLearned: "learned", trace.ARPHeard: "heard",
	trace.ARPNotMine: "not-mine", trace.ARPConflict: "conflict", trace.ARPDefended: "defended", trace.ARPAnnounced: "announced",
	trace.ErrorSent: "error-sent",
}

// line writes an event down: packet and hop, hook, verdict, and why.
func line(e trace.Event) string {
	s := fmt.Sprintf("%d.%d %v %v", e.Packet, e.Hop, e.Hook, e.Verdict)
	if e.Note != trace.NoNote {
		s += " " + notes[e.Note]
	}
	if e.Reason != trace.NoReason {
		s += " " + e.Reason.String()
	}
	if e.Verdict == trace.Rewrite {
		s += fmt.Sprintf(" %s > %s => %s > %s", e.Before.Source(), e.Before.Destination(), e.After.Source(), e.After.Destination())
	}
	if e.Rule != "" {
		s += " " + e.Rule
	}
	return s
}

// trace fails the test unless these are the events since it was last asked. Hops must count from 1 without a gap.
func (l *lab) trace(t testing.TB, want ...string) {
	t.Helper()
	var got []string
	hops := map[uint64]uint32{}
	var e trace.Event
	for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
		got = append(got, line(e))
		if hops[e.Packet]++; e.Hop != hops[e.Packet] {
			t.Errorf("%s: want hop %d", line(e), hops[e.Packet])
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("steps:\n  %s\nwant:\n  %s", joined(got), joined(want))
	}
}
