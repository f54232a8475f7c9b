package api

import (
	"fmt"
	"strings"
)

// Asked is a question that is to be sent for real, with what was predicted of it.
type Asked struct {
	Question  Question `json:"question"`
	Predicted Verdict  `json:"predicted"`
	Address   string   `json:"address,omitempty"` // of the destination, where a name has led there; else the question says it
}

// Sent is what became of a packet that was really sent from inside a host.
type Sent struct {
	Verdict    Verdict `json:"verdict"`
	Heard      string  `json:"heard"`                // what the sender heard
	From       string  `json:"source,omitempty"`     // the address that the sender's kernel took for itself
	Packet     uint64  `json:"packet,omitempty"`     // its journey in the trace; 0: the trace has none
	Ended      *Stop   `json:"ended,omitempty"`      // where the trace saw it, or its answer, dropped
	Arrived    string  `json:"arrived,omitempty"`    // the host to whose card the trace saw it delivered
	Lost       uint64  `json:"lost,omitempty"`       // steps that the trace has lost meanwhile
	Unanswered bool    `json:"unanswered,omitempty"` // a datagram that arrived, and who got it said nothing
	Differs    bool    `json:"differs"`              // the prediction was the opposite
	Unknown    string  `json:"unknown,omitempty"`    // why the verdict is NotKnown
	Tried      Verdict `json:"predicted"`
}

// Settle has the packet that was really sent decide. What was predicted stays as it is, but for the verdict and the sentence.
func (a *Answer) Settle(s *Sent) {
	a.Sent, a.Predicted, a.Verdict, a.Works = s, a.Verdict, s.Verdict, s.Verdict == Yes
	if s.Verdict == NotKnown {
		a.Unknown = s.Unknown
		a.Sentence = "Not known: " + s.Unknown + "."
		return
	}
	a.Unknown = ""
	a.Sentence = s.sentence(a)
}

// sentence is the answer of a packet that was sent, beside what was predicted.
func (s *Sent) sentence(a *Answer) string {
	what := "a real packet was not answered (" + s.why() + ")"
	switch {
	case s.Verdict == Yes && s.Unanswered:
		what = "a real datagram was delivered to " + s.Arrived + ", and nothing was heard, as is usual with UDP"
	case s.Verdict == Yes:
		what = "a real packet was answered"
	}
	switch {
	case s.Differs:
		return fmt.Sprintf("The prediction was wrong: %s, although it said: %s", what, a.Sentence)
	case s.Verdict == Yes && (s.Unanswered || a.Predicted == NotKnown):
		return fmt.Sprintf("It works: %s.", what)
	case s.Verdict == No && a.Predicted == NotKnown:
		return fmt.Sprintf("It does not work: %s.", what)
	case s.Verdict == No:
		what = "a real packet was not answered"
	}
	return fmt.Sprintf("%s. As predicted, %s.", strings.TrimSuffix(a.Sentence, "."), what)
}

// why says what is known of a packet that was not answered.
func (s *Sent) why() string {
	switch {
	case s.Ended != nil:
		return fmt.Sprintf("dropped at %s %s: %s", s.Ended.Where, s.Ended.Type, s.Ended.Sentence)
	case s.Packet == 0 && s.Lost == 0:
		return "it heard " + s.Heard + "; nothing left the host"
	case s.Arrived != "":
		return "it heard " + s.Heard + "; the question was delivered to " + s.Arrived
	}
	return "it heard " + s.Heard
}
