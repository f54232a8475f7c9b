package sim

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"uswitch/nat/rule"
)

// parseStep reads one line of the steps: HOST: COMMAND, or a command of the lab.
func parseStep(line string) (action, error) {
	name, command, ok := strings.Cut(line, ": ")
	if ok && !strings.ContainsAny(name, " \t") {
		words := strings.Fields(command)
		if len(words) == 0 {
			return nil, fmt.Errorf("%s: a command is missing", name)
		}
		parse := hostCommands[words[0]]
		if parse == nil {
			return nil, unknown(words[0], hostCommands)
		}
		run, err := parse(words[1:])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", words[0], err)
		}
		return func(w *World, out io.Writer) error { return run.on(w, name, out) }, nil
	}
	words := strings.Fields(line)
	parse := labCommands[words[0]]
	if parse == nil {
		return nil, unknown(words[0], labCommands)
	}
	run, err := parse(words[1:], line)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", words[0], err)
	}
	return run, nil
}

func unknown[C any](word string, commands map[string]C) error {
	return fmt.Errorf("%q: want one of %s", word, strings.Join(slices.Sorted(maps.Keys(commands)), ", "))
}

// labCommands are what can be typed in the lab. They are given their words, and the whole line.
var labCommands = map[string]func(words []string, line string) (action, error){
	"wait":     parseWait,
	"iptables": parseIptables,
	"set":      parseSet,
	"show":     parseShow,
	"swap":     parseSwap,
}

func parseWait(words []string, _ string) (action, error) {
	var d time.Duration
	if len(words) != 1 || durationOption(&d, words[0]) != nil {
		return nil, fmt.Errorf("want a time up to %v, as in: wait 301s", maxDuration)
	}
	return func(w *World, _ io.Writer) error { w.RunFor(d); return nil }, nil
}

func parseIptables(_ []string, line string) (action, error) {
	words, err := rule.SplitLine(line)
	if err != nil {
		return nil, err
	}
	return func(w *World, out io.Writer) error {
		printed, err := w.gateway.Rules().Exec(words[1:])
		io.WriteString(out, printed)
		if err != nil {
			fmt.Fprintln(out, err)
		}
		return nil // a refused command is part of the story
	}, nil
}

// parseSwap reads: swap HOST HOST - somebody pulls both cables and plugs each into the other's card.
func parseSwap(words []string, _ string) (action, error) {
	if len(words) != 2 {
		return nil, errors.New("want two hosts")
	}
	return func(w *World, _ io.Writer) error {
		var cards [2]*Card
		for i, name := range words {
			h, ok := w.Host(name)
			if !ok {
				return fmt.Errorf("there is no host %q", name)
			}
			cards[i] = h.cards[0]
		}
		cards[0].wire, cards[1].wire = cards[1].wire, cards[0].wire
		for _, c := range cards {
			c.wire.PlugHost(c.input)
		}
		return nil
	}, nil
}
