package rule

import (
	"strings"

	"uswitch/switch/frame"
)

// ctField is one of the four places in a connection's two tuples that --ctorigsrc and its kin look at, in the order in which
// they are printed.
type ctField int

const (
	ctOrigSrc ctField = iota
	ctOrigDst
	ctReplSrc
	ctReplDst
	ctFields
)

var ctAddrOptions = [ctFields]string{"ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst"}
var ctPortOptions = [ctFields]string{"ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport"}

// conntrackMatch is -m conntrack.
type conntrackMatch struct {
	family     Family
	states     ConnState // zero: not asked for
	notStates  bool
	proto      uint8
	hasProto   bool
	notProto   bool
	addrs      [ctFields]ctAddr
	ports      [ctFields]ctPort
	hasDir     bool
	direction  Direction
	beyondConn bool // asks for more than the state
}

// ctAddr is a condition on one address; the text keeps the host's bits, as iptables does.
type ctAddr struct {
	set  bool
	text network
	network
}

// ctPort is a condition on one port.
type ctPort struct {
	set bool
	portRange
}

func (m *conntrackMatch) name() string { return "conntrack" }

func (m *conntrackMatch) options() []option {
	all := []option{{name: "ctstate", args: 1, not: true}, {name: "ctproto", args: 1, not: true}, {name: "ctdir", args: 1}}
	for f := range ctFields {
		all = append(all,
			option{name: ctAddrOptions[f], args: 1, not: true}, option{name: ctPortOptions[f], args: 1, not: true})
	}
	return append(all,
		option{name: "ctstatus", args: 1, not: true, refuse: "there is --ctstate"},
		option{name: "ctexpire", args: 1, not: true, refuse: "timeouts are not looked at"})
}

func (m *conntrackMatch) set(g given) (err error) {
	m.beyondConn = m.beyondConn || g.option != "ctstate"
	switch arg := g.args[0]; g.option {
	case "ctstate":
		m.notStates = g.invert
		m.states, err = parseStates(arg, "ctstate", ^ConnState(0))
	case "ctproto":
		m.hasProto, m.notProto = true, g.invert
		m.proto, err = parseProtocol(arg)
	case "ctdir":
		m.hasDir = true
		m.direction, err = parseDirection(arg)
	default:
		err = m.setField(g)
	}
	return err
}

// setField takes one of the options about an address or a port.
func (m *conntrackMatch) setField(g given) (err error) {
	for f := range ctFields {
		switch g.option {
		case ctAddrOptions[f]:
			n, err := parseNetwork(m.family, g.args[0])
			if _, prefix := n.prefixLen(); err == nil && !prefix {
				err = usage("conntrack: --%s takes an address or a prefix, not `%s'", g.option, g.args[0])
			}
			m.addrs[f] = ctAddr{set: true, text: n}
			if err != nil {
				return err
			}
			m.addrs[f].network = n.masked()
			m.addrs[f].invert = g.invert
		case ctPortOptions[f]:
			m.ports[f].set = true
			m.ports[f].portRange, err = parsePortRange(g.args[0], g.invert)
		}
	}
	return err
}

func (m *conntrackMatch) finish(*spec) error {
	if m.states == 0 && !m.beyondConn {
		return usage("conntrack: At least one option is required")
	}
	return nil
}

// holds follows the kernel's conntrack_mt: without a connection only the state is asked, and if the rule does not ask for
// it, the rule does not match.
func (m *conntrackMatch) holds(p *Packet) bool {
	state := p.State.orInvalid()
	if m.states != 0 && (state&m.states != 0) == m.notStates {
		return false
	}
	if !state.tracked() {
		return m.states != 0
	}
	if m.hasDir && p.Direction != m.direction || m.hasProto && (p.Orig.Proto == m.proto) == m.notProto {
		return false
	}
	return m.ends(ctOrigSrc, p.Orig.SrcIP, p.Orig.SrcPort) && m.ends(ctOrigDst, p.Orig.DstIP, p.Orig.DstPort) &&
		m.ends(ctReplSrc, p.Reply.SrcIP, p.Reply.SrcPort) && m.ends(ctReplDst, p.Reply.DstIP, p.Reply.DstPort)
}

// ends checks one end of one tuple.
func (m *conntrackMatch) ends(f ctField, addr frame.Addr, port uint16) bool {
	if m.addrs[f].set && !m.addrs[f].contains(addr) {
		return false
	}
	return !m.ports[f].set || m.ports[f].contains(port)
}

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

func (m *conntrackMatch) save(b *strings.Builder)         { m.write(b, "--", true) }
func (m *conntrackMatch) list(b *strings.Builder, n bool) { m.write(b, "", n) }

// write prints the options in iptables' order, each with dashes or none before it.
func (m *conntrackMatch) write(b *strings.Builder, dashes string, numeric bool) {
	word := func(invert bool, option, value string) {
		writeNot(b, invert)
		b.WriteString(" " + dashes + option + " " + value)
	}
	if m.states != 0 {
		word(m.notStates, "ctstate", m.states.String())
	}
	if m.hasProto {
		word(m.notProto, "ctproto", decimal(m.proto))
	}
	for f, a := range m.addrs {
		if a.set {
			word(a.invert, ctAddrOptions[f], a.list(numeric || dashes != ""))
		}
	}
	for f, r := range m.ports {
		if r.set {
			text := decimal(r.low)
			if r.high != r.low {
				text += ":" + decimal(r.high)
			}
			word(r.invert, ctPortOptions[f], text)
		}
	}
	if m.hasDir && m.direction == Original {
		word(false, "ctdir", "ORIGINAL")
	} else if m.hasDir {
		word(false, "ctdir", "REPLY")
	}
}

// list returns the address as it was typed, a whole one without its mask.
func (a ctAddr) list(numeric bool) string {
	bits, _ := a.text.prefixLen()
	switch {
	case bits == a.text.ip.BitLen():
		return a.text.ip.String()
	case bits == 0 && !numeric:
		return "anywhere"
	}
	return a.text.ip.String() + a.text.suffix()
}
