package trace

// Stop is a packet that has taken a step.
type Stop struct {
	Leg   uint64 // what Go calls the packet by: a journey that waits in between for something has several
	Kind  StopKind
	Waits bool   // until Go is called or its patience is over
	Late  bool   // its patience was over at the stop before
	Fault string // on Ended: the code failed on this packet, which ended there
	Event Event  // the step; on Arrived and Ended its Packet, Where, Port and Frame only. Its bytes are its own
}

// StopKind says what part of its way a packet has come to.
type StopKind uint8

// The kinds of stops.
const (
	Arrived StopKind = iota + 1 // no step has been taken
	Stepped                     // Event was
	Ended                       // there are no more steps
)
