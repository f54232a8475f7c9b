package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"uswitch/switch/trace"
)

// WriteText writes the matrix as tables of at most 100 columns, pings first, and below them what each reason means.
func (m *Matrix) WriteText(out io.Writer) error {
	var b strings.Builder
	var pings, ports []int
	for i, c := range m.To {
		if c.Protocol == "icmp" {
			pings = append(pings, i)
		} else {
			ports = append(ports, i)
		}
	}
	m.table(&b, "ping", pings)
	m.table(&b, "ports", ports)
	m.legend(&b)
	_, err := io.WriteString(out, strings.TrimLeft(b.String(), "\n"))
	return err
}

// table writes some columns, in as many blocks as it takes.
func (m *Matrix) table(b *strings.Builder, title string, columns []int) {
	first := len("from \\ " + title)
	for _, from := range m.From {
		first = max(first, utf8.RuneCountInString(from))
	}
	for len(columns) > 0 {
		used, n := first, 0
		for n < len(columns) && (n == 0 || used+2+m.wide(columns[n]) <= width) {
			used += 2 + m.wide(columns[n])
			n++
		}
		fmt.Fprintf(b, "\n%-*s", first, "from \\ "+title)
		for _, c := range columns[:n] {
			fmt.Fprintf(b, "  %-*s", m.wide(c), trace.Printable(m.To[c].String()))
		}
		for row, from := range m.From {
			trim(b)
			fmt.Fprintf(b, "\n%-*s", first, trace.Printable(from))
			for _, c := range columns[:n] {
				fmt.Fprintf(b, "  %-*s", m.wide(c), m.Cells[row][c].Text())
			}
		}
		trim(b)
		b.WriteByte('\n')
		columns = columns[n:]
	}
}

// trim takes the blanks off the end of the last line.
func trim(b *strings.Builder) {
	text := strings.TrimRight(b.String(), " ")
	b.Reset()
	b.WriteString(text)
}

// wide is how wide a column is.
func (m *Matrix) wide(c int) int {
	n := utf8.RuneCountInString(m.To[c].String())
	for _, row := range m.Cells {
		n = max(n, len(row[c].Text()))
	}
	return n
}

// reasons lists the reasons that occur, each with the sentence of its first occurrence.
func (m *Matrix) reasons() (names []string, sentences map[string]string) {
	sentences = map[string]string{}
	for _, row := range m.Cells {
		for _, c := range row {
			if c.Reason == "" || sentences[c.Reason] != "" {
				continue
			}
			names = append(names, c.Reason)
			sentences[c.Reason] = c.Sentence
			for _, r := range trace.Reasons() {
				if r.String() == c.Reason {
					sentences[c.Reason] = r.Sentence()
				}
			}
		}
	}
	for _, row := range m.Cells {
		for _, c := range row {
			if c.Sent != nil && c.Sent.Differs {
				sentences["!"] = "a real packet contradicted the prediction"
			}
			if c.Verdict == NotKnown && sentences["?"] == "" {
				sentences["?"] = "not known: " + c.Unknown
			}
		}
	}
	for _, mark := range []string{"!", "?"} {
		if sentences[mark] != "" {
			names = append(names, mark)
		}
	}
	slices.Sort(names)
	return names, sentences
}

func (m *Matrix) legend(b *strings.Builder) {
	names, sentences := m.reasons()
	if len(names) > 0 {
		b.WriteByte('\n')
	}
	for _, name := range names {
		left := fmt.Sprintf("%-16s ", name)
		for i, part := range wrap(trace.Printable(sentences[name]), width-len(left)) {
			if i > 0 {
				left = strings.Repeat(" ", len(left))
			}
			fmt.Fprintln(b, left+part)
		}
	}
}
