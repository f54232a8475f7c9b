package vswitch_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// busyLink always has another frame, of the same size, until it has had so many; it notes how many were read before each yield.
type busyLink struct {
	*link
	size, left int
	others     time.Duration // what the others do with each yield
	turn       int
	turns      []int
}

func (l *busyLink) Read() (frame.Frame, error) {
	if l.left--; l.left < 0 {
		return l.link.Read()
	}
	l.turn++
	return frameOf(gateway, host(1), l.size), nil
}

func (l *busyLink) Yield() {
	l.turns = append(l.turns, l.turn)
	l.turn = 0
	time.Sleep(l.others)
}

// TestTurn: a port that always has another frame lets others have their turn, by frames and by bytes, sooner once they have
// something to do; and a frame that is larger than what is left is paid for in the next turn.
func TestTurn(t *testing.T) {
	for _, c := range []struct {
		size   int
		others time.Duration // of the others, during each yield
		takes  time.Duration // of the station, for each frame
		want   []int         // frames before each yield
	}{
		{size: 60, want: []int{64, 64, 64}},
		{size: 60, others: time.Millisecond, want: []int{64, 8, 8, 8, 8, 8}},
		{size: 60, others: time.Millisecond, takes: 9 * time.Microsecond, want: []int{64, 2, 2, 2, 2, 2}},
		{size: 1500, want: []int{64, 64, 64}},
		{size: 50_000, want: []int{6, 5, 5}},
		{size: 50_000, others: time.Millisecond, want: []int{6, 1, 1, 2, 1, 1}},
		{size: 60_000, others: time.Millisecond, want: []int{5, 1, 1, 1, 1, 1}},
	} {
		t.Run(fmt.Sprintf("%d bytes, others %v, takes %v", c.size, c.others, c.takes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, vswitch.Config{Epoch: time.Now()})
				l.SetLocal(gateway, stationFunc(func(time.Time) { time.Sleep(c.takes) }))
				busy := &busyLink{link: newLink(), size: c.size, left: 400, others: c.others}
				p, err := l.Attach("RED", busy, vswitch.DefaultFlags())
				if err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- p.Run() }()
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := busy.turns[:len(c.want)]; !slices.Equal(got, c.want) {
					t.Errorf("turns %v, want %v", got, c.want)
				}
				l.Detach(p)
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
