package vswitch

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Run reads the link and carries each frame through the switch until the link ends or the code panics: on a frame that
// came in here, or in the link when a frame was to go out. It then unplugs the port, so that the fault stays its own. It
// returns what ended it, nil when the port was detached.
func (p *Port) Run() (err error) {
	defer func() {
		p := p.last()
		detached := p.gone.Load()
		closing := p.sw.Detach(p)
		switch fault := p.fault.Load(); {
		case fault != nil:
			err = *fault
		case detached:
			err = nil
		default:
			err = errors.Join(err, closing)
		}
	}()
	defer func() { p.last().containing(recover()) }()
	clock, turn := newClock(p.link), newTurn(p.link)
	for {
		f, err := p.link.Read()
		if err != nil {
			return err
		}
		size := len(f.Data)
		if next := p.next.Load(); next != nil {
			p = p.last()
		}
		p.sw.Input(p, f, clock.now(p.sw.tracer.Listening()))
		turn.took(size, clock.waited())
	}
}

// Carry carries a frame through the switch, as Run does with one that it has read: for a link that brings its frames itself, and
// whose Read only waits for its end.
func (p *Port) Carry(f frame.Frame, now time.Time) {
	defer p.contain()
	p.sw.Input(p, f, now)
}

// contain, deferred, unplugs the port if the code that carries one of its frames panics.
func (p *Port) contain() { p.containing(recover()) }

// containing is contain with what was recovered.
func (p *Port) containing(fault any) {
	if fault != nil {
		p.sw.tracer.Count(trace.PortFault)
		p.fail(fault)
	}
}

// ErrFault is what Run returns, wrapped, when a panic has ended it.
var ErrFault = errors.New("failed on a frame")

// write hands a frame to the link. The panic of a link unplugs its own port, not the one that the frame came from.
func (p *Port) write(f frame.Frame) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			p.fail(fault)
			err = ErrFault
		}
	}()
	return p.link.Write(f)
}

// fail unplugs a port because of a panic. Run returns the first one.
func (p *Port) fail(fault any) {
	err := fmt.Errorf("port %s %w: %v\n%s", p.name, ErrFault, fault, debug.Stack())
	p.fault.CompareAndSwap(nil, &err)
	p.sw.Detach(p)
}

// hold gives a frame that arrived at p to whoever steps through such frames, if anybody wants it. A fault in it is the
// port's, as in Run.
func (s *Switch) hold(p *Port, f frame.Frame, j *trace.Journey) bool {
	e := trace.Event{Hook: trace.Ingress, Where: s.name, Port: p.name, Frame: f}
	return j.Hold(e, f, func(f frame.Frame, j *trace.Journey, now time.Time) {
		defer p.contain()
		s.input(p, f, j, now)
	})
}

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
