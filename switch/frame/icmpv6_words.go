package frame

import "fmt"

// unreachable6 are the codes of ICMPv6's Destination Unreachable (RFC 4443 3.1), in the words of iputils' ping and the marks of traceroute.
var unreachable6 = [...]ICMPWords{
	Unreachable6NoRoute: {Ping: "No route", Traceroute: " !N"},
	Unreachable6Admin:   {Ping: "Administratively prohibited", Traceroute: " !X"},
	Unreachable6Scope:   {Ping: "Beyond scope of source address", Traceroute: " !S"},
	Unreachable6Address: {Ping: "Address unreachable", Traceroute: " !H"},
	Unreachable6Port:    {Ping: "Port unreachable"}, // where it comes from, a traceroute has arrived
}

// PingV6 says what an error of ICMPv6 says in the words of iputils' ping.
func (e ICMPError) PingV6() string {
	switch e.Type {
	case ICMPv6Unreachable:
		if int(e.Code) < len(unreachable6) {
			return "Destination unreachable: " + unreachable6[e.Code].Ping
		}
		return fmt.Sprintf("Destination unreachable: Unknown code %d", e.Code)
	case ICMPv6TooBig:
		return fmt.Sprintf("Packet too big: mtu=%d", e.MTU)
	case ICMPv6TimeExceeded:
		if e.Code == 0 {
			return "Time exceeded: Hop limit"
		}
		return "Time exceeded: Defragmentation failure"
	case ICMPv6ParamProblem:
		problems := [...]string{"Wrong header field ", "Unknown header ", "Unknown option "}
		if int(e.Code) < len(problems) {
			return fmt.Sprintf("Parameter problem: %sat %d", problems[e.Code], e.MTU)
		}
		return fmt.Sprintf("Parameter problem: code %d at %d", e.Code, e.MTU)
	}
	return fmt.Sprintf("unknown icmp type: %d", e.Type)
}

// TracerouteV6 is Traceroute for an error of ICMPv6.
func (e ICMPError) TracerouteV6() string {
	switch {
	case e.Type == ICMPv6Unreachable && int(e.Code) < len(unreachable6):
		return unreachable6[e.Code].Traceroute
	case e.Type == ICMPv6Unreachable:
		return fmt.Sprintf(" !%d", e.Code%10)
	case e.Type == ICMPv6TooBig:
		return " !F"
	case e.Type == ICMPv6ParamProblem:
		return " !P"
	}
	return ""
}
