package view

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"uswitch/cmd/internal/control/api"
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
	fmt.Fprintf(&b, "%s asks %s: %s\n", a.Question.From, to, a.Question.What())
	way := api.Way("")
	for _, p := range a.Phases {
		if p.Way != way {
			way = p.Way
			heading(&b, map[api.Way]string{api.There: "The question's way", api.Back: "The answer's way back"}[way])
		}
		writePhase(&b, &p)
	}
	heading(&b, "Result")
	if s := a.Stop; s != nil {
		line(&b, "result", string(api.ResultDrop))
		line(&b, "where", fmt.Sprintf("%s %s, %s", s.Where, s.Type, map[api.Way]string{api.There: "on the question's way",
			api.Back: "on the answer's way back"}[s.Way]))
		line(&b, "reason", "("+s.Reason+") "+s.Sentence)
		line(&b, "matched", s.Rule.String())
	} else {
		line(&b, "result", string(api.ResultAllow))
	}
	line(&b, "not known", a.Unknown)
	writeSent(&b, a.Sent)
	fmt.Fprintln(&b)
	for _, l := range wrap(a.Sentence, width) {
		fmt.Fprintln(&b, l)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func heading(b *strings.Builder, text string) {
	fmt.Fprintf(b, "\n%s\n%s\n", text, strings.Repeat("-", len(text)))
}

// writePhase sets one phase: a line with its result at the right, and a line for each thing to say of it.
func writePhase(b *strings.Builder, p *api.Phase) {
	left := fmt.Sprintf("Phase %-3d %-12s %s", p.Number, trace.Printable(p.Where), p.Type)
	fmt.Fprintf(b, "%s%*s\n", left, width-utf8.RuneCountInString(left), p.Result)
	line(b, "looked up", p.Looked)
	line(b, "matched", p.Rule.String())
	found := p.Found
	if p.Rule != nil && p.Result != api.ResultDrop && p.Type != "egress" {
		found = ""
	}
	if p.Reason != "" {
		found = "(" + p.Reason + ") " + found
	}
	line(b, "found", found)
	line(b, "changed", p.Changed)
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
		fmt.Fprintf(b, "    %-*s%s\n", left-4, name, part)
	}
}

// wrap breaks a text at blanks into lines of at most room columns, or more where a word is longer.
func wrap(s string, room int) (lines []string) {
	for _, word := range strings.Fields(s) {
		n := len(lines)
		if n == 0 || utf8.RuneCountInString(lines[n-1])+1+utf8.RuneCountInString(word) > room {
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
	fmt.Fprintf(&b, "%s asks %s: %s\n", a.Question.From, a.Question.To, a.Question.What())
	for i, r := range a.Steps {
		fmt.Fprintf(&b, "\n%d. (%s)\n", i+1, r.Reason)
		for _, l := range wrap(r.Because, width-4) {
			fmt.Fprintln(&b, "    "+l)
		}
		if r.Rule != nil {
			fmt.Fprintf(&b, "    by %s\n", r.Rule)
		}
		for _, l := range wrap("Try: "+r.Text, width-4) {
			fmt.Fprintln(&b, "    "+l)
		}
		if r.Command != "" {
			fmt.Fprintln(&b, "        "+r.Command)
		}
	}
	if a.Rest != nil {
		fmt.Fprintf(&b, "\n%d. (%s) at %s %s, %s\n", len(a.Steps)+1, a.Rest.Reason, a.Rest.Where, a.Rest.Type, a.Rest.Way)
	}
	fmt.Fprintln(&b)
	for _, l := range wrap(a.Sentence, width) {
		fmt.Fprintln(&b, l)
	}
	if a.Unknown != "" {
		fmt.Fprintf(&b, "(%s)\n", a.Unknown)
	}
	if len(a.Look) > 0 {
		fmt.Fprintln(&b, "What was not looked at is shown by")
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
	heading(b, "A real packet")
	sent := "from " + s.From
	if s.From == "" {
		sent = "the host's kernel chose no source"
	}
	switch {
	case s.Packet != 0:
		sent += fmt.Sprintf(": #%d in the trace, which `uswitch replay %d` shows", s.Packet, s.Packet)
	case s.Lost > 0:
		sent += fmt.Sprintf(": not found in the trace, which has lost %d steps", s.Lost)
	default:
		sent += ": nothing came to the switch"
	}
	line(b, "sent", sent)
	line(b, "heard", s.Heard)
	if s.Ended != nil {
		line(b, "dropped", fmt.Sprintf("%s %s, %s: (%s) %s", s.Ended.Where, s.Ended.Type, map[api.Way]string{api.There: "on the question's way",
			api.Back: "on the answer's way back"}[s.Ended.Way], s.Ended.Reason, s.Ended.Sentence))
		line(b, "matched", s.Ended.Rule.String())
	} else if s.Arrived != "" {
		line(b, "delivered", "to "+s.Arrived)
	}
	if s.Differs {
		line(b, "DIFFERS", "from the prediction, which said "+string(s.Tried))
	}
}
