package sim

import (
	"math/rand/v2"
	"sync"
	"time"

	"uswitch/switch/frame"
)

// WireConfig says how good a cable is. The zero value is a perfect one without length.
type WireConfig struct {
	Latency   time.Duration // one way
	Loss      float64       // probability that a frame is lost, 0 to 1
	Duplicate float64       // probability that a frame arrives twice
	Reorder   float64       // probability that a frame takes twice the latency, so that later ones overtake it
}

// Wire is a cable between a host and a port of a switch. It is the port's Link: what the port writes reaches the host,
// and what the host sends reaches the port, each after the cable's latency. Chance decides about losses, with the
// random numbers that the wire was given. It belongs to the scheduler's goroutine, except for Read and Close.
type Wire struct {
	time   Scheduler
	random *rand.Rand
	config WireConfig
	down   bool
	host   func(frame.Frame) // takes the frame as its own
	port   func(frame.Frame)

	close  sync.Once
	closed chan struct{}
}

// NewWire makes a cable that is up, with both ends loose.
func NewWire(s Scheduler, random *rand.Rand, config WireConfig) *Wire {
	nobody := func(frame.Frame) {}
	return &Wire{time: s, random: random, config: config, host: nobody, port: nobody, closed: make(chan struct{})}
}

// PlugHost puts the host's end into a network interface: receive takes every frame that arrives, and may keep it.
func (w *Wire) PlugHost(receive func(frame.Frame)) { w.host = receive }

// PlugPort puts the other end into a switch: receive is called with every frame that arrives, which it may keep. For a
// vswitch.Port it calls Switch.Input.
func (w *Wire) PlugPort(receive func(frame.Frame)) { w.port = receive }

// SetUp says whether the host's interface is up. A cable that is down takes nothing, and what is under way in it is lost.
func (w *Wire) SetUp(up bool) { w.down = !up }

// Up reports whether the host's interface is up.
func (w *Wire) Up() bool { return !w.down }

// Ready implements vswitch.Carrier.
func (w *Wire) Ready() bool { return !w.down && !w.isClosed() }

// Write implements vswitch.Link: a frame goes from the port to the host. It is copied.
func (w *Wire) Write(f frame.Frame) error { return w.carry(f, &w.host) }

// Send carries a frame from the host to the port. It is copied. The errors are those of Write.
func (w *Wire) Send(f frame.Frame) error { return w.carry(f, &w.port) }

// Read implements vswitch.Link, for the sake of the interface: the wire itself brings frames to the port, so Read only
// waits until Close and returns frame.ErrLinkGone.
func (w *Wire) Read() (frame.Frame, error) {
	<-w.closed
	return frame.Frame{}, frame.ErrLinkGone
}

// Close implements vswitch.Link.
func (w *Wire) Close() error {
	w.close.Do(func() { close(w.closed) })
	return nil
}

func (w *Wire) carry(f frame.Frame, end *func(frame.Frame)) error {
	switch {
	case w.isClosed():
		return frame.ErrLinkGone
	case w.down:
		return frame.ErrLinkDown
	case w.chance(w.config.Loss):
		return nil // nobody at the near end knows
	}
	copies := 1
	if w.chance(w.config.Duplicate) {
		copies = 2
	}
	for range copies {
		kept, delay := f.Clone(), w.config.Latency
		if w.chance(w.config.Reorder) {
			delay *= 2
		}
		w.time.After(delay, func() {
			if !w.down && !w.isClosed() {
				(*end)(kept)
			}
		})
	}
	return nil
}

// chance throws the dice; where nothing is at stake no random number is used up.
func (w *Wire) chance(p float64) bool { return p > 0 && w.random.Float64() < p }

func (w *Wire) isClosed() bool {
	select {
	case <-w.closed:
		return true
	default:
		return false
	}
}

// DefaultLatency is about what a frame takes through a TAP.
const DefaultLatency = 50 * time.Microsecond
