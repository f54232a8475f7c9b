package session

import (
	"os"
	"runtime"
)

// leaveProcessors makes this process use half of the processors that it has, at least one, unless GOMAXPROCS says how many.
// Every frame comes from a program of the lab and goes to another one, and both need a processor at that moment. With one
// more for itself than it can fill, Go's runtime wakes a thread for each goroutine that becomes ready, to take over work
// that would have been done sooner without it; on two processors that doubled the time of a connection through NAT and took
// a third of the throughput (test/bench).
func leaveProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
	}
}
