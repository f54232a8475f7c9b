package trace

import (
	"slices"
	"strings"

	"uswitch/switch/frame"
)

// noteText is the sentence of a step that carries a note.
func (e *Event) noteText(in Language) string {
	why := e.why(in)
	switch e.Note {
	case Known, Static:
		return e.only(in) + ": " + why
	case UnknownUnicast, BroadcastFrame, MulticastFrame, NothingLearned:
		return e.copies(in) + ": " + why + e.leftOut(in)
	}
	return or(why, e.plain(in))
}

// why is what a note says on its own. On a drop it stands behind the reason: what was known when it was decided.
func (e *Event) why(in Language) string {
	for _, about := range []func(*Event, Language) string{
		(*Event).aboutStations, (*Event).aboutARP, (*Event).aboutNeighbors, (*Event).aboutGateway,
		(*Event).aboutConnections, (*Event).aboutRoutes, (*Event).aboutPieces, (*Event).aboutTunnels,
	} {
		if sentence := about(e, in); sentence != "" {
			return sentence
		}
	}
	return ""
}

func (e *Event) aboutStations(in Language) string {
	switch e.Note {
	case Learned:
		return in("%s lives behind %s", e.station(in), the(in, or(e.Port, in("this port"))))
	case Moved:
		text := in("%s has moved from %s to %s", e.station(in), the(in, or(e.From, in("elsewhere"))), the(in, or(e.Port, in("this port"))))
		if e.Count > 0 {
			text += in("; %d moves before it are not shown", e.Count)
		}
		return text
	case FDBFull:
		return in("%s is not remembered: the table is full", e.station(in))
	case Looped:
		return e.loop(in)
	case AddressConflict:
		return e.conflict(in)
	case Known:
		return in("learned %s", ago(in, e.Age))
	case Static:
		return in("as configured")
	case UnknownUnicast:
		return in("nobody has told us yet where %s is", e.station(in))
	case NothingLearned:
		return in("ageing_time is 0, so nothing is remembered of where %s is", e.station(in))
	case BroadcastFrame:
		return in("a broadcast goes to everyone but its sender")
	case MulticastFrame:
		return in("a frame to a group goes to everyone but its sender")
	case GatewayAddress:
		return in("%s is the gateway's own address", e.station(in))
	}
	return ""
}

// loop names the station that goes round by the port that it was behind, unless that one is part of the loop itself.
func (e *Event) loop(in Language) string {
	who := e.station(in)
	if e.From != "" && !slices.Contains(e.Ports, e.From) {
		who = e.From
	}
	return in("%s is heard behind %s by turns: there is a loop", who, or(strings.Join(e.Ports, in(" and ")), in("several ports")))
}

// conflict names both who claim one address, each by port and MAC.
func (e *Event) conflict(in Language) string {
	text := in("%s says that it has %s, at %v; %s said so %s, at %v: two hosts cannot share one address",
		the(in, or(e.Port, in("one port"))), e.address(in), e.MAC, the(in, or(e.From, in("another"))), ago(in, e.Age), e.Other)
	if e.Count > 0 {
		text += in("; %d claims before it are not shown", e.Count)
	}
	return text
}

// leftOut says of a flood that not everybody got it.
func (e *Event) leftOut(in Language) string {
	switch e.Count {
	case 0:
		return ""
	case 1:
		return in("; its flags leave 1 port out")
	}
	return in("; their flags leave %s ports out", commas(uint64(e.Count)))
}

func (e *Event) aboutARP(in Language) string {
	switch e.Note {
	case ARPAnswered:
		return in("%s is mine: answered", e.address(in))
	case ARPProbed:
		return in("somebody tries out my %s: answered, so that nobody else takes it", e.address(in))
	case ARPNotMine:
		return in("%s is not mine: no answer", e.address(in))
	case ARPLearned:
		return in("noted: %s is at %s", e.address(in), e.station(in))
	case ARPHeard:
		return in("%s says again that it is at %s", e.address(in), e.station(in))
	case ARPIgnored:
		return in("nobody here asked about %s: not noted", e.address(in))
	case ARPConflict:
		return in("%s claims my own %s: two stations cannot share it", e.station(in), e.address(in))
	case ARPDefended:
		return in("%s claims my own %s: everyone is told again whose it is", e.station(in), e.address(in))
	case ARPAnnounced:
		return in("everyone is told: %s is mine", e.address(in))
	}
	return ""
}

