package explain_test

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/explain"
	"uswitch/cmd/internal/tools/view"
	"uswitch/switch/trace"
)

// TestPartial is a matrix for which there is no time: its cells are not known, each that can be is to be sent once, and what
// becomes of the packet decides.
func TestPartial(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/reach.txtar")
	if err != nil {
		t.Fatal(err)
	}
	lab := build(t, part(archive, "topology")).lab()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lab.Reach(ctx, explain.ReachOptions{}); err == nil {
		t.Error("a matrix without an answer is no error")
	}
	m, err := lab.Reach(ctx, explain.ReachOptions{Outside: ip("8.8.8.8"), Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	asked, cells := m.Asked()
	seen := map[string]bool{}
	for i, a := range asked {
		if seen[a.Question.String()] || a.Question.From == api.Outsider || a.Question.From == a.Question.To || cells[i].Verdict != api.NotKnown {
			t.Errorf("%v is asked, and was predicted %s", a.Question, cells[i].Verdict)
		}
		seen[a.Question.String()] = true
	}
	if n := len(m.From) - 1; len(asked) != n*len(m.To)-n {
		t.Errorf("%d questions of %d hosts for %d things", len(asked), n, len(m.To))
	}
	cells[0].Settle(trace.English, &api.Sent{Verdict: api.Yes})
	cells[1].Settle(trace.English, &api.Sent{Verdict: api.No, Ended: &api.Stop{Reason: "policy-drop"}})
	cells[2].Settle(trace.English, &api.Sent{Verdict: api.No, Differs: true})
	for i, want := range []string{"yes", "policy-drop", "not-answered !"} {
		if got := cells[i].Text(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	var text strings.Builder
	if err := view.Matrix(&text, m); err != nil || !strings.Contains(text.String(), "not known: there was no time to predict it") {
		t.Errorf("%v\n%s", err, &text)
	}
	if _, err := lab.Explain(api.Question{From: api.Outsider, To: "8.8.8.8", Protocol: "icmp"}); err == nil || !strings.Contains(err.Error(), "never comes to the lab") {
		t.Errorf("outside asks for 8.8.8.8: %v", err)
	}
}

// TestSettle is what a packet that was sent says, and what does not follow from it.
func TestSettle(t *testing.T) {
	for _, test := range []struct {
		predicted, sent api.Verdict
		differs         bool
		want            string
	}{
		{api.Yes, api.Yes, false, "It works: A. As predicted, a real packet was answered."},
		{api.No, api.No, false, "It works: A. As predicted, a real packet was not answered."},
		{api.Yes, api.No, true, "The prediction was wrong: a real packet was not answered (it heard nothing; nothing left the host), although it said: It works: A."},
		{api.No, api.Yes, true, "The prediction was wrong: a real packet was answered, although it said: It works: A."},
		{api.NotKnown, api.Yes, false, "It works: a real packet was answered."},
		{api.NotKnown, api.No, false, "It does not work: a real packet was not answered (it heard nothing; nothing left the host)."},
		{api.Yes, api.NotKnown, false, "Not known: who knows."},
	} {
		a := &api.Answer{Question: api.Question{Protocol: "icmp"}, Verdict: test.predicted, Works: test.predicted == api.Yes, Sentence: "It works: A.", Unknown: "x"}
		a.Settle(trace.English, &api.Sent{Verdict: test.sent, Heard: "nothing", Differs: test.differs, Unknown: "who knows"})
		if a.Sentence != test.want || a.Verdict != test.sent || a.Predicted != test.predicted || a.Works != (test.sent == api.Yes) || (a.Unknown != "") != (test.sent == api.NotKnown) {
			t.Errorf("predicted %s, sent %s: %+v\nwant %s", test.predicted, test.sent, a, test.want)
		}
	}
}
