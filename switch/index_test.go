package vswitch_test

import (
	"sync"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// TestLookupDuringChange looks up a station again and again while the table grows, shrinks and moves that very station from
// port to port: it is known behind one or the other all the time.
func TestLookupDuringChange(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
	red, blue := l.ports["RED"], l.ports["BLUE"]
	station := frameOf(nearest, host(1), 60)
	l.Input(red, station, l.now)
	var done sync.WaitGroup
	stop := make(chan struct{})
	done.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			l.Input([]*vswitch.Port{blue, red}[i%2], station, l.now.Add(time.Duration(i)))
			l.Input(red, frameOf(nearest, host(100+i%5000), 60), l.now)
			if i%997 == 0 {
				l.FDB().Remove(host(100))
			}
		}
	})
	to := frameOf(host(1), gateway, 60)
	for range 20000 {
		l.Output(to, nil, l.now)
	}
	close(stop)
	done.Wait()
	if got := l.links["GREEN"].take(); len(got) != 0 {
		t.Errorf("%d frames were flooded", len(got))
	}
}

// TestChainsStayShort: addresses that differ in some of their bits only are spread over the table all the same.
func TestChainsStayShort(t *testing.T) {
	const stations = 20_000
	for shift := 0; shift <= 24; shift += 4 {
		l := newLab(t, vswitch.Config{MaxLearned: stations}, "RED")
		f := frameOf(nearest, host(1), 60)
		for i := range stations {
			n := uint64(i) << shift
			mac := frame.MAC{2 | byte(n>>38)&^3, byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
			frame.Ethernet(f.Data).SetHeader(nearest, mac, frame.TypeIPv4)
			l.Input(l.ports["RED"], f, l.now)
		}
		if got := l.FDB().LongestChain(); got > 24 { // about 8 is usual, 16 once in a million tables
			t.Errorf("bits from %d on: %d addresses in one chain", shift, got)
		}
	}
}
