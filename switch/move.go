package vswitch

import "time"

// movesTold bounds how many moves of one station a second the trace hears of. A station that is plugged elsewhere, or
// taken over by a spare, moves a few times; one that moves on and on stands for a loop, or for two stations with one
// address, and would fill the trace with one sentence.
const movesTold = 10

// flaps follows a station that moves. The table's lock guards it.
type flaps struct {
	told   bucket
	untold uint32 // since the last one that was told of
}

// move notes that a station was heard behind another port than e says. It needs the lock.
func (t *FDB) move(e *entry, now time.Duration) (finding, *flaps) {
	t.moves++
	f := e.flaps
	if f == nil {
		f = new(flaps)
	}
	if !f.told.take(movesTold, now) {
		f.untold++
		return finding{outcome: refreshed}, f
	}
	found := finding{outcome: moved, from: e.port.name, untold: f.untold}
	f.untold = 0
	return found, f
}

// Moves returns how often a station was heard behind another port than before.
func (t *FDB) Moves() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moves
}
