package lesson

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// question asks the person, and then the switch.
func (p *player) question(ctx context.Context, q *Question) error {
	if q.Kind == "ports" {
		return p.portsQuestion(ctx, q)
	}
	z, err := p.quiz(ctx, q)
	if err != nil {
		return err
	}
	given, err := p.ask(ctx, z.Choices)
	if err != nil {
		return err
	}
	p.grade(z, given)
	return nil
}

// portsQuestion has the frame sent after the person has said where it will go; the trace is the key.
func (p *player) portsQuestion(ctx context.Context, q *Question) error {
	var ports []api.Port
	if err := p.lab.Get(ctx, "/v1/ports", nil, &ports); err != nil {
		return err
	}
	z := &Quiz{}
	for _, port := range ports {
		if !slices.Contains(z.Choices, port.Name) {
			z.Choices = append(z.Choices, port.Name)
		}
	}
	given, err := p.ask(ctx, z.Choices)
	if err != nil {
		return err
	}
	c := Command{Text: q.Command}
	if _, err := p.await(ctx, &Step{Question: q}, c); err != nil {
		return err
	}
	w, err := watch(ctx, p.lab, q) // now, so that nothing of the person's own is seen
	if err != nil {
		return err
	}
	defer w.stop()
	if _, _, err := p.shell.run(ctx, c.Text); err != nil {
		return err
	}
	p.say("")
	right, why, err := w.receivers(ctx)
	if err != nil {
		return err
	}
	z.Because = why
	if err := z.mark(right...); err != nil {
		return err
	}
	p.grade(z, given)
	return nil
}

// ask shows the choices and returns what the person has chosen; nothing where nobody is asked.
func (p *player) ask(ctx context.Context, choices []string) (given []int, err error) {
	for i, c := range choices {
		p.say("  %d) %s", i+1, c)
	}
	if p.Auto {
		return nil, nil
	}
	for {
		fmt.Fprintf(p.Out, "%s ", p.dim("["+choose.in(p.Language)+"; skip, quit]"))
		line, err := p.read(ctx)
		switch {
		case err != nil:
			return nil, err
		case line == "quit":
			return nil, errQuit
		case line == "skip":
			return nil, nil
		}
		if given, ok := numbers(line, len(choices)); ok {
			return given, nil
		}
		p.say("%s %d.", noChoice.in(p.Language), len(choices))
	}
}

// numbers reads numbers from 1 to most, as indices.
func numbers(line string, most int) (all []int, ok bool) {
	for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > most {
			return nil, false
		}
		all = append(all, n-1)
	}
	slices.Sort(all)
	return slices.Compact(all), len(all) > 0
}

// grade compares what was chosen with the key, and shows the key.
func (p *player) grade(z *Quiz, given []int) {
	p.asked++
	switch {
	case slices.Equal(given, z.Key):
		p.right++
		p.say("  %s", p.green(right.in(p.Language)))
	case len(given) > 0:
		p.say("  %s", p.red(notQuite.in(p.Language)))
	}
	var words []string
	for _, i := range z.Key {
		words = append(words, z.Choices[i])
	}
	p.wrap("  ", keyIs.in(p.Language)+": "+strings.Join(words, ", "))
	p.wrap("    ", "("+z.Because+")")
	p.say("")
}
