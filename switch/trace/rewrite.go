package trace

import (
	"uswitch/switch/frame"
)

// rewritten reports whether the step is about the packet's tuple.
func (e *Event) rewritten() bool {
	return e.Verdict == Rewrite && e.After != frame.Tuple{} && (e.After != e.Before || e.Note == NoNote)
}

// translatedByConn reports whether the connection, and no rule, asked for the rewrite.
func (e *Event) translatedByConn() bool {
	return e.Note == ReplyTranslated || e.Note == SameTranslation || e.Note == ConnRelated
}

// translation says what a rewrite changed and on whose word, on one line, because everything else hangs on it.
func (e *Event) translation(in Language) string {
	change := e.Change(in)
	switch e.Note {
	case ReplyTranslated:
		return in("the answer of %s, known by its reply tuple: %s", e.connection(in), change)
	case SameTranslation:
		return in("%s, as before: %s", e.connection(in), change)
	case ConnRelated:
		return in("an error message about %s: %s", e.connection(in), change)
	}
	if e.Target != "" {
		return e.Target + ": " + change
	}
	return change
}

// Becomes shows the ends of a tuple that a translation changes, before and after: 11.11.11.2 id 7 becomes 192.168.104.2 id 7.
func Becomes(in Language, before, after frame.Tuple) string {
	src, dst := before.Source() != after.Source(), before.Destination() != after.Destination()
	if frame.IsICMP(before.Proto) {
		// The identifier is part of both ends: without a new address it is the source's.
		dst = before.DstIP != after.DstIP
		src = before.SrcIP != after.SrcIP || !dst && src
	}
	switch {
	case src && dst:
		return in("%s > %s becomes %s > %s",
			before.Source(), before.Destination(), after.Source(), after.Destination())
	case src:
		return in("%s becomes %s", before.Source(), after.Source())
	case dst:
		return in("%s becomes %s", before.Destination(), after.Destination())
	}
	return in("%s stays as it is", before.Source())
}

// Change says what a rewrite has changed of both ends. An ICMP message about another packet has no identifier.
func (e *Event) Change(in Language) string {
	if e.Note == ConnRelated || e.isICMPError() {
		return Becomes(in, addresses(e.Before), addresses(e.After))
	}
	return Becomes(in, e.Before, e.After)
}

// Ends writes both ends of the event's packet, as t has them: 11.11.11.2 id 7 > 8.8.8.8.
func (e *Event) Ends(t frame.Tuple) string {
	if e.isICMPError() {
		t = addresses(t)
	}
	if frame.IsICMP(t.Proto) {
		return t.Source() + " > " + t.Dst().String()
	}
	return t.Source() + " > " + t.Destination()
}

// isICMPError reports whether the packet is an ICMP message about another packet, as far as its bytes are there.
func (e *Event) isICMPError() bool {
	p, ok := e.Network()
	return ok && p.IsICMPError()
}

// addresses leaves out the ports: an error message has none, and its identifier is not the connection's.
func addresses(t frame.Tuple) frame.Tuple { return frame.Tuple{SrcIP: t.SrcIP, DstIP: t.DstIP} }

func (e *Event) connection(in Language) string {
	if e.Conn == 0 {
		return in("a connection")
	}
	return in("connection %d", e.Conn)
}
