package world

import (
	"fmt"
	"sync"
	"time"
)

// faultPause is how long what a fault has taken out of use stays so.
const faultPause = time.Second

// faults tells of panics that were contained: of the first at once, with its stack, and from then on of no more than one in
// faultsEvery, with the number of those that nobody was told of.
type faults struct {
	say func(string)
	now func() time.Time

	mu     sync.Mutex // guards what follows
	told   time.Time
	untold int
}

const faultsEvery = 10 * time.Second

// tell may be called from any goroutine, whatever lock that holds, and does not wait for whoever reads.
func (f *faults) tell(err error) {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.told.IsZero() && now.Sub(f.told) < faultsEvery {
		f.untold++
		return
	}
	line := fmt.Sprintf("a fault in uswitch itself, which the lab goes on without: %v", err)
	if f.untold > 0 {
		line = fmt.Sprintf("%d more faults like the last one; %s", f.untold, line)
	}
	f.told, f.untold = now, 0
	go f.say(line)
}
