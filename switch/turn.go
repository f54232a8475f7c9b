package vswitch

import (
	"runtime"
	"time"
)

// Yielder is a Link that knows better than the runtime how its reader gives way: to every other link that has a frame, and to
// whoever else is ready.
type Yielder interface {
	Yield()
}

// A turn is what a port may carry before it lets others have theirs. Whoever has a frame now and then is never asked to wait;
// who always has another one is a flood, or a stream that would go on without end, and they all share what there is.
//
// It is deficit round robin (Shreedhar and Varghese, 1995), where a round is whatever the scheduler makes of it: the budget
// is in frames and bytes, and a frame that takes more than is left is carried all the same; what it takes too much is owed,
// and taken from the next turn. A turn is long while nobody else has anything to do, for a yield has a price. It is short once
// somebody had, during the yield before it, and then it is in time as well: a frame that makes the gateway begin a connection
// takes ten times as long as one that goes from port to port, and a sender is to have no more of the gateway than of the switch.
const (
	shortFrames, longFrames = 8, 64
	shortBytes, longBytes   = 64 << 10, 256 << 10
	shortTime               = 10 * time.Microsecond

	// busy is how long a yield takes at the least during which somebody else has carried something: more than a yield alone,
	// less than a super-frame.
	busy = 10 * time.Microsecond
)

// turn is kept by the goroutine that reads a port.
type turn struct {
	yield         func()
	frames, bytes int       // left; negative: owed
	short         bool      // the turn
	began         time.Time // of a short turn
}

func newTurn(l Link) turn {
	t := turn{yield: runtime.Gosched, frames: longFrames, bytes: longBytes}
	if y, ok := l.(Yielder); ok {
		t.yield = y.Yield
	}
	return t
}

// took accounts for a frame of that many bytes that was carried, and returns when the port may read the next one. waited
// says that the frame had to be waited for: that was a yield as well.
func (t *turn) took(size int, waited bool) {
	if waited {
		t.begin(false, time.Time{})
	}
	t.frames--
	t.bytes -= size
	for t.frames <= 0 || t.bytes <= 0 || t.short && time.Since(t.began) >= shortTime {
		start := time.Now()
		t.yield()
		now := time.Now()
		t.begin(now.Sub(start) >= busy, now)
	}
}

// begin begins a turn, with a budget less what is owed.
func (t *turn) begin(short bool, now time.Time) {
	frames, bytes := longFrames, longBytes
	if t.short = short; short {
		frames, bytes, t.began = shortFrames, shortBytes, now
	}
	t.frames = frames + min(t.frames, 0)
	t.bytes = bytes + min(t.bytes, 0)
}
