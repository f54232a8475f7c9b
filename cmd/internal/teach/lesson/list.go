package lesson

import (
	"fmt"
	"io"
	"strings"
)

// List writes the lessons with how far the person has come in each.
func List(out io.Writer, all []*Lesson, done Progress, lang Language) error {
	var b strings.Builder
	for _, l := range all {
		state := "      "
		switch r := done[l.Name]; {
		case r.Done:
			state = "done  "
		case r.Steps > 0:
			state = fmt.Sprintf("%-6s", fmt.Sprintf("%d%%", 100*r.Steps/max(r.Of, 1)))
		}
		fmt.Fprintf(&b, "%s %2d  %-14s %s\n", state, l.Order, l.Name, l.Titles[l.Speaks(lang)])
	}
	_, err := io.WriteString(out, b.String())
	return err
}
