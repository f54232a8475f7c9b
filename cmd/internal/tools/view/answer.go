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
