package rule

// Draft returns tables of their own that begin as s. Edits of them leave s, and the Tables that it is a Snapshot of, as they
// are; only the counters of the rules that both have are the same ones. Whoever wants to know what a series of commands
// would do tries it on a draft.
func (s *Ruleset) Draft() *Tables {
	t := &Tables{family: s.family, trial: true}
	t.current.Store(s)
	return t
}
