// Package trace is how the switch says what it did: a closed vocabulary (Hook, Verdict, Reason, Note), an Event for each
// step of a packet's journey, the Tracer that counts and hands events out, and the printers that turn them into text
// and JSON.
//
//	   the two paths                Tracer                    listeners
//	vswitch.Switch.Input --+                             +--> Ring --> text, JSON
//	                       +--> Journey.Emit --> fan out-+--> Ring --> pcapng
//	nat.Gateway.Input   ---+         |  |                +--> Ring --> the control socket
//	                                 |  +--> Stepper: waits there until somebody lets the packet go on
//	                                 +--> counters per reason and the last drop of each, always on
//
// Ring.Drain moves events, through a Filter, into a Sink: a Printer, a JSON, or the pcap package's Writer. All three say
// the same sentence, Event.Text, about a step. Journeys is the Sink that makes whole journeys of steps, for a Printer and for
// others. A Ring that several read at once is read by places: At.
//
// The data path never waits for a listener. A Ring is bounded, forgets its oldest events, and knows how many it forgot. A
// packet that a Stepper holds is a copy, which a goroutine of its own carries. With no listener attached, Tracer.Begin
// returns a nil Journey after one atomic load, and nothing is built or copied.
package trace
