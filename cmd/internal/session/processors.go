package session

import (
	"os"
	"runtime"
)

// leaveProcessors leaves half of the processors to the programs that the lab connects, which need them for every byte that
// uswitch carries; one is the least that uswitch works with. More would hardly make it faster: each packet is a hand-over
// between goroutines, and Go wakes a thread for it wherever a processor is idle, which on a machine of two takes longer
// than the work. A stream inward is a third faster for it, and a new connection costs half (README, How fast).
//
// Whoever sets GOMAXPROCS is obeyed.
func leaveProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
	}
}
