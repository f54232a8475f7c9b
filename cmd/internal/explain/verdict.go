package explain

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
