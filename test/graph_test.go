package test

import (
	"testing"
)

// TestGraph draws a lab that nobody has brought up, and one that is: both say who is there, and that is the same to the byte each time.
func TestGraph(t *testing.T) {
	t.Parallel()
	l := newLab(t, redBlue)
	first := l.do("graph", l.file, "-o", "mermaid")
	contains(t, first, "flowchart LR", l.ns("RED"), "11.11.11.3", "gateway", "internet (simulated)")
	if l.do("graph", l.file, "-o", "mermaid") != first {
		t.Error("two drawings of one file differ")
	}
	contains(t, l.do("graph", l.file), "<svg", l.ns("BLUE"))
	if _, said, status := l.try("graph", l.file, "-o", "png"); status != 2 {
		t.Errorf("-o png: status %d: %s", status, said)
	}
}
