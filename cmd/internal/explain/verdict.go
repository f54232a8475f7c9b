package explain

// Verdict is what is known of a question's end. A false certainty is worse than none: what has not been looked at, and what
// cannot be known from here, makes it NotKnown.
type Verdict string

// The verdicts.
const (
	Yes      Verdict = "yes"     // it is answered
	No       Verdict = "no"      // it is not
	NotKnown Verdict = "unknown" // why stands beside it
)

// verdictOf is the verdict of a question that nothing seen is in the way of (passes), and of whose fate unknown is not known.
func verdictOf(passes bool, unknown string) Verdict {
	switch {
	case unknown != "":
		return NotKnown
	case passes:
		return Yes
	}
	return No
}
