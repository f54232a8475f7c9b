package explain

import (
	"net/netip"

	"uswitch/sim"
	"uswitch/switch/trace"
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
	Allow   Result = "ALLOW"
	Drop    Result = "DROP"
	Waits   Result = "WAIT"    // until somebody has answered who has an address
	Answers Result = "ANSWER"  // here the question ends well
	Unsure  Result = "UNKNOWN" // something decides here that is not evaluated
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

	reason trace.Reason   // NoReason: none of the switch's
	host   *sim.HostState // where it is a host's own doing
	card   *sim.CardState
	addr   netip.Addr   // that was looked for
	loDown bool         // the host's lo is
	event  *trace.Event // where a step says so
	at     int          // how far the packets had come
}
