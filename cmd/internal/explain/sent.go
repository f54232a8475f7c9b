package explain

import (
	"errors"
	"fmt"
	"time"

	"uswitch/sim"
)

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
