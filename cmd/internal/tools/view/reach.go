package view

import (
	"fmt"
	"html"
	"html/template"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
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
	matrixTable(&b, m, words.In("from \\ ping"), pings)
	matrixTable(&b, m, words.In("from \\ ports"), ports)
	matrixLegend(&b, m)
	_, err := io.WriteString(out, strings.TrimLeft(b.String(), "\n"))
	return err
}

// matrixTable writes some columns, in as many blocks as it takes.
func matrixTable(b *strings.Builder, m *api.Matrix, title string, columns []int) {
	first := trace.Columns(title)
	for _, from := range m.From {
		first = max(first, utf8.RuneCountInString(from))
	}
	for len(columns) > 0 {
		used, n := first, 0
		for n < len(columns) && (n == 0 || used+2+matrixWidth(m, columns[n]) <= width) {
			used += 2 + matrixWidth(m, columns[n])
			n++
		}
		b.WriteString("\n" + trace.Pad(title, first))
		for _, c := range columns[:n] {
			fmt.Fprintf(b, "  %-*s", matrixWidth(m, c), trace.Printable(m.To[c].String()))
		}
		for row, from := range m.From {
			trimLine(b)
			fmt.Fprintf(b, "\n%-*s", first, trace.Printable(from))
			for _, c := range columns[:n] {
				b.WriteString("  " + trace.Pad(m.Cells[row][c].Text(), matrixWidth(m, c)))
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
					sentences[c.Reason] = words.In(r.Sentence())
				}
			}
		}
	}
	for _, row := range m.Cells {
		for _, c := range row {
			if c.Sent != nil && c.Sent.Differs {
				sentences["!"] = words.In("a real packet contradicted the prediction")
			}
			if c.Verdict == api.NotKnown && sentences["?"] == "" {
				sentences["?"] = words.In("not known: %s", c.Unknown)
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

// page is the matrix as a page of its own.
var page = template.Must(template.New("reach").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Who reaches whom</title>
<style>
body { font-family: sans-serif; margin: 2em; }
table { border-collapse: collapse; }
th, td { padding: .3em .6em; text-align: left; border: 1px solid white; }
td.yes { background: ` + fillYes + `; }
td.no { background: ` + fillNo + `; }
td.unknown { background: ` + fillUnknown + `; }
td.self { background: ` + fillSelf + `; }
</style>
<h1>Who reaches whom</h1>
<table>
<tr><th>from \ to</th>{{range .Matrix.To}}<th>{{.}}</th>{{end}}</tr>
{{range $row, $from := .Matrix.From}}<tr><th>{{$from}}</th>
{{- range index $.Matrix.Cells $row}}<td class="{{if .Self}}self{{else if .Works}}yes{{else if eq .Verdict "unknown"}}unknown{{else}}no{{end}}"
{{- with .Sentence}} title="{{.}}"{{end}}>{{.Text}}</td>{{end}}</tr>
{{end}}</table>
{{with .Names}}<dl>
{{range .}}<dt><b>{{.}}</b></dt><dd>{{index $.Sentences .}}</dd>
{{end}}</dl>
{{end}}</html>
`))

// WriteMatrixHTML writes a matrix as a page that needs no other file.
func MatrixHTML(out io.Writer, m *api.Matrix) error {
	names, sentences := matrixReasons(m)
	return page.Execute(out, map[string]any{"Matrix": m, "Names": names, "Sentences": sentences})
}

// Sizes of the picture, in its own units. The font is monospaced, so that the width of a text is known: 6.1 at size 10.
const (
	cellHeight = 24
	letter     = 6.1
	margin     = 10
)

// Colours of the cells. They differ in lightness, and the words say the same.
const (
	fillYes     = "#d5f0d8"
	fillNo      = "#f3b5ad"
	fillSelf    = "#eeeeee"
	fillUnknown = "#fff2b3"
)

// WriteMatrixSVG writes a matrix as a picture that needs nothing else: no script, no font, no other file.
func MatrixSVG(out io.Writer, m *api.Matrix) error {
	left := 0
	for _, from := range m.From {
		left = max(left, utf8.RuneCountInString(from))
	}
	xs := []float64{margin + float64(left+2)*letter}
	for c := range m.To {
		xs = append(xs, xs[c]+float64(matrixWidth(m, c)+2)*letter)
	}
	var b strings.Builder
	w, h := xs[len(xs)-1]+margin, 2*margin+cellHeight*(len(m.From)+1)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" width="%.0f" height="%d" font-family="monospace" font-size="10">`+
		"\n<title>Who reaches whom</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", w, h, w, h)
	for c, to := range m.To {
		label(&b, xs[c]+letter, margin, to.String(), "")
	}
	for row, from := range m.From {
		y := margin + cellHeight*(row+1)
		label(&b, margin, y, from, "")
		for c := range m.To {
			cell := m.Cells[row][c]
			fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" stroke="white"/>`+"\n", xs[c], y, xs[c+1]-xs[c],
				cellHeight, fill(cell))
			label(&b, xs[c]+letter, y, cell.Text(), cell.Sentence)
		}
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// label writes a text into a row of the picture; more is shown when a mouse rests on it.
func label(b *strings.Builder, x float64, y int, text, more string) {
	title := ""
	if more != "" {
		title = "<title>" + html.EscapeString(more) + "</title>"
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%d">%s%s</text>`+"\n", x, y+cellHeight*2/3, title, html.EscapeString(text))
}

func fill(c api.Cell) string {
	switch {
	case c.Self:
		return fillSelf
	case c.Works:
		return fillYes
	case c.Verdict == api.NotKnown:
		return fillUnknown
	}
	return fillNo
}
