//go:build linux

package main

import "testing"

// TestInterval: as many values are left out at each end as tables of the sign test say.
func TestInterval(t *testing.T) {
	for n, out := range map[int]int{5: -1, 6: 0, 8: 0, 9: 1, 12: 2, 20: 5} {
		var sorted []float64
		for i := range n {
			sorted = append(sorted, float64(i))
		}
		low, high, ok := interval(sorted)
		if ok != (out >= 0) || ok && (low != float64(out) || high != float64(n-1-out)) {
			t.Errorf("of %d values: %v to %v, %v; want %d left out at each end", n, low, high, ok, out)
		}
	}
}
