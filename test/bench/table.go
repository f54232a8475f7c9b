package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// table collects what was measured.
type table struct {
	cells  []cell
	values map[string]map[string][]float64 // by cell and subject
}

func newTable() *table { return &table{values: map[string]map[string][]float64{}} }

func (t *table) add(c cell, subject string, value float64) {
	if t.values[c.name] == nil {
		t.cells = append(t.cells, c)
		t.values[c.name] = map[string][]float64{}
	}
	t.values[c.name][subject] = append(t.values[c.name][subject], value)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// print writes the medians as a Markdown table, each with its ratio to the reference.
func (t *table) print(w io.Writer, machine string) {
	fmt.Fprintf(w, "\n%s. Medians; in brackets the ratio to the bare cable over the same cards.\n\n", machine)
	names := []string{}
	for _, s := range subjects() {
		names = append(names, s.name)
	}
	fmt.Fprintf(w, "| between two namespaces | %s | goal |\n", strings.Join(names, " | "))
	fmt.Fprintf(w, "| --- |%s --- |\n", strings.Repeat(" --- |", len(names)))
	for _, c := range t.cells {
		fmt.Fprintf(w, "| %s (%s) |", c.name, c.unit)
		for _, s := range subjects() {
			value := median(t.values[c.name][s.name])
			fmt.Fprintf(w, " %.4g (%.2f) |", value, value/median(t.values[c.name][s.against]))
		}
		fmt.Fprintf(w, " %s |\n", c.goal)
	}
}

// machine describes where this was measured.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, found := strings.CutPrefix(line, "model name"); found {
				model = strings.TrimSpace(strings.TrimLeft(name, " \t:"))
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d x %s, Linux %s, %s", runtime.NumCPU(), model, strings.TrimSpace(string(kernel)), runtime.Version())
}
