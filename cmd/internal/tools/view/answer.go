package view

import (
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

// width is how many columns a text is wide at most; only what people copy may be wider.
const width = 100

// WriteAnswer writes an answer for a person: phase by phase, and the sentence at the end.
func Answer(out io.Writer, a *api.Answer) error {
	var b strings.Builder
	to := a.Question.To
	if a.Address != "" && a.Address != to {
		to += " (" + a.Address + ")"
	}
	b.WriteString(words.In("%s asks %s: %s", a.Question.From, to, a.Question.What(words.In)) + "\n")
	way := api.Way("")
	for _, p := range a.Phases {
		if p.Way != way {
			way = p.Way
			heading(&b, map[api.Way]string{api.There: words.In("The question's way"), api.Back: words.In("The answer's way back")}[way])
		}
		writePhase(&b, &p)
	}
	heading(&b, words.In("Result"))
	if s := a.Stop; s != nil {
		line(&b, words.In("result"), result(api.ResultDrop))
		line(&b, words.In("where"), fmt.Sprintf("%s %s, %s", s.Where, s.Type, onWay(s.Way)))
		line(&b, words.In("reason"), "("+s.Reason+") "+s.Sentence)
		line(&b, words.In("matched"), s.Rule.In(words.In))
	} else {
		line(&b, words.In("result"), result(api.ResultAllow))
	}
	line(&b, words.In("not known"), a.Unknown)
	writeSent(&b, a.Sent)
	fmt.Fprintln(&b)
	for _, l := range wrap(a.Sentence, width) {
		fmt.Fprintln(&b, l)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// onWay says on which packet's way something happened.
func onWay(w api.Way) string {
	return map[api.Way]string{api.There: words.In("on the question's way"), api.Back: words.In("on the answer's way back")}[w]
}

// result says what a phase comes to.
func result(r api.Result) string {
	return words.In(map[api.Result]string{api.ResultAllow: trace.Key("ALLOW"), api.ResultDrop: trace.Key("DROP"), api.ResultWait: trace.Key("WAIT"),
		api.ResultAnswer: trace.Key("ANSWER"), api.ResultUnknown: trace.Key("UNKNOWN")}[r])
}

func heading(b *strings.Builder, text string) {
	fmt.Fprintf(b, "\n%s\n%s\n", text, strings.Repeat("-", trace.Columns(text)))
}

// writePhase sets one phase: a line with its result at the right, and a line for each thing to say of it.
func writePhase(b *strings.Builder, p *api.Phase) {
	left, right := words.In("Phase %-3d %-12s %s", p.Number, trace.Printable(p.Where), p.Type), result(p.Result)
	fmt.Fprintln(b, trace.Pad(left, width-trace.Columns(right))+right)
	line(b, words.In("looked up"), p.Looked)
	line(b, words.In("matched"), p.Rule.In(words.In))
	found := p.Found
	if p.Rule != nil && p.Result != api.ResultDrop && p.Type != "egress" {
		found = ""
	}
	if p.Reason != "" {
		found = "(" + p.Reason + ") " + found
	}
	line(b, words.In("found"), found)
	line(b, words.In("changed"), p.Changed)
}

// line sets a thing that is said of a phase, if there is something to say.
func line(b *strings.Builder, name, text string) {
	if text == "" {
		return
	}
	const left = 14
	for i, part := range wrap(trace.Printable(text), width-left) {
		if i > 0 {
			name = ""
		}
		fmt.Fprintln(b, "    "+trace.Pad(name, left-4)+part)
	}
}

// wrap breaks a text at blanks into lines of at most room columns, or more where a word is longer.
func wrap(s string, room int) (lines []string) {
	for _, word := range strings.Fields(s) {
		n := len(lines)
		if n == 0 || trace.Columns(lines[n-1])+1+trace.Columns(word) > room {
			lines = append(lines, word)
			continue
		}
		lines[n-1] += " " + word
	}
	return lines
}

// WriteAdvice writes advice for a person.
func Advice(out io.Writer, a *api.Advice) error {
	var b strings.Builder
	b.WriteString(words.In("%s asks %s: %s", a.Question.From, a.Question.To, a.Question.What(words.In)) + "\n")
	for i, r := range a.Steps {
		fmt.Fprintf(&b, "\n%d. (%s)\n", i+1, r.Reason)
		for _, l := range wrap(r.Because, width-4) {
			fmt.Fprintln(&b, "    "+l)
		}
		if r.Rule != nil {
			fmt.Fprintln(&b, "    "+words.In("by %s", r.Rule.In(words.In)))
		}
		for _, l := range wrap(words.In("Try: %s", r.Text), width-4) {
			fmt.Fprintln(&b, "    "+l)
		}
		if r.Command != "" {
			fmt.Fprintln(&b, "        "+r.Command)
		}
	}
	if a.Rest != nil {
		fmt.Fprintln(&b, "\n"+words.In("%d. (%s) at %s %s, %s", len(a.Steps)+1, a.Rest.Reason, a.Rest.Where, a.Rest.Type, onWay(a.Rest.Way)))
	}
	fmt.Fprintln(&b)
	for _, l := range wrap(a.Sentence, width) {
		fmt.Fprintln(&b, l)
	}
	if a.Unknown != "" {
		fmt.Fprintf(&b, "(%s)\n", a.Unknown)
	}
	if len(a.Look) > 0 {
		fmt.Fprintln(&b, words.In("What was not looked at is shown by"))
	}
	for _, command := range a.Look {
		fmt.Fprintln(&b, "    "+command)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// writeSent tells of the packet that was sent, below the prediction.
func writeSent(b *strings.Builder, s *api.Sent) {
	if s == nil {
		return
	}
	heading(b, words.In("A real packet"))
	sent := words.In("from %s", s.From)
	if s.From == "" {
		sent = words.In("the host's kernel chose no source")
	}
	switch {
	case s.Packet != 0:
		sent += words.In(": #%d in the trace, which `uswitch replay %d` shows", s.Packet, s.Packet)
	case s.Lost > 0:
		sent += words.In(": not found in the trace, which has lost %d steps", s.Lost)
	default:
		sent += words.In(": nothing came to the switch")
	}
	line(b, words.In("sent"), sent)
	line(b, words.In("heard"), s.Heard)
	if s.Ended != nil {
		line(b, words.In("dropped"), fmt.Sprintf("%s %s, %s: (%s) %s", s.Ended.Where, s.Ended.Type, onWay(s.Ended.Way), s.Ended.Reason, s.Ended.Sentence))
		line(b, words.In("matched"), s.Ended.Rule.In(words.In))
	} else if s.Arrived != "" {
		line(b, words.In("delivered"), words.In("to %s", s.Arrived))
	}
	if s.Differs {
		line(b, words.In("DIFFERS"), words.In("from the prediction, which said %s", s.Tried))
	}
}
