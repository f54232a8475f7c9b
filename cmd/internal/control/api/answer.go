package api

import (
	"strings"

	"uswitch/switch/trace"
)

// Question is one packet that somebody might send.
type Question struct {
	From         string `json:"from"`                    // a host's name, Machine or Outsider
	To           string `json:"to"`                      // an IPv4 address, a host's name, "gateway", or a name that DNS knows
	Protocol     string `json:"protocol"`                // icmp, tcp or udp
	Port         uint16 `json:"port,omitempty"`          // with tcp and udp
	FromPort     uint16 `json:"from_port,omitempty"`     // with tcp and udp; 0: any
	Size         int    `json:"size,omitempty"`          // bytes of data in a ping; 0: 56
	DontFragment bool   `json:"dont_fragment,omitempty"` // of a ping
}

// String returns the question as people write it: RED to 8.8.8.8, TCP port 443.
func (q Question) String() string { return q.From + " to " + q.To + ", " + q.What(trace.English) }

// What names what is sent.
func (q Question) What(in trace.Language) string {
	if q.Protocol == "icmp" {
		return "ping"
	}
	if q.FromPort != 0 {
		return in("%s port %d from port %d", strings.ToUpper(q.Protocol), q.Port, q.FromPort)
	}
	return in("%s port %d", strings.ToUpper(q.Protocol), q.Port)
}

// Object is what is to be reached.
func (q Question) Object(in trace.Language) string {
	if q.Protocol == "icmp" {
		return q.To
	}
	return in("%s of %s", q.What(in), q.To)
}

// Outsider is the name of somebody outside, as the asker of a question; Machine that of the machine that the gateway is. It is called
// host as well, unless a host of the lab is.
const (
	Outsider = "outside"
	Machine  = "gateway"
)

// Way says which packet a step belongs to.
type Way string

// The ways.
const (
	There Way = "question" // the question's way out
	Back  Way = "answer"   // the answer's way back, be it an error
)

// Answer is what Explain has found out. Its JSON form has the same words as its text.
type Answer struct {
	Question Question `json:"question"`
	Address  string   `json:"address,omitempty"` // of the destination
	Verdict  Verdict  `json:"verdict"`
	Works    bool     `json:"works"` // the verdict is Yes
	Phases   []Phase  `json:"phases"`
	Stop     *Stop    `json:"stop,omitempty"`    // what is in the way; nil if nothing is, as far as can be seen
	Sentence string   `json:"sentence"`          // the answer in one sentence
	Unknown  string   `json:"unknown,omitempty"` // what the lab cannot know; never empty where the verdict is NotKnown
	// Where a real packet was sent, that has decided the verdict, Works and the sentence; all else is the prediction.
	Predicted Verdict `json:"predicted,omitempty"`
	Sent      *Sent   `json:"sent,omitempty"`
}

// Phase is one thing that happens to the question or to its answer.
type Phase struct {
	Number  int    `json:"phase"`
	Way     Way    `json:"way"`
	Where   string `json:"where"` // RED, br0, gateway, uplink
	Type    string `json:"type"`  // route, arp, forward ...
	Result  Result `json:"result"`
	Looked  string `json:"looked_up,omitempty"`
	Found   string `json:"found,omitempty"` // what the look-up answered
	Rule    *Rule  `json:"rule,omitempty"`  // the rule that matched, or the policy
	Changed string `json:"changed,omitempty"`
	Before  string `json:"before,omitempty"` // of a translation
	After   string `json:"after,omitempty"`
	Reason  string `json:"reason,omitempty"` // on a drop
}

// Result is what a phase comes to.
type Result string

// The results.
const (
	ResultAllow   Result = "ALLOW"
	ResultDrop    Result = "DROP"
	ResultWait    Result = "WAIT"    // until somebody has answered who has an address
	ResultAnswer  Result = "ANSWER"  // here the question ends well
	ResultUnknown Result = "UNKNOWN" // something decides here that is not evaluated
)

// Rule is where a decision is written.
type Rule struct {
	Table  string `json:"table"`
	Chain  string `json:"chain"`
	Number int    `json:"number"` // within the chain, from 1; 0: the policy
	Text   string `json:"text"`
}

// Stop is what keeps a question from being answered.
type Stop struct {
	Way      Way    `json:"way"`
	Where    string `json:"where"`
	Type     string `json:"type"`
	Reason   string `json:"reason"`
	Sentence string `json:"sentence"`
	Rule     *Rule  `json:"rule,omitempty"`
}

// Verdict is what is known of a question's end. A false certainty is worse than none: what has not been looked at, and what
// cannot be known from here, makes it NotKnown.
type Verdict string

// The verdicts.
const (
	Yes      Verdict = "yes"     // it is answered
	No       Verdict = "no"      // it is not
	NotKnown Verdict = "unknown" // why stands beside it
)

// String is how a rule is told: rule 1 of FORWARD (filter): -A FORWARD ...
func (r *Rule) String() string { return r.In(trace.English) }

// In is its String in a language.
func (r *Rule) In(in trace.Language) string {
	switch {
	case r == nil:
		return ""
	case r.Number == 0:
		return in("policy: %s", r.Text)
	}
	return in("rule %d: %s", r.Number, r.Text)
}

// Advice is what WhyNot has found out.
type Advice struct {
	Question Question `json:"question"`
	Verdict  Verdict  `json:"verdict"`        // of the question, as the lab is
	Works    bool     `json:"works"`          // already, as the lab is: the verdict is Yes
	Stop     *Stop    `json:"stop,omitempty"` // the first thing that is in the way
	Steps    []Remedy `json:"steps"`          // to be done in this order
	Solved   bool     `json:"solved"`         // with all of them the verdict is Yes: it was tried
	Rest     *Stop    `json:"rest,omitempty"` // what is still in the way after them, and for which nothing is known to help
	Sentence string   `json:"sentence"`
	Unknown  string   `json:"unknown,omitempty"`
	Look     []string `json:"look,omitempty"` // commands that show what was not looked at
}

// Remedy is one thing to do, and what it is against.
type Remedy struct {
	Because string `json:"because"`           // what was in the way
	Reason  string `json:"reason"`            // its name
	Rule    *Rule  `json:"rule,omitempty"`    // that decided, where one did
	Command string `json:"command,omitempty"` // to be typed; empty where no command can do it
	Text    string `json:"text,omitempty"`    // what to do where no command can
}
