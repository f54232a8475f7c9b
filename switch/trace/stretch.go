package trace

import (
	"slices"
	"time"
)

// journey is a stretch of one: the steps from Begin or Resume to End, which share their time.
type journey struct {
	packet uint64
	time   time.Time
	parked bool // it waits for something: what comes later is another stretch, but for more pieces that wait too
	steps  []Event
}

// keepBytes of each frame are all that a head or a sentence reads.
const keepBytes = 256

func (j *journey) add(e *Event) {
	n := len(j.steps)
	j.steps = slices.Grow(j.steps, 1)[:n+1]
	s := &j.steps[n]
	data := append(s.Frame.Data[:0], e.Frame.Data[:min(len(e.Frame.Data), keepBytes)]...)
	*s = *e
	s.Length, s.Frame.Data = e.length(), data
	j.parked = e.Verdict == Queue
}

// journeyOf returns the stretch that e belongs to, a new one if need be.
func (p *Printer) journeyOf(e *Event) *journey {
	for _, j := range slices.Backward(p.open) {
		if j.packet == e.Packet && j.time.Equal(e.Time) && (!j.parked || e.Verdict == Queue) {
			return j
		}
	}
	j := new(journey)
	if n := len(p.spare); n > 0 {
		j, p.spare = p.spare[n-1], p.spare[:n-1]
	}
	*j = journey{packet: e.Packet, time: e.Time, steps: j.steps[:0]}
	p.open = append(p.open, j)
	return j
}
