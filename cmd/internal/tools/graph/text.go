package graph

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// Formats are the names of what Write can write.
var Formats = []string{"svg", "html", "mermaid", "dot", "drawio"}

// Write writes a picture in one of the Formats.
func Write(w io.Writer, p *api.Picture, format string) error {
	write := map[string]func(io.Writer, *api.Picture) error{"svg": SVG, "html": HTML, "mermaid": Mermaid, "dot": DOT, "drawio": DrawIO}[format]
	if write == nil {
		return fmt.Errorf("%q: want one of %s", format, strings.Join(Formats, ", "))
	}
	return write(w, p)
}

// Mermaid writes a flowchart, as GitHub and others draw it inside of Markdown.
func Mermaid(w io.Writer, p *api.Picture) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	quote := func(s string) string { return strings.NewReplacer(`"`, "#quot;", "<", "#lt;", ">", "#gt;").Replace(s) }
	for i, n := range p.Nodes {
		text := quote(n.Name)
		for _, line := range n.Lines {
			text += "<br/>" + quote(line)
		}
		left, right := "[", "]"
		switch n.Kind {
		case api.NodeNetwork:
			left, right = "{{", "}}"
		case api.NodeOutside, api.NodeTunnel:
			left, right = "(", ")"
		}
		fmt.Fprintf(&b, "  n%d%s\"%s\"%s\n", i, left, text, right)
	}
	for _, l := range p.Links {
		line, label := "---", l.Label
		if l.Down != "" || l.Kind == api.LinkShared {
			line = "-.-"
		}
		if label == "" {
			label = l.Interface
		}
		if label != "" {
			line += "|\"" + quote(label) + "\"|"
		}
		fmt.Fprintf(&b, "  n%d %s n%d\n", index(p, l.From), line, index(p, l.To))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// DOT writes what Graphviz reads; with neato -n everything stands where it does in SVG.
func DOT(w io.Writer, p *api.Picture) error {
	var b strings.Builder
	quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
	fmt.Fprintf(&b, "graph %s {\n  node [shape=box];\n", quote(p.Lab))
	for _, n := range p.Nodes {
		shape := map[string]string{api.NodeNetwork: "hexagon", api.NodeOutside: "ellipse", api.NodeTunnel: "ellipse"}[n.Kind]
		if shape == "" {
			shape = "box"
		}
		label := strings.ReplaceAll(quote(strings.Join(append([]string{n.Name}, n.Lines...), "\n")), "\n", `\n`)
		fmt.Fprintf(&b, "  %s [label=%s, shape=%s, pos=\"%d,%d\"];\n", quote(n.ID), label, shape, n.X+n.W/2, p.Height-n.Y-n.H/2)
	}
	for _, l := range p.Links {
		label, style := l.Label, ""
		if label == "" {
			label = l.Interface
		}
		if l.Down != "" || l.Kind == api.LinkShared {
			style = ", style=dashed"
		}
		fmt.Fprintf(&b, "  %s -- %s [label=%s%s];\n", quote(l.From), quote(l.To), quote(label), style)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// DrawIO writes a file for draw.io (diagrams.net), in which boxes can be moved and their cables follow.
func DrawIO(w io.Writer, p *api.Picture) error {
	var b strings.Builder
	fmt.Fprintf(&b, "<mxfile><diagram name=\"%s\"><mxGraphModel dx=\"%d\" dy=\"%d\" grid=\"1\"><root>\n<mxCell id=\"0\"/><mxCell id=\"1\" parent=\"0\"/>\n",
		escape(p.Lab), p.Width, p.Height)
	for i, n := range p.Nodes {
		style := "rounded=1;whiteSpace=wrap;html=0;"
		switch n.Kind {
		case api.NodeNetwork:
			style += "strokeWidth=2;fillColor=#dae8fc;"
		case api.NodeOutside, api.NodeTunnel:
			style = "ellipse;shape=cloud;whiteSpace=wrap;html=0;"
		}
		fmt.Fprintf(&b, "<mxCell id=\"n%d\" value=\"%s\" style=\"%s\" vertex=\"1\" parent=\"1\"><mxGeometry x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" as=\"geometry\"/></mxCell>\n",
			i, escape(strings.Join(append([]string{n.Name}, n.Lines...), "\n")), style, n.X, n.Y, n.W, n.H)
	}
	for i, l := range p.Links {
		style := "edgeStyle=orthogonalEdgeStyle;endArrow=none;html=0;"
		if l.Down != "" || l.Kind == api.LinkShared {
			style += "dashed=1;"
		}
		label := l.Label
		if label == "" {
			label = l.Interface
		}
		fmt.Fprintf(&b, "<mxCell id=\"l%d\" value=\"%s\" style=\"%s\" edge=\"1\" parent=\"1\" source=\"n%d\" target=\"n%d\"><mxGeometry relative=\"1\" as=\"geometry\"/></mxCell>\n",
			i, escape(label), style, index(p, l.From), index(p, l.To))
	}
	b.WriteString("</root></mxGraphModel></diagram></mxfile>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// index is where a node stands in its picture.
func index(p *api.Picture, id string) int {
	return slices.IndexFunc(p.Nodes, func(n api.Node) bool { return n.ID == id })
}
