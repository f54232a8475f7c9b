package trace

import (
	"fmt"
	"strings"

	"uswitch/switch/frame"
)

// Text returns the sentence that says what happened at this step and why, for a person who has never seen a switch
// think. It is one line without an end, never empty, and holds nothing that a terminal would act upon. Its parts are
// separated by semicolons: what happened, the rule that decided, what would mend a drop.
func (e *Event) Text() string { return strings.Join(e.clauses(), "; ") }

// clauses returns the parts of the sentence. A printer may put each on its own line.
func (e *Event) clauses() []string {
	var said []string
	add := func(clause string) {
		if clause != "" {
			said = append(said, Printable(clause))
		}
	}
	ruled := false
	switch {
	case e.Verdict == Drop:
		add("DROP " + e.Reason.String() + ": " + e.Reason.Sentence())
		add(e.limit())
		add(e.why())
	case e.rewritten():
		add(e.translation())
		if !e.translatedByConn() {
			add(e.why())
		}
	case e.Note == NoNote && e.Rule != "":
		add(or(e.Target, strings.ToUpper(e.Verdict.String())) + " by " + e.Rule)
		ruled = true
	case e.Note == NoNote:
		add(e.plain())
	default:
		add(e.noted())
	}
	if e.Rule != "" && !ruled {
		add("by " + e.Rule)
	}
	add(e.hopsLeft())
	add(e.mend())
	return said
}

// plain is the sentence of a step whose verdict says it all.
func (e *Event) plain() string {
	switch e.Verdict {
	case Accept:
		return e.passes()
	case Unicast:
		return "to " + the(or(e.Port, "one port")) + " only"
	case Flood:
		return e.copies()
	case Local:
		return "for the gateway"
	case Rewrite:
		return or(e.Target, "rewritten")
	case Queue:
		return "waits"
	case Consume:
		return "ends here"
	}
	return e.Verdict.String()
}

func (e *Event) passes() string {
	switch e.Hook {
	case Ingress:
		if eth, ok := frame.ParseEthernet(e.Frame.Data); ok && !e.IP {
			return eth.Src().String() + " > " + eth.Dst().String()
		}
		return "comes in"
	case Egress:
		if e.IP {
			return "leaves"
		}
		return "delivered"
	}
	return "passes"
}

// copies says who gets a copy of a flooded frame: all of Ports but the one it came from, the gateway named last.
func (e *Event) copies() string {
	var names []string
	gateway := false
	for _, name := range e.Ports {
		switch name {
		case e.Port:
		case "gateway":
			gateway = true
		default:
			names = append(names, name)
		}
	}
	if gateway {
		names = append(names, "gateway")
	}
	return "to " + list(names)
}

// limit is the size that would have fitted, on the drops that are about size.
func (e *Event) limit() string {
	if e.Count == 0 || e.Reason != PktTooBig && e.Reason != FragNeeded {
		return ""
	}
	return "at most " + bytesWord(int(e.Count)) + " fit"
}

// hopsLeft tells the time to live that a forwarded packet goes on with.
func (e *Event) hopsLeft() string {
	if p, ok := e.packet(); ok && e.Hook == Forward && e.Verdict == Accept {
		return fmt.Sprintf("ttl now %d", p.TTL())
	}
	return ""
}

// mend returns the command that would have let the packet pass, where that is certain: nothing but FORWARD's policy was
// against it, so a rule at the chain's end for the network it was going to is enough.
func (e *Event) mend() string {
	if e.Reason != PolicyDrop || e.Rule != "-P FORWARD DROP" || !e.Prefix.IsValid() || e.Prefix.Bits() == 0 {
		return ""
	}
	if p, ok := e.packet(); !ok || !e.Prefix.Contains(p.Dst()) {
		return ""
	}
	return "it would pass with: uswitch iptables -A FORWARD -d " + e.Prefix.String() + " -j ACCEPT"
}
