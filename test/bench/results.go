//go:build linux

package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// results is everything that was measured so far.
type results struct {
	machine  string
	missing  []string
	chapters []*table
	ports    []portsRow
	floods   []*floodRow
	growth   []growthRow
	lookup   float64 // nanoseconds: one look-up among lookupEntries addresses
}

// table is what was measured of a chapter.
type table struct {
	chapter
	values map[key]map[int]sample // by round
}

type key struct{ cell, subject string }

type sample struct {
	value float64
	spent cost
}

func (r *results) chapter(c chapter) *table {
	t := &table{chapter: c, values: map[key]map[int]sample{}}
	r.chapters = append(r.chapters, t)
	return t
}

func (t *table) add(c cell, s subject, round int, value float64, spent cost) {
	k := key{c.name, s.name}
	if t.values[k] == nil {
		t.values[k] = map[int]sample{}
	}
	t.values[k][round] = sample{value, spent}
}

// median returns the median over the rounds of what of takes from a sample; ok is false if there is none.
func (t *table) median(k key, of func(sample) (float64, bool)) (m float64, ok bool) {
	var all []float64
	for _, s := range t.values[k] {
		if v, ok := of(s); ok {
			all = append(all, v)
		}
	}
	return median(all), len(all) > 0
}

func value(s sample) (float64, bool) { return s.value, true }

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}

// ratios returns a goal's ratio in each round, sorted: to the best of the others in the same round.
func (t *table) ratios(g goal) (all []float64) {
	for round, own := range t.values[key{g.cell, g.subject}] {
		best := 0.0
		for _, other := range g.beside {
			v := t.values[key{g.cell, other}][round].value
			if v > 0 && (best == 0 || g.atMost == 0 && v > best || g.atMost > 0 && v < best) {
				best = v
			}
		}
		if best > 0 && own.value > 0 {
			all = append(all, own.value/best)
		}
	}
	slices.Sort(all)
	return all
}

// interval returns the bounds between which the median of all rounds that there could be lies, with a probability of 95 % or more.
// It takes nothing for granted but that each round is as likely above it as below (the sign test): so many of the sorted values as
// would be on one side of it once in forty times are left out at each end. ok is false for fewer than six values.
func interval(sorted []float64) (low, high float64, ok bool) {
	n := len(sorted)
	out, each, sum := -1, math.Pow(0.5, float64(n)), 0.0 // each: of this many on one side
	for k := range n {
		if sum += each; sum > 0.025 {
			break
		}
		out, each = k, each*float64(n-k)/float64(k+1)
	}
	if out < 0 {
		return 0, 0, false
	}
	return sorted[out], sorted[n-1-out], true
}

// reached reports whether a ratio is what the goal asks for.
func (g goal) reached(ratio float64) bool {
	return (g.atLeast == 0 || ratio >= g.atLeast) && (g.atMost == 0 || ratio <= g.atMost)
}

// write writes all that there is so far, and prints it.
func (r *results) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var text strings.Builder
	r.markdown(&text)
	if err := os.WriteFile(filepath.Join(dir, "bench.md"), []byte(text.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "bench.svg"), []byte(r.svg()), 0o644)
}
