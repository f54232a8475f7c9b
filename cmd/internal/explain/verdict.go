package explain

import "uswitch/cmd/internal/control/api"

// verdictOf is the verdict of a question that nothing seen is in the way of (passes), and of whose fate unknown is not known.
func verdictOf(passes bool, unknown string) api.Verdict {
	switch {
	case unknown != "":
		return api.NotKnown
	case passes:
		return api.Yes
	}
	return api.No
}
