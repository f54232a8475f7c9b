package vswitch

import (
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Filter has a say in what a switch carries from port to port, as iptables has in Linux where br_netfilter is loaded and a
// bridge's nf_call_iptables is set. What the local station sends or receives is not shown to it: that passes the station's
// own rules.
type Filter interface {
	// Bridged reports whether a frame may go on to other ports, and has told the journey if it may not. It borrows both
	// until it returns, and does not change the frame.
	Bridged(f frame.Frame, j *trace.Journey, now time.Time) bool
}

// SetFilter puts a filter in place of the one before; nil takes it away, which is how a switch begins.
func (s *Switch) SetFilter(f Filter) {
	if f == nil {
		s.filter.Store(nil)
		return
	}
	s.filter.Store(&f)
}

// Filtered reports whether the switch has a filter.
func (s *Switch) Filtered() bool { return s.filter.Load() != nil }

// bridged asks the filter, if there is one, about a frame that has come from a port; a drop is counted against that.
func (s *Switch) bridged(from *Port, f frame.Frame, j *trace.Journey, now time.Time) bool {
	filter := s.filter.Load()
	if filter == nil || from == nil || (*filter).Bridged(f, j, now) {
		return true
	}
	from.rx.drops.Add(1)
	return false
}
