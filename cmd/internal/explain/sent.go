package explain

import (
	"errors"
	"fmt"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
)

// judge turns what a socket heard into a verdict. wait is how long it listened; notSent says that err is no answer.
func judge(a api.Asked, err error, notSent bool, wait time.Duration, s *api.Sent) {
	silent := errors.Is(err, sim.ErrTimeout)
	switch {
	case err == nil:
		s.Verdict, s.Heard = api.Yes, "an answer"
		if a.Question.Protocol == "tcp" {
			s.Heard = "the connection is accepted"
		}
	case notSent:
		s.Verdict, s.Heard, s.Unknown = api.NotKnown, "nothing", err.Error()
	case silent && a.Question.Protocol != "udp":
		s.Verdict, s.Heard = api.No, fmt.Sprintf("nothing in %v", wait)
	case !silent:
		s.Verdict, s.Heard = api.No, err.Error()
	case s.Ended != nil:
		s.Verdict, s.Heard = api.No, fmt.Sprintf("nothing in %v", wait)
	case s.Arrived != "" && a.Predicted == api.Yes:
		s.Verdict, s.Unanswered, s.Heard = api.Yes, true, fmt.Sprintf("nothing in %v, as is usual with UDP", wait)
	case s.Arrived != "":
		s.Verdict, s.Heard = api.NotKnown, fmt.Sprintf("nothing in %v", wait)
		s.Unknown = fmt.Sprintf("the datagram was delivered to %s, and who does not answer by UDP may have got it or not", s.Arrived)
	default:
		s.Verdict, s.Heard = api.NotKnown, fmt.Sprintf("nothing in %v", wait)
		s.Unknown = "nobody has to answer a datagram, and the trace does not show that it was delivered"
	}
	s.Tried = a.Predicted
	s.Differs = s.Verdict == api.Yes && a.Predicted == api.No || s.Verdict == api.No && a.Predicted == api.Yes
}
