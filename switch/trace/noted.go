package trace

import (
	"fmt"
	"slices"
	"strconv"
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
		(*Event).aboutConnections, (*Event).aboutRoutes, (*Event).aboutPieces, (*Event).aboutTunnels,
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
		return e.loop(English)
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
func (e *Event) loop(in Language) string {
	who := e.station()
	if e.From != "" && !slices.Contains(e.Ports, e.From) {
		who = e.From
	}
	return in("%s is heard behind %s by turns: there is a loop", who, or(strings.Join(e.Ports, in(" and ")), in("several ports")))
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
		return "; its flags leave 1 port out"
	}
	return "; their flags leave " + commas(uint64(e.Count)) + " ports out"
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
	case NeighborGroup:
		return "a group: its MAC address " + e.station() + " is made of the last four bytes of its IP address"
	case MLDHeard:
		return "somebody says which groups it listens to: the switch sends every group to everyone anyway"
	case RouterAsked:
		return e.address() + " asks whether there is a router: it is told"
	case RouterSilent:
		return e.address() + " asks whether there is a router: not told, addresses come by the lab file here (`x-uswitch: {ra: on}` would tell it)"
	case RouterAdvertised:
		return "hosts are told: the router here is " + e.address()
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

func (e *Event) aboutGateway() string {
	switch e.Note {
	case EchoAnswered:
		return "a ping to the gateway itself: answered"
	case Originated:
		return "the gateway itself sends this"
	case ErrorSent:
		if e.Addr.IsValid() {
			return e.address() + " is told what went wrong"
		}
		return "its sender is told what went wrong"
	case MachineError:
		return "this machine could not deliver it: " + e.address() + " is told what went wrong"
	case Delivered:
		return "for the gateway itself"
	case UplinkSent:
		return "handed to the outside"
	case UplinkReceived:
		return "comes from the outside"
	case UplinkMachine:
		return "comes from this machine itself, for which " + e.address() + " stands"
	case UplinkAccepted:
		from := "comes from the outside"
		if e.Addr.IsValid() {
			from = "comes from this machine itself, for which " + e.address() + " stands"
		}
		return from + "; its client is connected already, by this machine's listening socket, which cannot ask the service first"
	}
	return ""
}

func (e *Event) aboutConnections() string {
	switch e.Note {
	case ConnNew:
		return e.connection() + " is new"
	case ConnOriginal:
		return "belongs to " + e.connection()
	case ConnReply:
		return "an answer of " + e.connection()
	case ConnRelated:
		return "an error message about " + e.connection()
	case ConnUntracked:
		return "no connection can be made of it: it passes as it is"
	case NoRuleChanged:
		if e.Hook == Prerouting || e.Hook == Output {
			return e.connection() + " is new: no rule changes where it goes"
		}
		return "no rule changes where it comes from"
	case ReplyTranslated:
		return "the answer of " + e.connection() + ", known by its reply tuple"
	case MSSLimited:
		return "TCPMSS: segments of " + strconv.FormatUint(uint64(e.Size), 10) + " bytes at most become " + strconv.FormatUint(uint64(e.Count), 10)
	case Logged:
		return "LOG takes note of it"
	case SameTranslation:
		return e.connection() + ", as before"
	}
	return ""
}

func (e *Event) aboutRoutes() string {
	switch e.Note {
	case RouteConnected:
		return e.address() + " is on " + the(or(e.Port, "a network here"))
	case RouteDefault:
		return e.address() + " is on no network here: the default route, by " + the(or(e.Port, "uplink"))
	case RoutePrefix:
		if e.Prefix.IsValid() {
			return e.address() + " is in " + e.Prefix.String() + ": by " + the(or(e.Port, "uplink"))
		}
		return "a route leads to " + e.address() + ": by " + the(or(e.Port, "uplink"))
	}
	return ""
}

// aboutPieces speaks of packets that are more or less than one packet.
func (e *Event) aboutPieces() string {
	n := commas(uint64(e.Count))
	switch e.Note {
	case Reassembled:
		return n + " fragments are one packet again"
	case FragmentHeld:
		return "a fragment: it waits for the others"
	case FragmentedInto:
		return "too big for the next link: cut into " + n + " fragments"
	case SegmentsTogether:
		return n + " segments travel together as one frame"
	case Segmented:
		return "cut into " + n + " packets that fit the wire"
	}
	return ""
}
