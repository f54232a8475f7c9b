//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// markdown writes the tables: of each chapter the medians, then the goals.
func (r *results) markdown(w io.Writer) {
	fmt.Fprintf(w, "# uswitch beside its peers\n\n%s.\n\nMedians. Subjects took turns; only ratios within this run mean anything.\n", r.machine)
	if len(r.missing) > 0 {
		fmt.Fprintf(w, "\nNot to be had here, and so not measured: %s.\n", strings.Join(r.missing, ", "))
	}
	for _, t := range r.chapters {
		if len(t.values) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n## %s\n\n", t.title)
		t.medians(w)
		t.costs(w)
		t.judge(w)
	}
	r.floodTable(w)
	r.portsTable(w)
	r.growthTable(w)
}

// medians writes a row for each subject.
func (t *table) medians(w io.Writer) {
	cells := t.measured()
	fmt.Fprint(w, "| |")
	for _, c := range cells {
		fmt.Fprintf(w, " %s, %s |", c.name, c.unit)
	}
	fmt.Fprintf(w, "\n| --- |%s\n", strings.Repeat(" ---: |", len(cells)))
	for _, s := range t.subjects {
		row, any := "", false
		for _, c := range cells {
			v, ok := t.median(key{c.name, s.name}, value)
			row, any = row+" "+number(v, ok)+" |", any || ok
		}
		if any {
			fmt.Fprintf(w, "| %s |%s\n", s.name, row)
		}
	}
}

// measured returns the cells that something was measured of.
func (t *table) measured() (cells []cell) {
	for _, c := range t.chapter.cells {
		for _, s := range t.subjects {
			if len(t.values[key{c.name, s.name}]) > 0 {
				cells = append(cells, c)
				break
			}
		}
	}
	return cells
}

// number writes three digits that count.
func number(v float64, ok bool) string {
	switch {
	case !ok:
		return "-"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// costs writes what the processes of each subject spent: nanoseconds of a processor for a byte, microseconds for a packet
// or a transaction, and how often they slept and read or wrote for it. What the kernel does for the programs at both ends is theirs.
func (t *table) costs(w io.Writer) {
	t.costTable(w, "Processor time of the subject's own processes, for each byte (ns) or packet, connection, round trip (us)", perUnit)
	if t.title != toTheHostTitle && t.title != publishedTitle {
		return
	}
	t.costTable(w, "Sleeps of their threads, for each connection and round trip", ofUnits(func(c cost) float64 { return c.sleeps }))
	t.costTable(w, "System calls that read or write (read, write and their kind, without recvmsg and sendmsg)",
		ofUnits(func(c cost) float64 { return c.calls }))
}

// costTable writes one table, a row for each subject that has spent something.
func (t *table) costTable(w io.Writer, head string, of func(sample) (float64, bool)) {
	cells := t.measured()
	var rows strings.Builder
	for _, s := range t.subjects {
		row, any := "", false
		for _, c := range cells {
			v, ok := t.median(key{c.name, s.name}, of)
			row, any = row+" "+number(v, ok)+" |", any || ok
		}
		if any {
			fmt.Fprintf(&rows, "| %s |%s\n", s.name, row)
		}
	}
	if rows.Len() == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n\n| |", head)
	for _, c := range cells {
		fmt.Fprintf(w, " %s |", c.name)
	}
	fmt.Fprintf(w, "\n| --- |%s\n%s", strings.Repeat(" ---: |", len(cells)), rows.String())
}

// ofUnits is what was spent for each connection or round trip; of streams there is none.
func ofUnits(what func(cost) float64) func(sample) (float64, bool) {
	return func(s sample) (float64, bool) {
		if s.spent.units == 0 || s.spent.time == 0 {
			return 0, false
		}
		return what(s.spent) / s.spent.units, true
	}
}

func perUnit(s sample) (float64, bool) {
	switch spent := s.spent; {
	case spent.time == 0:
		return 0, false
	case spent.bytes > 0:
		return float64(spent.time.Nanoseconds()) / spent.bytes, true
	case spent.units > 0:
		return float64(spent.time.Microseconds()) / spent.units, true
	}
	return 0, false
}

// judge writes the goals, and which are not reached.
func (t *table) judge(w io.Writer) {
	fmt.Fprint(w, "\n| goal | beside | ratio | 95 % | to reach | |\n| --- | --- | ---: | ---: | ---: | --- |\n")
	for _, g := range t.goals {
		all := t.ratios(g)
		if len(all) == 0 {
			continue
		}
		ratio, sure := median(all), "-"
		if low, high, ok := interval(all); ok {
			sure = fmt.Sprintf("%.2f to %.2f", low, high)
		}
		bound, mark := fmt.Sprintf("≥ %.2f", g.atLeast), "reached"
		if g.atMost > 0 {
			bound = fmt.Sprintf("≤ %.2f", g.atMost)
		}
		if !g.reached(ratio) {
			mark = "**not reached**"
		}
		fmt.Fprintf(w, "| %s: %s | %s | %.2f | %s | %s | %s |\n", g.subject, g.cell, cmp.Or(g.name, g.beside[0]), ratio, sure, bound, mark)
	}
}
