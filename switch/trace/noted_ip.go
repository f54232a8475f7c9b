package trace

import "strconv"

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
