package view

import (
	"fmt"
	"html"
	"io"
	"strings"
	"unicode/utf8"
	"uswitch/cmd/internal/control/api"
)

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
