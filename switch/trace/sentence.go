package trace

import (
	"strings"

	"uswitch/switch/frame"
)

// Step names the step in two words: where it was, and what was decided there. A frame comes in and goes out by a port;
// what a bridge does has one word for each way, as in br0 flood. The words are printable.
func (e *Event) Step() (where, what string) {
	where, what = e.Where, e.Hook.String()
	switch {
	case e.Port != "" && (e.Hook == Decap || e.Hook == Ingress || e.Hook == Egress || e.Hook == Encap):
		where = e.Port
	case e.Hook == Bridge && e.Verdict != Drop:
		what = e.Verdict.String()
	}
	return Printable(where), what
}

// Text returns the sentence that says what happened at this step and why, for a person who has never seen a switch
// think, in the language of its reader. It is one line without an end, never empty, and holds nothing that a terminal would act upon. Its parts are
// separated by semicolons: what happened, the rule that decided, what would mend a drop.
func (e *Event) Text(in Language) string { return joined(e.clauses(in)) }

// Details is Text without its first part, for somebody who has been told already what happened: of a drop the rule that
// decided and what would mend it, as its reader says it. It may be empty.
func (e *Event) Details(in Language) string { return joined(e.clauses(in)[1:]) }

func joined(clauses []clause) string {
	var parts []string
	for _, c := range clauses {
		parts = append(parts, c.text)
	}
	return strings.Join(parts, "; ")
}

// clause is a part of a sentence; a printer may put each on its own line.
type clause struct {
	text  string
	typed bool // a rule or a command, which people copy: it is not to be broken
}

// clauses returns the parts of the sentence, printable and not empty.
func (e *Event) clauses(in Language) []clause {
	var said []clause
	say := func(text string) {
		if text != "" {
			said = append(said, clause{text: Printable(text)})
		}
	}
	typed := func(what, text string) {
		if what != "" {
			said = append(said, clause{Printable(text), true})
		}
	}
	rule := e.Rule
	switch {
	case e.Verdict == Drop:
		say("DROP " + e.Reason.String() + ": " + in(e.Reason.Sentence()))
		say(e.limit(in))
		say(e.Outer.text(in))
		if e.Note == Looped {
			say(e.loop(in))
		} else {
			say(e.why(in))
		}
	case e.rewritten():
		say(e.translation(in))
		if !e.translatedByConn() {
			say(e.why(in))
		}
	case e.Outer.IsValid():
		say(e.Outer.text(in))
		say(e.why(in))
	case e.Note == NoNote && rule != "":
		typed(rule, in("%s by %s", or(e.Target, strings.ToUpper(e.Verdict.String())), rule))
		rule = ""
	case e.Note == NoNote:
		say(e.plain(in))
	default:
		if e.Hook == Ingress && !e.IP {
			say(e.passes(in))
		}
		say(e.noteText(in))
	}
	typed(rule, in("by %s", rule))
	say(e.hopsLeft(in))
	typed(e.mend(), in("it would pass with: %s", e.mend()))
	return said
}

// plain is the sentence of a step whose verdict says it all.
func (e *Event) plain(in Language) string {
	switch e.Verdict {
	case Accept:
		return e.passes(in)
	case Unicast:
		return e.only(in)
	case Flood:
		return e.copies(in)
	case Local:
		return in("for the gateway")
	case Rewrite:
		return or(e.Target, in("rewritten"))
	case Queue:
		return in("waits")
	case Consume:
		return in("ends here")
	}
	return e.Verdict.String()
}

// only says which one port a frame goes to.
func (e *Event) only(in Language) string {
	return in("to %s only", the(in, or(e.Port, in("one port"))))
}

func (e *Event) passes(in Language) string {
	switch e.Hook {
	case Ingress:
		if eth, ok := frame.ParseEthernet(e.Frame.Data); ok && !e.IP {
			return eth.Src().String() + " > " + eth.Dst().String()
		}
		return in("comes in")
	case Egress:
		if e.IP {
			return in("leaves")
		}
		return in("sent")
	}
	return in("passes")
}

// copies says who gets a copy of a flooded frame: all of Ports but the one it came from, the gateway named last.
func (e *Event) copies(in Language) string {
	var names []string
	for _, name := range e.Ports {
		if name != e.Port {
			names = append(names, name)
		}
	}
	if e.Local {
		names = append(names, in("the gateway"))
	}
	return in("to %s", list(in, names))
}

// limit is the size that would have fitted, on the drops that are about size.
func (e *Event) limit(in Language) string {
	if e.Count == 0 || e.Reason != PktTooBig && e.Reason != FragNeeded {
		return ""
	}
	return in("at most %s bytes fit", commas(uint64(e.Count)))
}

// hopsLeft tells the time to live that a forwarded packet goes on with.
func (e *Event) hopsLeft(in Language) string {
	if p, ok := e.Network(); ok && e.Hook == Forward && e.Verdict == Accept && e.Note == NoNote {
		if !p.Is4() {
			return in("hop limit now %d", p.TTL())
		}
		return in("ttl now %d", p.TTL())
	}
	return ""
}

// mend returns the command that would have let the packet pass, where that is certain: nothing but FORWARD's policy was
// against it, so a rule at the chain's end for the network it was going to is enough.
func (e *Event) mend() string {
	if e.Reason != PolicyDrop || e.Rule != "-P FORWARD DROP" || !e.Prefix.IsValid() || e.Prefix.Bits() == 0 {
		return ""
	}
	p, ok := e.Network()
	if !ok || !e.Prefix.Contains(p.Dst()) {
		return ""
	}
	if !p.Is4() {
		return "uswitch ip6tables -A FORWARD -d " + e.Prefix.String() + " -j ACCEPT"
	}
	return "uswitch iptables -A FORWARD -d " + e.Prefix.String() + " -j ACCEPT"
}
