//go:build linux

package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Sizes of a curve, in pixels.
const (
	curveWidth  = 210
	curveHeight = 90
	curveStep   = 250
)

// curve is one thing that is shown of a growth.
type curve struct {
	name string
	of   func(growthRow) float64
}

var curves = []curve{
	{"new connections, 1/s", func(g growthRow) float64 { return g.connections }},
	{"a byte there and back, us", func(g growthRow) float64 { return g.trip }},
	{"memory, MiB", func(g growthRow) float64 { return g.memory / (1 << 20) }},
}

// growthPlots draws, from y on, a row of curves for each thing that grows and each subject: its number is logarithmic, what it
// costs begins at zero. It returns how far it has come.
func (r *results) growthPlots(body *strings.Builder, y int) int {
	type row struct{ of, subject string }
	rows := map[row][]growthRow{}
	var order []row
	for _, g := range r.growth {
		k := row{g.of, g.subject}
		if !slices.Contains(order, k) {
			order = append(order, k)
		}
		rows[k] = append(rows[k], g)
	}
	for _, k := range order {
		fmt.Fprintf(body, "<text x=\"8\" y=\"%d\" style=\"font-weight:bold\">%s</text>\n", y, html.EscapeString("Growth: "+k.of+", "+k.subject))
		for i, c := range curves {
			plotCurve(body, c, rows[k], 16+i*curveStep, y+headHeight)
		}
		y += curveHeight + 3*headHeight
	}
	return y
}

// plotCurve draws one curve, with a number at each point.
func plotCurve(body *strings.Builder, c curve, rows []growthRow, x, y int) {
	most := 0.0
	for _, g := range rows {
		most = max(most, c.of(g))
	}
	if most == 0 {
		return // the kernel's memory is nobody's
	}
	fmt.Fprintf(body, "<text x=\"%d\" y=\"%d\">%s</text>\n", x, y-8, html.EscapeString(c.name))
	first, last := math.Log(float64(rows[0].count)), math.Log(float64(rows[len(rows)-1].count))
	var points strings.Builder
	for _, g := range rows {
		along := 0.0
		if last > first {
			along = (math.Log(float64(g.count)) - first) / (last - first)
		}
		px, py := float64(x)+along*(curveWidth-40), float64(y+16)+(1-c.of(g)/most)*(curveHeight-16)
		fmt.Fprintf(&points, "%.1f,%.1f ", px, py)
		fmt.Fprintf(body, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"#2f7ed8\"/>\n<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\">%s</text>\n"+
			"<text x=\"%.1f\" y=\"%d\" font-size=\"10\">%d</text>\n", px, py, px+4, py-4, number(c.of(g), true), px, y+curveHeight+14, g.count)
	}
	fmt.Fprintf(body, "<polyline points=\"%s\" fill=\"none\" stroke=\"#2f7ed8\"/>\n", strings.TrimSpace(points.String()))
}
