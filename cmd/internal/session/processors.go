package session

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"

	"uswitch/nat/uplink"
	"uswitch/tap"
)

// processors is how many processors a lab on real interfaces takes: half of the machine's, at least one, and leaves the others to
// the programs that it connects, which need them for every byte that uswitch carries. With more it would hardly be faster:
// each packet is a hand-over between goroutines, and Go wakes a thread for it wherever a processor is idle, which costs more
// than the work. A new connection takes up to twice the processor time then (uswitch help speed).
//
// It is different when many streams come in at a time. Each of them is work without end for one goroutine, so there are as
// many processors as there are such streams, up to all.
//
// What it takes it has before those programs (tap.Precede), for all of them wait for what it carries.
//
// Whoever sets GOMAXPROCS is obeyed.
type processors struct {
	half, all int
	set       func(n int)
	streams   *uplink.Streams
}

const (
	look     = 20 * time.Millisecond // from one look at the streams to the next, while there are any
	debounce = 10                    // looks in a row that have to see fewer of them before processors are given back
)

// leaveProcessors leaves half of the processors until giveBack. streams is for world.Options; it is nil if there is nothing to
// leave: somebody else decides, or the lab's programs are in this process as well.
func (s *session) leaveProcessors(ctx context.Context) (streams *uplink.Streams, giveBack func()) {
	if s.Simulated {
		return nil, func() {}
	}
	tap.Precede() // where it may
	if os.Getenv("GOMAXPROCS") != "" {
		return nil, func() {}
	}
	all := runtime.GOMAXPROCS(0)
	p := newProcessors(max(1, all/2), all, func(n int) { runtime.GOMAXPROCS(n) })
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { p.run(ctx) })
	return p.streams, func() {
		stop()
		running.Wait()
		runtime.SetDefaultGOMAXPROCS()
	}
}

func newProcessors(half, all int, set func(n int)) *processors {
	set(half)
	return &processors{half: half, all: all, set: set, streams: uplink.NewStreams()}
}

// run follows the streams until ctx ends. While there are none, nothing is looked at.
func (p *processors) run(ctx context.Context) {
	for {
		select {
		case <-p.streams.Begun():
			p.follow(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// follow adapts the number of processors while there are streams. What three looks in a row see is believed; what lasts no
// longer than from one look to the next, two of them may see.
func (p *processors) follow(ctx context.Context) {
	now, before, peak, fewer := p.half, [2]int{}, p.half, 0
	for {
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return
		}
		streams := p.streams.Look()
		n := min(max(p.half, streams), p.all)
		switch lasting := min(n, before[0], before[1]); {
		case lasting > now:
			now, peak, fewer = lasting, p.half, 0
			p.set(now)
		case n < now:
			if peak, fewer = max(peak, n), fewer+1; fewer == debounce {
				now, peak, fewer = peak, p.half, 0
				p.set(now)
			}
		case streams == 0:
			return
		default:
			peak, fewer = p.half, 0
		}
		before = [2]int{n, before[0]}
	}
}
