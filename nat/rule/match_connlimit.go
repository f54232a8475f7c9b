package rule

import (
	"strconv"
	"strings"

	"uswitch/switch/frame"
)

// connlimitMatch is -m connlimit: how many connections pass the rule at this moment from, or to, the packet's network.
type connlimitMatch struct {
	family Family
	limit  uint32
	upTo   bool // holds up to the limit; else above it
	given  bool
	prefix int        // how many bits of the address make a network
	mask   frame.Addr // the same for matching
	dest   bool
	conns  uint64 // the rule's own list of connections; link gives it a number
}

// ConnCounter counts connections for -m connlimit. It is asked from the data path and from many goroutines.
type ConnCounter interface {
	// Connections counts a packet's connection, of which it knows more than its caller, in one of its lists under a network,
	// until it ends, and returns how many are counted there, it among them.
	Connections(conn any, list uint64, network frame.Addr) int
}

func (m *connlimitMatch) name() string { return "connlimit" }

func (m *connlimitMatch) options() []option {
	const limit, side = "limit", "side"
	return []option{
		{name: "connlimit-upto", args: 1, not: true, group: limit},
		{name: "connlimit-above", args: 1, not: true, group: limit},
		{name: "connlimit-mask", args: 1},
		{name: "connlimit-saddr", group: side},
		{name: "connlimit-daddr", group: side},
	}
}

func (m *connlimitMatch) set(g given) error {
	switch g.option {
	case "connlimit-upto", "connlimit-above":
		n, ok := parseNumber(g.args[0], 1<<32-1)
		if !ok {
			return usage("connlimit: bad value for option \"--%s\", or out of range (0-4294967295).", g.option)
		}
		m.limit, m.given = uint32(n), true
		m.upTo = (g.option == "connlimit-upto") != g.invert
	case "connlimit-mask":
		n, err := parseNetwork(m.family, m.family.unspecified()[:len(m.family.unspecified())-2]+"/"+g.args[0])
		bits, ok := 0, false
		if err == nil {
			bits, ok = n.prefixLen()
		}
		if !ok {
			return usage("connlimit: bad value for option \"--connlimit-mask\", neither a valid network mask nor valid CIDR (0-%d).",
				m.family.bits())
		}
		m.prefix, m.mask = bits, frame.AddrOf(n.mask)
	case "connlimit-saddr":
		m.dest = false
	case "connlimit-daddr":
		m.dest = true
	}
	return nil
}

func (m *connlimitMatch) finish(*spec) error {
	if !m.given {
		return usage("You must specify \"--connlimit-above\" or \"--connlimit-upto\".")
	}
	return nil
}

// fresh returns the same condition that has no list yet.
func (m *connlimitMatch) fresh() match {
	c := *m
	c.conns = 0
	return &c
}

// fork returns the same condition: a fork's connections are counted by another table, in a list of the same number.
func (m *connlimitMatch) fork() match { return m }

// holds counts the packet's connection; a packet without one is the only one that there is.
func (m *connlimitMatch) holds(p *Packet) bool {
	network := p.Tuple.SrcIP
	if m.dest {
		network = p.Tuple.DstIP
	}
	network = network.Mask(m.mask)
	n := 1
	if p.Conn != nil && p.Conns != nil {
		n = p.Conns.Connections(p.Conn, m.conns, network)
	}
	return (n > int(m.limit)) != m.upTo
}

func (m *connlimitMatch) save(b *strings.Builder) {
	word, side := "above", "saddr"
	if m.upTo {
		word = "upto"
	}
	if m.dest {
		side = "daddr"
	}
	b.WriteString(" --connlimit-" + word + " " + strconv.FormatUint(uint64(m.limit), 10) +
		" --connlimit-mask " + decimal(m.prefix) + " --connlimit-" + side)
}

func (m *connlimitMatch) list(b *strings.Builder, _ bool) {
	side, sign := "src", ">"
	if m.dest {
		side = "dst"
	}
	if m.upTo {
		sign = "<="
	}
	b.WriteString(" #conn " + side + "/" + decimal(m.prefix) + " " + sign + " " + strconv.FormatUint(uint64(m.limit), 10))
}

// linkCounts gives the new rules of -m connlimit numbers behind the last one, which it returns.
func (s *Ruleset) linkCounts(last uint64) uint64 {
	for m := range s.matches() {
		if m, ok := m.(*connlimitMatch); ok && m.conns == 0 {
			last++
			m.conns = last
		}
	}
	return last
}
