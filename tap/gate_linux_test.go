package tap

import (
	"sync"
	"testing"
	"time"
)

// TestGate: whoever gives way goes on, alone, in a crowd in which one comes back again and again, and when the Host is closed.
func TestGate(t *testing.T) {
	t.Parallel()
	var g gate
	g.open()
	if g.file == nil {
		t.Fatal("no eventfd")
	}
	g.yield()
	var crowd sync.WaitGroup
	stop := make(chan struct{})
	crowd.Go(func() { // a flood: it is back before anybody else has moved
		for {
			select {
			case <-stop:
				return
			default:
				g.yield()
			}
		}
	})
	done := make(chan struct{})
	var others sync.WaitGroup
	for range 8 {
		others.Go(func() {
			for range 1000 {
				g.yield()
			}
		})
	}
	go func() { others.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("somebody never had a turn")
	}
	close(stop)
	crowd.Wait()
	g.close()
	g.yield()
}
