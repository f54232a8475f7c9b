package rule

import "strings"

// stateMatch is -m state, the older form of -m conntrack --ctstate.
type stateMatch struct {
	states ConnState
	invert bool
}

func (m *stateMatch) name() string       { return "state" }
func (m *stateMatch) finish(*spec) error { return nil }

func (m *stateMatch) options() []option {
	return []option{{name: "state", args: 1, not: true, must: true}}
}

func (m *stateMatch) set(g given) (err error) {
	m.invert = g.invert
	m.states, err = parseStates(g.args[0], "state", ^(StateSNAT | StateDNAT))
	return err
}

func (m *stateMatch) holds(p *Packet) bool {
	return (p.State.orInvalid()&m.states != 0) != m.invert
}

func (m *stateMatch) save(b *strings.Builder) {
	writeNot(b, m.invert)
	b.WriteString(" --state " + m.states.String())
}

func (m *stateMatch) list(b *strings.Builder, _ bool) {
	writeNot(b, m.invert)
	b.WriteString(" state " + m.states.String())
}
