package vswitch

import (
	"sync/atomic"
	"time"
)

// bucket limits a rate without a lock. It is the generic cell rate algorithm (ITU-T I.371): one number, the moment at
// which the bucket would be empty again, moves forward by one interval for each frame; a frame that would move it more
// than a second ahead of now is too many. The zero value is an empty bucket.
type bucket struct{ full atomic.Int64 }

// take reports whether one more frame is within perSecond (with a burst of as many) at that age.
func (b *bucket) take(perSecond int, now time.Duration) bool {
	interval := int64(time.Second) / int64(perSecond)
	for {
		before := b.full.Load()
		start := max(before, int64(now))
		if before > int64(now+2*time.Second) {
			start = int64(now) // no frame has moved it that far: the clock went back
		}
		after := start + interval
		if after > int64(now+time.Second) {
			return false
		}
		if b.full.CompareAndSwap(before, after) {
			return true
		}
	}
}
