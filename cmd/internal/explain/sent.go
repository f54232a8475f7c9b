package explain

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"uswitch/sim"
	"uswitch/switch/trace"
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

// judge turns what a socket heard into a verdict. wait is how long it listened; notSent says that err is no answer.
func judge(a Asked, err error, notSent bool, wait time.Duration, s *Sent) {
	silent := errors.Is(err, sim.ErrTimeout)
	switch {
	case err == nil:
		s.Verdict, s.Heard = Yes, "an answer"
		if a.Question.Protocol == "tcp" {
			s.Heard = "the connection is accepted"
		}
	case notSent:
		s.Verdict, s.Heard, s.Unknown = NotKnown, "nothing", err.Error()
	case silent && a.Question.Protocol != "udp":
		s.Verdict, s.Heard = No, fmt.Sprintf("nothing in %v", wait)
	case !silent:
		s.Verdict, s.Heard = No, err.Error()
	case s.Ended != nil:
		s.Verdict, s.Heard = No, fmt.Sprintf("nothing in %v", wait)
	case s.Arrived != "" && a.Predicted == Yes:
		s.Verdict, s.Unanswered, s.Heard = Yes, true, fmt.Sprintf("nothing in %v, as is usual with UDP", wait)
	case s.Arrived != "":
		s.Verdict, s.Heard = NotKnown, fmt.Sprintf("nothing in %v", wait)
		s.Unknown = fmt.Sprintf("the datagram was delivered to %s, and who does not answer by UDP may have got it or not", s.Arrived)
	default:
		s.Verdict, s.Heard = NotKnown, fmt.Sprintf("nothing in %v", wait)
		s.Unknown = "nobody has to answer a datagram, and the trace does not show that it was delivered"
	}
	s.Tried = a.Predicted
	s.Differs = s.Verdict == Yes && a.Predicted == No || s.Verdict == No && a.Predicted == Yes
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

// write tells of the packet that was sent, below the prediction.
func (s *Sent) write(b *strings.Builder) {
	if s == nil {
		return
	}
	heading(b, "A real packet")
	sent := "from " + s.From
	if s.From == "" {
		sent = "the host's kernel chose no source"
	}
	switch {
	case s.Packet != 0:
		sent += fmt.Sprintf(": #%d in the trace, which `uswitch replay %d` shows", s.Packet, s.Packet)
	case s.Lost > 0:
		sent += fmt.Sprintf(": not found in the trace, which has lost %d steps", s.Lost)
	default:
		sent += ": nothing came to the switch"
	}
	line(b, "sent", sent)
	line(b, "heard", s.Heard)
	if s.Ended != nil {
		line(b, "dropped", fmt.Sprintf("%s %s, %s: (%s) %s", s.Ended.Where, s.Ended.Type, map[Way]string{There: "on the question's way",
			Back: "on the answer's way back"}[s.Ended.Way], s.Ended.Reason, s.Ended.Sentence))
		line(b, "matched", s.Ended.Rule.String())
	} else if s.Arrived != "" {
		line(b, "delivered", "to "+s.Arrived)
	}
	if s.Differs {
		line(b, "DIFFERS", "from the prediction, which said "+string(s.Tried))
	}
}

// stopOfEvent says what a drop in the trace of the live lab means.
func (l *Lab) stopOfEvent(e *trace.Event, w Way) *Stop {
	where, what := e.Step()
	return &Stop{Way: w, Where: where, Type: what, Reason: e.Reason.String(), Sentence: e.Reason.Sentence(),
		Rule: ruleOf(l.Gateway.Rules(), e), reason: e.Reason}
}
