package vxlan

import (
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// arrive hands a frame to the switch: what it came in tells where its sender lives. outer is that of its first packet.
func (l *Link) arrive(f frame.Frame, outer trace.Outer, now time.Time) {
	l.came = arrived{outer: outer, frame: f}
	if e, ok := frame.ParseEthernet(f.Data); ok && l.learning.Load() && e.Src().IsStation() {
		l.came.mac = e.Src()
		l.came.note, l.came.before = l.table.learn(e.Src(), outer.Src.Addr(), l.age(now))
	}
	l.deliver(f, now)
}

// Decap tells on the journey of the frame that was handed to the switch last how it came.
func (l *Link) Decap(j *trace.Journey) {
	c := &l.came
	e := trace.Event{Hook: trace.Decap, Verdict: trace.Accept, Note: c.note, MAC: c.mac, Outer: c.outer, Where: l.where, Port: l.name, Frame: c.frame}
	if c.note == trace.TunnelMoved {
		e.Addr = c.before
	}
	j.Emit(e)
}

// merger puts the segments of one TCP stream together that came from one machine, one behind the other.
type merger struct {
	to    *Link // nil: there are none
	outer trace.Outer
	all   frame.Merger
}

// add takes the next frame.
func (m *merger) add(l *Link, data []byte, a *Arrival, now time.Time) {
	if m.to == l && m.outer.Src == a.From && m.outer.TOS == a.TOS && m.all.Append(data) {
		return
	}
	m.flush(now)
	m.to, m.outer = l, l.outer(a, l.vni)
	m.all.Begin(data)
}

// flush hands over what waits.
func (m *merger) flush(now time.Time) {
	if l := m.to; l != nil {
		m.to = nil
		l.arrive(m.all.Frame(), m.outer, now)
	}
}
