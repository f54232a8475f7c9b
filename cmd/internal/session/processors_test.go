package session

import (
	"runtime"
	"testing"
)

// TestLeaveProcessors: half of them, at least one, and what a person has said goes before that.
func TestLeaveProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for has, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 16: 8} {
		t.Setenv("GOMAXPROCS", "")
		runtime.GOMAXPROCS(has)
		leaveProcessors()
		if got := runtime.GOMAXPROCS(0); got != want {
			t.Errorf("of %d processors %d are used, want %d", has, got, want)
		}
		t.Setenv("GOMAXPROCS", "3")
		runtime.GOMAXPROCS(has)
		leaveProcessors()
		if got := runtime.GOMAXPROCS(0); got != has {
			t.Errorf("GOMAXPROCS has been set, and %d processors became %d", has, got)
		}
	}
}
