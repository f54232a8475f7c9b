package frame

import "fmt"

// ICMPWords are the words of one kind of ICMP error, in the languages in which people meet it. An empty one means that the
// language has none.
type ICMPWords struct {
	Text       string // in a trace
	Ping       string // of iputils' ping
	Tcpdump    string // of tcpdump; %v is the destination of the quoted packet
	Traceroute string // the mark that traceroute puts behind a time: the probe was turned back
}

// unreachable are the codes of Destination Unreachable (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1).
var unreachable = [...]ICMPWords{
	{"network unreachable", "Destination Net Unreachable", "net %v unreachable", " !N"},
	{"host unreachable", "Destination Host Unreachable", "host %v unreachable", " !H"},
	{"protocol unreachable", "Destination Protocol Unreachable", "", " !P"},
	{"port unreachable", "Destination Port Unreachable", "", ""}, // where it comes from, a traceroute has arrived
	{"too big: at most %d bytes fit", "Frag needed and DF set (mtu = %d)", "", " !F"},
	{"", "Source Route Failed", "%v unreachable - source route failed", " !S"},
	{"", "Destination Net Unknown", "net %v unreachable - unknown", ""},
	{"", "Destination Host Unknown", "host %v unreachable - unknown", ""},
	{"", "Source Host Isolated", "%v unreachable - source host isolated", ""},
	{"forbidden by a filter", "Destination Net Prohibited", "net %v unreachable - admin prohibited", " !X"},
	{"forbidden by a filter", "Destination Host Prohibited", "host %v unreachable - admin prohibited", " !X"},
	{"", "Destination Net Unreachable for Type of Service", "net %v unreachable - tos prohibited", ""},
	{"", "Destination Host Unreachable for Type of Service", "host %v unreachable - tos prohibited", ""},
	{"forbidden by a filter", "Packet filtered", "host %v unreachable - admin prohibited filter", " !X"},
	{"", "Precedence Violation", "host %v unreachable - host precedence violation", ""},
	{"", "Precedence Cutoff", "host %v unreachable - precedence cutoff", ""},
}

// exceeded are the codes of Time Exceeded.
var exceeded = [...]ICMPWords{
	{"time to live exceeded", "Time to live exceeded", "time exceeded in-transit", ""},
	{"fragments missing for too long", "Frag reassembly time exceeded", "ip reassembly time exceeded", ""},
}

// messages are the types whose codes say nothing more (IANA ICMP parameters).
var messages = map[uint8]ICMPWords{
	icmpSourceQuench: {"source quench", "Source Quench", "source quench", ""},
	ICMPRedirect:     {"redirect: there is a shorter way", "Redirect", "", ""},
	ICMPParamProblem: {"header problem", "Parameter problem", "", ""},
	9:                {Text: "router advertisement"},
	10:               {Text: "router solicitation", Tcpdump: "router solicitation"},
	icmpTimestamp:    {Text: "timestamp request"},
	14:               {Text: "timestamp reply"},
	15:               {Tcpdump: "information request"},
	16:               {Tcpdump: "information reply"},
	17:               {Tcpdump: "address mask request"},
}

// Words returns the words of a message. Where the type is known and the code is not, the languages have none.
func (e ICMPError) Words() ICMPWords {
	switch {
	case e.Type == ICMPUnreachable && int(e.Code) < len(unreachable):
		return unreachable[e.Code]
	case e.Type == ICMPTimeExceeded && int(e.Code) < len(exceeded):
		return exceeded[e.Code]
	}
	return messages[e.Type]
}

// Sentence says in a trace's words what the message says: a format of package fmt, and what it takes.
func (e ICMPError) Sentence() (format string, args []any) {
	text := e.Words().Text
	switch {
	case e.tooBig():
		return text, []any{e.MTU}
	case text != "":
		return text, nil
	case e.Type == ICMPTimeExceeded:
		return exceeded[0].Text, nil
	case e.Type == ICMPUnreachable:
		return "unreachable, code %d", []any{e.Code}
	}
	return "type %d code %d", []any{e.Type, e.Code}
}

// String is its sentence in English.
func (e ICMPError) String() string {
	format, args := e.Sentence()
	return fmt.Sprintf(format, args...)
}

// Ping says it in the words of iputils' ping.
func (e ICMPError) Ping() string {
	text := e.Words().Ping
	switch {
	case e.tooBig():
		return fmt.Sprintf(text, e.MTU)
	case text != "":
		return text
	case e.Type == ICMPTimeExceeded:
		return exceeded[0].Ping
	case e.Type == ICMPUnreachable:
		return fmt.Sprintf("Dest Unreachable, Bad Code: %d", e.Code)
	}
	return fmt.Sprintf("Bad ICMP type: %d", e.Type)
}

// Traceroute returns the mark that traceroute puts behind the time of a probe that was turned back: none if it has arrived.
func (e ICMPError) Traceroute() string {
	mark := e.Words().Traceroute
	if mark != "" || e.Type != ICMPUnreachable || e.Code == UnreachablePort {
		return mark
	}
	return fmt.Sprintf(" !%d", e.Code%10)
}

func (e ICMPError) tooBig() bool { return e.Type == ICMPUnreachable && e.Code == UnreachableTooBig }
