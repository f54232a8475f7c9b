package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/trace"
)

// WriteMatrix writes a matrix as tables of at most 100 columns, pings first, and below them what each reason means.
func Matrix(out io.Writer, m *api.Matrix) error {
	var b strings.Builder
	var pings, ports []int
	for i, c := range m.To {
		if c.Protocol == "icmp" {
			pings = append(pings, i)
		} else {
			ports = append(ports, i)
		}
	}
	matrixTable(&b, m, "ping", pings)
	matrixTable(&b, m, "ports", ports)
	matrixLegend(&b, m)
	_, err := io.WriteString(out, strings.TrimLeft(b.String(), "\n"))
	return err
}

// matrixTable writes some columns, in as many blocks as it takes.
func matrixTable(b *strings.Builder, m *api.Matrix, title string, columns []int) {
	first := len("from \\ " + title)
	for _, from := range m.From {
		first = max(first, utf8.RuneCountInString(from))
	}
	for len(columns) > 0 {
		used, n := first, 0
		for n < len(columns) && (n == 0 || used+2+matrixWidth(m, columns[n]) <= width) {
			used += 2 + matrixWidth(m, columns[n])
			n++
		}
		fmt.Fprintf(b, "\n%-*s", first, "from \\ "+title)
		for _, c := range columns[:n] {
			fmt.Fprintf(b, "  %-*s", matrixWidth(m, c), trace.Printable(m.To[c].String()))
		}
		for row, from := range m.From {
			trimLine(b)
			fmt.Fprintf(b, "\n%-*s", first, trace.Printable(from))
			for _, c := range columns[:n] {
				fmt.Fprintf(b, "  %-*s", matrixWidth(m, c), m.Cells[row][c].Text())
			}
		}
		trimLine(b)
		b.WriteByte('\n')
		columns = columns[n:]
	}
}

// trimLine takes the blanks off the end of the last line.
func trimLine(b *strings.Builder) {
	text := strings.TrimRight(b.String(), " ")
	b.Reset()
	b.WriteString(text)
}

// matrixWidth is how wide a column is.
func matrixWidth(m *api.Matrix, c int) int {
	n := utf8.RuneCountInString(m.To[c].String())
	for _, row := range m.Cells {
		n = max(n, len(row[c].Text()))
	}
	return n
}

// matrixReasons lists the reasons that occur, each with the sentence of its first occurrence.
func matrixReasons(m *api.Matrix) (names []string, sentences map[string]string) {
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
			if c.Verdict == api.NotKnown && sentences["?"] == "" {
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

func matrixLegend(b *strings.Builder, m *api.Matrix) {
	names, sentences := matrixReasons(m)
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
