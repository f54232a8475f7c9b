//go:build linux

package main

import (
	"fmt"
	"html"
	"strings"
)

// Sizes of the plot, in pixels.
const (
	plotWidth  = 760
	labelWidth = 250
	barHeight  = 16
	barStep    = 20
	headHeight = 30
)

// svg draws a bar for each subject in each cell, the longest of a cell being as wide as there is room; uswitch's in colour.
func (r *results) svg() string {
	var body strings.Builder
	y := headHeight
	text := func(x, y int, style, s string) {
		fmt.Fprintf(&body, "<text x=\"%d\" y=\"%d\" style=\"%s\">%s</text>\n", x, y, style, html.EscapeString(s))
	}
	for _, t := range r.chapters {
		for _, c := range t.measured() {
			text(8, y, "font-weight:bold", fmt.Sprintf("%s: %s (%s)", t.title, c.name, c.unit))
			y += 8
			longest := 0.0
			for _, s := range t.subjects {
				v, _ := t.median(key{c.name, s.name}, value)
				longest = max(longest, v)
			}
			for _, s := range t.subjects {
				v, ok := t.median(key{c.name, s.name}, value)
				if !ok || longest == 0 {
					continue
				}
				colour := "#b8b8b8"
				if strings.HasPrefix(s.name, "uswitch") {
					colour = "#2f7ed8"
				}
				text(16, y+12, "", s.name)
				fmt.Fprintf(&body, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
					labelWidth, y, v/longest*(plotWidth-labelWidth-70), barHeight, colour)
				text(labelWidth+6+int(v/longest*(plotWidth-labelWidth-70)), y+12, "", number(v, true))
				y += barStep
			}
			y += headHeight
		}
	}
	y = r.growthPlots(&body, y)
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n"+
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n%s</svg>\n", plotWidth, y, body.String())
}
