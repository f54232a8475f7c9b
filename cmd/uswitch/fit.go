package main

import (
	"regexp"
	"strings"
)

// columns is how wide help is: that of a terminal that nobody has made wider.
const columns = 80

// widest is the widest first column of a table beside which the second has room enough to go on in its own place.
const widest = 48

// row is a line of a table: two spaces or more, a word or several, a gap of two spaces or more.
var row = regexp.MustCompile(`^( +\S(?:\S| \S)*  +)\S`)

// fit breaks a text into lines of at most 80 columns. Lines that begin at the margin are a paragraph, and flow together; one
// that is indented stands for itself, and what does not fit goes on below its last column. Lines that fit stay as they are.
func fit(text string) string {
	var out strings.Builder
	var paragraph []string
	flow := func() {
		wrap(&out, strings.Join(paragraph, " "), "", "")
		paragraph = nil
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if line != "" && line[0] != ' ' {
			paragraph = append(paragraph, line)
			continue
		}
		flow()
		if len(line) <= columns {
			out.WriteString(line + "\n")
			continue
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		head := indent
		if m := row.FindStringSubmatch(line); m != nil && len(m[1]) <= widest {
			head = m[1]
		}
		below := strings.Repeat(" ", len(head))
		if head == indent {
			below += "  "
		}
		wrap(&out, line[len(head):], head, below)
	}
	flow()
	return out.String()
}

// wrap writes words behind a head, and what does not fit on lines of its own.
func wrap(out *strings.Builder, text, head, below string) {
	if text == "" {
		return
	}
	line, empty := head, true
	for word := range strings.FieldsSeq(text) {
		switch {
		case empty:
			line += word
		case len(line)+1+len(word) > columns:
			out.WriteString(line + "\n")
			line = below + word
		default:
			line += " " + word
		}
		empty = false
	}
	out.WriteString(line + "\n")
}
