package session

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestProcessors: as many processors as there are streams, half of all at least, and no sooner or later than is worth it.
func TestProcessors(t *testing.T) {
	const half, all = 2, 4
	for _, test := range []struct {
		name   string
		happen func(streams func(to int))
		want   []int // that were set, one behind the other
	}{
		{"few streams", func(streams func(int)) {
			streams(half)
		}, []int{2}},
		{"many streams, and none", func(streams func(int)) {
			streams(3)
			time.Sleep(time.Second)
			streams(0)
		}, []int{2, 3, 2}},
		{"more than there are processors", func(streams func(int)) {
			streams(10)
			time.Sleep(time.Second)
			streams(3)
		}, []int{2, 4, 3}},
		{"many for a moment", func(streams func(int)) {
			for range 10 {
				streams(3)
				time.Sleep(look / 2)
				streams(1)
				time.Sleep(4 * look)
			}
		}, []int{2}},
		{"a pause", func(streams func(int)) {
			for range 10 {
				streams(4)
				time.Sleep(time.Second)
				streams(1)
				time.Sleep((debounce - 5) * look)
			}
		}, []int{2, 4, 2}},
		{"twice", func(streams func(int)) {
			for range 2 {
				streams(4)
				time.Sleep(time.Second)
				streams(1)
				time.Sleep(time.Minute)
			}
		}, []int{2, 4, 2, 4, 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var set []int
				p := newProcessors(half, all, func(n int) { set = append(set, n) })
				go p.run(t.Context())
				var streams atomic.Int32
				go func() {
					var counted [10]uint32
					for {
						for i := range streams.Load() {
							p.streams.Carried(&counted[i])
						}
						select {
						case <-time.After(look / 8):
						case <-t.Context().Done():
							return
						}
					}
				}()
				test.happen(func(n int) { streams.Store(int32(n)) })
				time.Sleep(time.Minute)
				synctest.Wait()
				if !slices.Equal(set, test.want) {
					t.Errorf("set %v, want %v", set, test.want)
				}
			})
		})
	}
}
