package uplink

import "sync/atomic"

// Streams counts the streams that come in and carry much, from one look to the next: those that have carried some meanwhile,
// however often. One that waits for a slow reader is none. Methods may be called concurrently.
type Streams struct {
	looks  atomic.Uint32
	active atomic.Int32 // since the last look
	begun  chan struct{}
}

// NewStreams returns an empty count.
func NewStreams() *Streams { return &Streams{begun: make(chan struct{}, 1)} }

// Begun gives a sign when there are streams to be looked at, or have been a moment ago.
func (s *Streams) Begun() <-chan struct{} { return s.begun }

// Look returns how many there were since the last look.
func (s *Streams) Look() int {
	s.looks.Add(1)
	return int(s.active.Swap(0))
}

// Carried counts a stream that has just carried much. at is the stream's own, and says after which look it was counted last;
// it begins with 0.
func (s *Streams) Carried(at *uint32) {
	now := s.looks.Load() + 1
	if *at == now {
		return
	}
	*at = now
	if s.active.Add(1) == 1 {
		select {
		case s.begun <- struct{}{}:
		default:
		}
	}
}
