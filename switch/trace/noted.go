package trace

import (
	"fmt"
	"slices"
	"strings"

	"uswitch/switch/frame"
)

// noted is the sentence of a step that carries a note.
func (e *Event) noted() string {
	why := e.why()
	switch e.Note {
	case Known, Static:
		return "to " + the(or(e.Port, "one port")) + " only: " + why
	case UnknownUnicast, BroadcastFrame, MulticastFrame, NothingLearned:
		return e.copies() + ": " + why + e.leftOut()
	}
	return or(why, e.plain())
}

// why is what a note says on its own. On a drop it stands behind the reason: what was known when it was decided.
func (e *Event) why() string {
	for _, about := range []func(*Event) string{
		(*Event).aboutStations, (*Event).aboutARP, (*Event).aboutNeighbors, (*Event).aboutGateway,
		(*Event).aboutConnections, (*Event).aboutRoutes, (*Event).aboutPieces,
	} {
		if sentence := about(e); sentence != "" {
			return sentence
		}
	}
	return ""
}

func (e *Event) aboutStations() string {
	switch e.Note {
	case Learned:
		return e.station() + " lives behind " + the(or(e.Port, "this port"))
	case Moved:
		text := e.station() + " has moved from " + the(or(e.From, "elsewhere")) + " to " + the(or(e.Port, "this port"))
		if e.Count > 0 {
			text += fmt.Sprintf("; %d moves before it are not shown", e.Count)
		}
		return text
	case FDBFull:
		return e.station() + " is not remembered: the table is full"
	case Looped:
		return e.loop()
	case AddressConflict:
		return e.conflict()
	case Known:
		return "learned " + ago(e.Age)
	case Static:
		return "as configured"
	case UnknownUnicast:
		return "nobody has told us yet where " + e.station() + " is"
	case NothingLearned:
		return "ageing_time is 0, so nothing is remembered of where " + e.station() + " is"
	case BroadcastFrame:
		return "a broadcast goes to everyone but its sender"
	case MulticastFrame:
		return "a frame to a group goes to everyone but its sender"
	case GatewayAddress:
		return e.station() + " is the gateway's own address"
	}
	return ""
}

// loop names the station that goes round by the port that it was behind, unless that one is part of the loop itself.
func (e *Event) loop() string {
	who := e.station()
	if e.From != "" && !slices.Contains(e.Ports, e.From) {
		who = e.From
	}
	return who + " is heard behind " + or(strings.Join(e.Ports, " and "), "several ports") + " by turns: there is a loop"
}

// conflict names both who claim one address, each by port and MAC.
func (e *Event) conflict() string {
	text := fmt.Sprintf("%s says that it has %s, at %v; %s said so %s, at %v: two hosts cannot share one address",
		the(or(e.Port, "one port")), e.address(), e.MAC, the(or(e.From, "another")), ago(e.Age), e.Other)
	if e.Count > 0 {
		text += fmt.Sprintf("; %d claims before it are not shown", e.Count)
	}
	return text
}

// leftOut says of a flood that not everybody got it.
func (e *Event) leftOut() string {
	switch e.Count {
	case 0:
		return ""
	case 1:
		return "; its knobs leave 1 port out"
	}
	return "; their knobs leave " + commas(uint64(e.Count)) + " ports out"
}

func (e *Event) aboutARP() string {
	switch e.Note {
	case ARPAnswered:
		return e.address() + " is mine: answered"
	case ARPProbed:
		return "somebody tries out my " + e.address() + ": answered, so that nobody else takes it"
	case ARPNotMine:
		return e.address() + " is not mine: no answer"
	case ARPLearned:
		return "noted: " + e.address() + " is at " + e.station()
	case ARPHeard:
		return e.address() + " says again that it is at " + e.station()
	case ARPIgnored:
		return "nobody here asked about " + e.address() + ": not noted"
	case ARPConflict:
		return e.station() + " claims my own " + e.address() + ": two stations cannot share it"
	case ARPDefended:
		return e.station() + " claims my own " + e.address() + ": everyone is told again whose it is"
	case ARPAnnounced:
		return "everyone is told: " + e.address() + " is mine"
	}
	return ""
}

func (e *Event) aboutNeighbors() string {
	switch e.Note {
	case NeighborKnown:
		return e.address() + " is at " + e.station() + ": learned " + ago(e.Age)
	case NeighborStatic:
		return e.address() + " is at " + e.station() + ": as configured"
	case NeighborAsked:
		return "who has " + e.address() + "? everyone is asked, and the packet waits"
	case NeighborWaiting:
		return "who has " + e.address() + "? everyone has been asked already: the packet waits too"
	case NeighborSent:
		return e.address() + " has answered from " + e.station() + ": the packet goes on"
	case NeighborProbe:
		return e.address() + " has not been heard of for a while: asked whether it is still at " + e.station()
	}
	return ""
}

// station names the MAC address that the note speaks of.
func (e *Event) station() string {
	if e.MAC == (frame.MAC{}) {
		return "the station"
	}
	return e.MAC.String()
}

// address names the IP address that the note speaks of.
func (e *Event) address() string {
	if !e.Addr.IsValid() {
		return "the address"
	}
	return e.Addr.String()
}