func (e *Event) aboutNeighbors(in Language) string {
	switch e.Note {
	case NeighborKnown:
		return in("%s is at %s: learned %s", e.address(in), e.station(in), ago(in, e.Age))
	case NeighborStatic:
		return in("%s is at %s: as configured", e.address(in), e.station(in))
	case NeighborAsked:
		return in("who has %s? everyone is asked, and the packet waits", e.address(in))
	case NeighborWaiting:
		return in("who has %s? everyone has been asked already: the packet waits too", e.address(in))
	case NeighborSent:
		return in("%s has answered from %s: the packet goes on", e.address(in), e.station(in))
	case NeighborProbe:
		return in("%s has not been heard of for a while: asked whether it is still at %s", e.address(in), e.station(in))
	case NeighborGroup:
		return in("a group: its MAC address %s is made of the last four bytes of its IP address", e.station(in))
	case MLDHeard:
		return in("somebody says which groups it listens to: the switch sends every group to everyone anyway")
	case RouterAsked:
		return in("%s asks whether there is a router: it is told", e.address(in))
	case RouterSilent:
		return in("%s asks whether there is a router: not told, addresses come by the lab file here (`x-uswitch: {ra: on}` would tell it)", e.address(in))
	case RouterAdvertised:
		return in("hosts are told: the router here is %s", e.address(in))
	}
	return ""
}

// station names the MAC address that the note speaks of.
func (e *Event) station(in Language) string {
	if e.MAC == (frame.MAC{}) {
		return in("the station")
	}
	return e.MAC.String()
}

// address names the IP address that the note speaks of.
func (e *Event) address(in Language) string {
	if !e.Addr.IsValid() {
		return in("the address")
	}
	return e.Addr.String()
}

func (e *Event) aboutGateway(in Language) string {
	switch e.Note {
	case EchoAnswered:
		return in("a ping to the gateway itself: answered")
	case Originated:
		return in("the gateway itself sends this")
	case ErrorSent:
		if e.Addr.IsValid() {
			return in("%s is told what went wrong", e.address(in))
		}
		return in("its sender is told what went wrong")
	case MachineError:
		return in("this machine could not deliver it: %s is told what went wrong", e.address(in))
	case Delivered:
		return in("for the gateway itself")
	case UplinkSent:
		return in("handed to the outside")
	case UplinkReceived:
		return in("comes from the outside")
	case UplinkMachine:
		return in("comes from this machine itself, for which %s stands", e.address(in))
	case UplinkAccepted:
		from := in("comes from the outside")
		if e.Addr.IsValid() {
			from = in("comes from this machine itself, for which %s stands", e.address(in))
		}
		return in("%s; its client is connected already, by this machine's listening socket, which cannot ask the service first", from)
	}
	return ""
}

func (e *Event) aboutConnections(in Language) string {
	switch e.Note {
	case ConnNew:
		return in("%s is new", e.connection(in))
	case ConnOriginal:
		return in("belongs to %s", e.connection(in))
	case ConnReply:
		return in("an answer of %s", e.connection(in))
	case ConnRelated:
		return in("an error message about %s", e.connection(in))
	case ConnUntracked:
		return in("no connection can be made of it: it passes as it is")
	case NoRuleChanged:
		if e.Hook == Prerouting || e.Hook == Output {
			return in("%s is new: no rule changes where it goes", e.connection(in))
		}
		return in("no rule changes where it comes from")
	case ReplyTranslated:
		return in("the answer of %s, known by its reply tuple", e.connection(in))
	case MSSLimited:
		return in("TCPMSS: segments of %d bytes at most become %d", e.Size, e.Count)
	case Logged:
		return in("LOG takes note of it")
	case SameTranslation:
		return in("%s, as before", e.connection(in))
	}
	return ""
}

func (e *Event) aboutRoutes(in Language) string {
	switch e.Note {
	case RouteConnected:
		return in("%s is on %s", e.address(in), the(in, or(e.Port, in("a network here"))))
	case RouteDefault:
		return in("%s is on no network here: the default route, by %s", e.address(in), the(in, or(e.Port, "uplink")))
	case RoutePrefix:
		if e.Prefix.IsValid() {
			return in("%s is in %s: by %s", e.address(in), e.Prefix.String(), the(in, or(e.Port, "uplink")))
		}
		return in("a route leads to %s: by %s", e.address(in), the(in, or(e.Port, "uplink")))
	}
	return ""
}

// aboutPieces speaks of packets that are more or less than one packet.
func (e *Event) aboutPieces(in Language) string {
	n := commas(uint64(e.Count))
	switch e.Note {
	case Reassembled:
		return in("%s fragments are one packet again", n)
	case FragmentHeld:
		return in("a fragment: it waits for the others")
	case FragmentedInto:
		return in("too big for the next link: cut into %s fragments", n)
	case SegmentsTogether:
		return in("%s segments travel together as one frame", n)
	case Segmented:
		return in("cut into %s packets that fit the wire", n)
	}
	return ""
}
