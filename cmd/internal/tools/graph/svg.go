package graph

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// style is how a picture looks: on a light and on a dark screen, and on paper.
const style = `
.uswitch{font:13px system-ui,sans-serif;--ink:#1b2330;--soft:#55607a;--interface:#fff;--page:#f6f7fa;--edge:#aab3c5;--bad:#c0262d;
--n0:#1a6fb5;--n1:#b3541e;--n2:#2d7d46;--n3:#8a3fa0;--n4:#a1731a;--n5:#0f7f86;background:var(--page)}
@media (prefers-color-scheme:dark){.uswitch{--ink:#e8ecf4;--soft:#a9b4c9;--interface:#222a38;--page:#151a23;--edge:#5b6780;--bad:#ff7b7b;
--n0:#6db7f2;--n1:#f0a06a;--n2:#79c991;--n3:#cf97e0;--n4:#dcb45c;--n5:#5cc7cf}}
@media print{.uswitch{--ink:#000;--soft:#333;--interface:#fff;--page:#fff;--edge:#777}}
.uswitch text{fill:var(--ink)}.uswitch .name{font-weight:600;font-size:15px}.uswitch .line{fill:var(--soft)}
.uswitch rect{fill:var(--interface);stroke:var(--edge);stroke-width:1.5}.uswitch .network rect{stroke:var(--c);stroke-width:2.5}
.uswitch .group rect{stroke-dasharray:6 3}.uswitch path{fill:none;stroke:var(--c,var(--edge));stroke-width:2}
.uswitch .bus{stroke-width:4;stroke-linecap:round}.uswitch .down path{stroke:var(--bad);stroke-dasharray:3 5}.uswitch .shared path{stroke-dasharray:2 4}
.uswitch .c0{--c:var(--n0)}.uswitch .c1{--c:var(--n1)}.uswitch .c2{--c:var(--n2)}.uswitch .c3{--c:var(--n3)}.uswitch .c4{--c:var(--n4)}.uswitch .c5{--c:var(--n5)}
`

// colours is how many colours networks have by turns.
const colours = 6

// SVG writes a picture as SVG that stands for itself.
func SVG(w io.Writer, p *api.Picture) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="uswitch" role="img" aria-label="lab %s" width="%d" height="%d" viewBox="0 0 %[2]d %[3]d">`+"\n",
		escape(p.Lab), p.Width, p.Height)
	fmt.Fprintf(&b, "<style>%s</style>\n", style)
	for _, n := range p.Nodes {
		for _, bus := range n.Bus {
			fmt.Fprintf(&b, `<g class="c%d"><path class="bus" d="%s"/></g>`+"\n", n.Colour%colours, pathData(bus))
		}
	}
	for i := range p.Links {
		svgLink(&b, &p.Links[i])
	}
	for i := range p.Nodes {
		svgNode(&b, &p.Nodes[i])
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func classes(kind string, colour int) string {
	if colour >= 0 {
		return fmt.Sprintf("%s c%d", kind, colour%colours)
	}
	return kind
}

func svgLink(b *strings.Builder, l *api.Link) {
	class := classes(l.Kind, l.Colour)
	title := l.ID
	if l.Down != "" {
		class += " down"
		title += ": " + l.Down
	}
	fmt.Fprintf(b, `<g class="%s"><title>%s</title><path d="%s"/>`, class, escape(title), pathData(visible(l)))
	if l.Label != "" {
		fmt.Fprintf(b, `<text class="line" text-anchor="middle" x="%d" y="%d">%s</text>`, (l.Path[0].X+l.Path[1].X)/2, l.Path[0].Y-7, escape(l.Label))
	}
	b.WriteString("</g>\n")
}

// visible is the part of a link that is no bus: a cable ends where it meets that.
func visible(l *api.Link) []api.XY {
	switch {
	case l.Kind != api.LinkCable:
		return l.Path
	case len(l.Path) > 2 && l.Path[0].X == l.Path[1].X:
		return l.Path[:2]
	}
	return l.Path[:min(3, len(l.Path))]
}

func svgNode(b *strings.Builder, n *api.Node) {
	fmt.Fprintf(b, `<g class="%s"><title>%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="8"/>`, classes(n.Kind, n.Colour), escape(n.Name), n.X, n.Y, n.W, n.H)
	room := n.W - 2*padding
	fmt.Fprintf(b, `<text class="name" x="%d" y="%d">%s</text>`, n.X+padding, n.Y+nameLine, escape(cut(n.Name, room/bold)))
	for i, line := range n.Lines {
		fmt.Fprintf(b, `<text class="line" x="%d" y="%d">%s</text>`, n.X+padding, n.Y+nameLine+textLine*(i+1), escape(cut(line, room/letter)))
	}
	b.WriteString("</g>\n")
}

func pathData(path []api.XY) string {
	var b strings.Builder
	for i, at := range path {
		b.WriteByte("ML"[min(i, 1)])
		fmt.Fprintf(&b, "%d %d", at.X, at.Y)
	}
	return b.String()
}

// cut shortens a text to so many characters; an ellipsis says so.
func cut(text string, room int) string {
	if runes := []rune(text); len(runes) > room {
		return string(runes[:max(room-1, 0)]) + "…"
	}
	return text
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// HTML writes a page with nothing but the picture.
func HTML(w io.Writer, p *api.Picture) error {
	_, err := fmt.Fprintf(w, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>lab %s</title>\n"+
		"<meta name=\"color-scheme\" content=\"light dark\"><style>svg{max-width:100%%;height:auto}</style>\n", escape(p.Lab))
	if err == nil {
		err = SVG(w, p)
	}
	return err
}
