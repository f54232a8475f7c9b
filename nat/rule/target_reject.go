package rule

import (
	"strings"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Reject is what a REJECT rule answers. The zero value is no answer.
type Reject uint8

// The answers: a TCP reset, or an ICMP Destination Unreachable of the code in the name.
const (
	RejectPort Reject = iota + 1 // what REJECT does by itself
	RejectNet
	RejectHost
	RejectProto
	RejectNetProhibited
	RejectHostProhibited
	RejectAdmin
	RejectReset

	// Those of ip6tables.
	Reject6NoRoute
	Reject6Admin
	Reject6Address
	Reject6Port
	Reject6Policy
	Reject6Route
)

// rejectNames are the words of --reject-with in the order in which they are searched, and their short forms.
var rejectNames = []struct {
	name, alias string
	reject      Reject
}{
	{"icmp-net-unreachable", "net-unreach", RejectNet},
	{"icmp-host-unreachable", "host-unreach", RejectHost},
	{"icmp-proto-unreachable", "proto-unreach", RejectProto},
	{"icmp-port-unreachable", "port-unreach", RejectPort},
	{"icmp-net-prohibited", "net-prohib", RejectNetProhibited},
	{"icmp-host-prohibited", "host-prohib", RejectHostProhibited},
	{"tcp-reset", "tcp-rst", RejectReset},
	{"icmp-admin-prohibited", "admin-prohib", RejectAdmin},
}

var reject6Names = []struct {
	name, alias string
	reject      Reject
}{
	{"icmp6-no-route", "no-route", Reject6NoRoute},
	{"icmp6-adm-prohibited", "adm-prohibited", Reject6Admin},
	{"icmp6-addr-unreachable", "addr-unreach", Reject6Address},
	{"icmp6-port-unreachable", "port-unreach", Reject6Port},
	{"tcp-reset", "tcp-reset", RejectReset},
	{"icmp6-policy-fail", "policy-fail", Reject6Policy},
	{"icmp6-reject-route", "reject-route", Reject6Route},
}

// reject6Codes are the codes of ICMPv6's message, from Reject6NoRoute on (RFC 4443 3.1).
var reject6Codes = [...]uint8{frame.Unreachable6NoRoute, frame.Unreachable6Admin, frame.Unreachable6Address, frame.Unreachable6Port,
	frame.Unreachable6Policy, frame.Unreachable6Reject}

// Code returns the code of the ICMP Destination Unreachable message, and false where the answer is a TCP reset or none.
func (r Reject) Code() (code uint8, ok bool) {
	switch r {
	case RejectPort:
		return frame.UnreachablePort, true
	case RejectNet:
		return frame.UnreachableNet, true
	case RejectHost:
		return frame.UnreachableHost, true
	case RejectProto:
		return frame.UnreachableProtocol, true
	case RejectNetProhibited:
		return frame.UnreachableNetAdmin, true
	case RejectHostProhibited:
		return frame.UnreachableHostAdm, true
	case RejectAdmin:
		return frame.UnreachableAdmin, true
	case Reject6NoRoute, Reject6Admin, Reject6Address, Reject6Port, Reject6Policy, Reject6Route:
		return reject6Codes[r-Reject6NoRoute], true
	}
	return 0, false
}

// reject is the target REJECT.
type reject struct {
	family Family
	with   string // the full name; empty until it is known
	answer Reject
}

func (t *reject) name() string      { return "REJECT" }
func (t *reject) options() []option { return []option{{name: "reject-with", args: 1}} }

func (t *reject) place() place {
	return place{table: Filter, hooks: []trace.Hook{trace.Input, trace.Forward, trace.Output}}
}

func (t *reject) set(g given) error {
	names, arg := rejectNames, strings.ToLower(g.args[0])
	if t.family == IPv6 {
		names = reject6Names
	}
	for _, n := range names {
		if arg != "" && (strings.HasPrefix(n.name, arg) || strings.HasPrefix(n.alias, arg)) {
			t.with, t.answer = n.name, n.reject
			return nil
		}
	}
	return usage("unknown reject type \"%s\"", g.args[0])
}

func (t *reject) finish(s *spec) error {
	switch {
	case t.with == "" && t.family == IPv6:
		t.with, t.answer = "icmp6-port-unreachable", Reject6Port
	case t.with == "":
		t.with, t.answer = "icmp-port-unreachable", RejectPort
	case t.answer == RejectReset && !s.proto.is(frame.ProtoTCP):
		return usage("REJECT: tcp-reset needs `-p tcp'")
	}
	return nil
}

func (t *reject) save(b *strings.Builder)         { b.WriteString(" --reject-with " + t.with) }
func (t *reject) list(b *strings.Builder, _ bool) { b.WriteString(" reject-with " + t.with) }
func (t *reject) decide(d *Decision)              { d.Verdict, d.RejectWith = Refuse, t.answer }
