package rule

import "uswitch/switch/trace"

// Verdict is what a table says of a packet. The zero value is invalid.
type Verdict uint8

// The verdicts. Those from SNAT on translate; only the nat table has them.
const (
	Accept Verdict = iota + 1
	Drop
	Refuse // drop, and tell the sender: Decision.RejectWith
	SNAT
	DNAT
	Masquerade // SNAT to the address of the interface that the packet leaves by
	Redirect   // DNAT to the address of the interface that the packet came by; to 127.0.0.1 in OUTPUT
)

// maxLogged is how many LOG rules a Decision remembers.
const maxLogged = 4

// Decision is the outcome of one table at one hook. Its strings belong to the Ruleset and may be kept.
type Decision struct {
	Verdict    Verdict
	Rule       *Rule  // the rule that decided; nil where the policy did
	Text       string // "-A FORWARD -s 11.11.11.0/24 -j ACCEPT", or "-P FORWARD DROP"
	Chain      string // where Text stands: a built-in chain or a user's
	Target     string // "ACCEPT", "MASQUERADE"
	NAT        Range  // what SNAT, DNAT, Masquerade and Redirect may choose from
	RejectWith Reject // of Refuse

	Logged   [maxLogged]*Rule // the first LOG rules that matched on the way
	LogCount int              // how many matched; may be more than Logged holds
}

// Reason returns why a packet was dropped, or trace.NoReason if it was not.
func (d *Decision) Reason() trace.Reason {
	switch {
	case d.Verdict == Drop && d.Rule == nil:
		return trace.PolicyDrop
	case d.Verdict == Drop:
		return trace.RuleDrop
	case d.Verdict == Refuse:
		return trace.RuleReject
	}
	return trace.NoReason
}
