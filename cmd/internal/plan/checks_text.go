package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mattn/go-shellwords"
)

// commandCheck reads a command, and what must become of it.
func (b *builder) commandCheck(c *section) *CommandCheck {
	check := &CommandCheck{Host: c.text("host"), Match: c.match(false), Status: -1}
	b.known(c, "host", check.Host)
	if c.values["status"] == "not 0" {
		c.get("status")
	} else {
		check.Status = c.number("status", 0, math.MaxUint8, 0)
	}
	switch value := c.get("command").(type) {
	case string:
		if problem := shellSyntax(value); problem != "" {
			c.bad("command", "%s", problem)
			return check
		}
		check.Argv, _ = shellwords.Parse(value)
	case []any:
		for _, word := range value {
			check.Argv = append(check.Argv, fmt.Sprint(word))
		}
	}
	if len(check.Argv) == 0 {
		c.bad("command", "want a program with its arguments")
	}
	return check
}

// match reads has and lacks: a text each, or a list of them.
func (c *section) match(required bool) (m Match) {
	for key, into := range map[string]*[]string{"has": &m.Has, "lacks": &m.Lacks} {
		switch value := c.get(key).(type) {
		case nil:
		case []any:
			for _, item := range value {
				*into = append(*into, fmt.Sprint(item))
			}
		default:
			*into = []string{fmt.Sprint(value)}
		}
		if slices.ContainsFunc(*into, func(text string) bool { return strings.TrimSpace(text) == "" }) {
			c.bad(key, "want texts that are not empty")
		}
	}
	if required && len(m.Has)+len(m.Lacks) == 0 {
		c.wrong(c.at, "want has or lacks: what must be there, and what must not")
	}
	return m
}

// word returns one of some words, empty where the key is absent.
func (c *section) word(key string, words []string) string {
	text := c.text(key)
	if text != "" && !slices.Contains(words, text) {
		c.bad(key, "%q: want one of %s", clip(text, 40), strings.Join(words, ", "))
		return ""
	}
	return text
}
