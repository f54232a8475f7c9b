package ask_test

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"uswitch/cmd/internal/ask"
	"uswitch/sim"
)

// TestPartial is a matrix for which there is no time: its cells are not known, each that can be is to be sent once, and what
// becomes of the packet decides.
func TestPartial(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/reach.txtar")
	if err != nil {
		t.Fatal(err)
	}
	topology, err := sim.ParseTopology(part(archive, "topology"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := sim.New(topology)
	if err != nil {
		t.Fatal(err)
	}
	lab := ask.LabOf(w)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lab.Reach(ctx, ask.ReachOptions{}); err == nil {
		t.Error("a matrix without an answer is no error")
	}
	m, err := lab.Reach(ctx, ask.ReachOptions{Outside: ip("8.8.8.8"), Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	asked, cells := m.Asked()
	seen := map[string]bool{}
	for i, a := range asked {
		if seen[a.Question.String()] || a.Question.From == ask.Outsider || a.Question.From == a.Question.To || cells[i].Verdict != ask.NotKnown {
			t.Errorf("%v is asked, and was predicted %s", a.Question, cells[i].Verdict)
		}
		seen[a.Question.String()] = true
	}
	if n := len(m.From) - 1; len(asked) != n*len(m.To)-n {
		t.Errorf("%d questions of %d hosts for %d things", len(asked), n, len(m.To))
	}
	cells[0].Settle(&ask.Sent{Verdict: ask.Yes})
	cells[1].Settle(&ask.Sent{Verdict: ask.No, Ended: &ask.Stop{Reason: "policy-drop"}})
	cells[2].Settle(&ask.Sent{Verdict: ask.No, Differs: true})
	for i, want := range []string{"yes", "policy-drop", "not-answered !"} {
		if got := cells[i].Text(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	var text strings.Builder
	if err := m.WriteText(&text); err != nil || !strings.Contains(text.String(), "not known: there was no time to predict it") {
		t.Errorf("%v\n%s", err, &text)
	}
	if _, err := lab.Explain(ask.Question{From: ask.Outsider, To: "8.8.8.8", Protocol: "icmp"}); err == nil || !strings.Contains(err.Error(), "never comes to the lab") {
		t.Errorf("outside asks for 8.8.8.8: %v", err)
	}
}

// TestSettle is what a packet that was sent says, and what does not follow from it.
func TestSettle(t *testing.T) {
	for _, test := range []struct {
		predicted, sent ask.Verdict
		differs         bool
		want            string
	}{
		{ask.Yes, ask.Yes, false, "It works: A. As predicted, a real packet was answered."},
		{ask.No, ask.No, false, "It works: A. As predicted, a real packet was not answered."},
		{ask.Yes, ask.No, true, "The prediction was wrong: a real packet was not answered (it heard nothing; nothing left the host), although it said: It works: A."},
		{ask.No, ask.Yes, true, "The prediction was wrong: a real packet was answered, although it said: It works: A."},
		{ask.NotKnown, ask.Yes, false, "It works: a real packet was answered."},
		{ask.NotKnown, ask.No, false, "It does not work: a real packet was not answered (it heard nothing; nothing left the host)."},
		{ask.Yes, ask.NotKnown, false, "Not known: who knows."},
	} {
		a := &ask.Answer{Question: ask.Question{Protocol: "icmp"}, Verdict: test.predicted, Works: test.predicted == ask.Yes, Sentence: "It works: A.", Unknown: "x"}
		a.Settle(&ask.Sent{Verdict: test.sent, Heard: "nothing", Differs: test.differs, Unknown: "who knows"})
		if a.Sentence != test.want || a.Verdict != test.sent || a.Predicted != test.predicted || a.Works != (test.sent == ask.Yes) || (a.Unknown != "") != (test.sent == ask.NotKnown) {
			t.Errorf("predicted %s, sent %s: %+v\nwant %s", test.predicted, test.sent, a, test.want)
		}
	}
}
