// Package trace is how the switch says what it did: a closed vocabulary (Hook, Verdict, Reason, Note), an Event for each
// step of a packet's journey, the Tracer that counts and hands events out, and the printers that turn them into text
// and JSON.
//
//	the paths                     Tracer                     listeners               what they make of it
//	vswitch.Switch.Input --+                               +--> Ring --> Filter --+--> Journeys --> Printer: text
//	nat.Gateway.Input    --+--> Journey.Emit --> fan out --+--> Ring --> Filter --+--> JSON
//	vxlan.Link           --+       |   |   |               +--> Ring --> Filter --+--> pcap.Writer
//	uplink into a netns  --+       |   |   |
//	                               |   |   +--> Stepper: a copy waits until somebody lets it go on
//	                               |   +--> counters of each Reason, and the last drop of each: always on
//	                               +--> Token: a packet that waits in a queue goes on with its journey
//
// An Event is one step: at which Hook, with which Verdict, and why, as a Reason of a drop or a Note of anything else. Each word has
// its sentence (reason.go, notetext.go). Event.Text makes the sentence of a step, which every listener says alike, from the words
// of the packet's headers: Head for a summary of Ethernet, ARP, IPv4 and IPv6, Outer for what a tunnel has put around.
//
// Ring.Drain moves events, through a Filter, into a Sink. Journeys is the Sink that makes whole journeys of steps, folds those
// that are alike, and tells a Teller. A Ring that several read at once is read by places: At.
//
// The data path never waits for a listener. A Ring is bounded, forgets its oldest events, and knows how many it forgot. A
// packet that a Stepper holds is a copy, which a goroutine of its own carries. With no listener attached, Tracer.Begin
// returns a nil Journey after one atomic load, and nothing is built or copied.
package trace
