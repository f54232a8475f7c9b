package vswitch

import "time"

// Burster is a Link that knows whether its last Read had to wait, or found the frame there already. Run then asks for the
// time less often.
type Burster interface {
	Waited() bool
}

// burst is how many frames that came one behind the other share a time: so few that what is measured in seconds is still
// right, and so many that asking for the time no longer shows in a profile.
const burst = 8

// clock tells the time of each frame of a port. For a small frame time.Now would be a noticeable part of its cost: it asks
// the wall clock and the monotonic one. This one asks the wall clock once a second, which is often enough to follow its
// adjustments, and in a burst neither.
type clock struct {
	link  Burster // nil: nothing is known of bursts
	asked time.Time
	last  time.Time
	left  int // frames that may still share last
}

func newClock(l Link) clock {
	c := clock{asked: time.Now()}
	c.link, _ = l.(Burster)
	return c
}

// waited reports whether the frame that was just read had to be waited for; false where that is not known.
func (c *clock) waited() bool { return c.link != nil && c.link.Waited() }

// now returns the time for the frame that was just read. With exact it is the frame's own: a person will look at it.
func (c *clock) now(exact bool) time.Time {
	if c.left > 0 && !exact && !c.link.Waited() {
		c.left--
		return c.last
	}
	if c.link != nil {
		c.left = burst - 1
	}
	if since := time.Since(c.asked); since < time.Second {
		c.last = c.asked.Add(since)
	} else {
		c.asked = time.Now()
		c.last = c.asked
	}
	return c.last
}
