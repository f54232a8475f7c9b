package rule

import (
	"strings"
	"sync/atomic"
)

// Rule is one rule of a chain. It never changes; only its counter does.
type Rule struct {
	spec
	chain    string
	text     string // "-A FORWARD -s 11.11.11.0/24 -j ACCEPT"
	action   action
	decision Decision // what Evaluate returns where action is decide
	count    *Counter
}

// Counter counts packets and their bytes. It may be read and written from many goroutines at once; the two numbers are not
// read together.
type Counter struct{ packets, bytes atomic.Uint64 }

// Packets returns the number of packets that matched.
func (c *Counter) Packets() uint64 { return c.packets.Load() }

// Bytes returns the sum of their lengths, IP header included.
func (c *Counter) Bytes() uint64 { return c.bytes.Load() }

// add counts one packet.
func (c *Counter) add(length int) {
	c.packets.Add(1)
	c.bytes.Add(uint64(length))
}

// counterOf returns a counter that starts at the given numbers.
func counterOf(packets, bytes uint64) *Counter {
	c := new(Counter)
	c.packets.Store(packets)
	c.bytes.Store(bytes)
	return c
}

// String returns the rule as iptables -S prints it: "-A FORWARD -s 11.11.11.0/24 -j ACCEPT".
func (r *Rule) String() string { return r.text }

// Chain returns the name of the chain that the rule stands in.
func (r *Rule) Chain() string { return r.chain }

// Target returns the target's name, the called chain's, or nothing where the rule only counts.
func (r *Rule) Target() string { return r.targetName() }

// Counter returns the rule's counter, which lives as long as the rule does, across edits of its neighbours.
func (r *Rule) Counter() *Counter { return r.count }

// LogPrefix returns what a LOG rule puts before its lines, and whether the rule is one.
func (r *Rule) LogPrefix() (prefix string, ok bool) {
	l, ok := r.target.(*logTarget)
	if !ok {
		return "", false
	}
	return l.prefix, true
}

// newRule makes the rule of a chain from what was read.
func newRule(chain string, s spec, c *Counter) *Rule {
	r := &Rule{spec: s, chain: chain, count: c}
	r.text = "-A " + chain + s.conditions() + s.verdict()
	r.action = s.action()
	r.decision = Decision{Rule: r, Text: r.text, Chain: chain, Target: s.targetName()}
	if d, ok := s.target.(decider); ok {
		d.decide(&r.decision)
	}
	return r
}

// spec is what a rule says, without the chain that it stands in: the part of the command line from -s to the end of -j.
type spec struct {
	family   Family
	src, dst network
	in, out  iface
	proto    protocol
	fragment fragment
	matches  []match // in the order in which they were loaded
	target   target  // nil where the rule only counts, or calls a chain
	jump     string  // the user's chain that -j or -g names
	isGoto   bool
}

// iface is a condition on an interface's name; a trailing + stands for any ending. The zero value is any interface.
type iface struct {
	name   string // without the +
	prefix bool   // name is the beginning of one
	invert bool
}

// isAny reports whether the rule says nothing about the interface.
func (i iface) isAny() bool { return i.name == "" && !i.invert }

// matches reports whether the condition holds; name is empty where the packet has no such interface.
func (i *iface) matches(name string) bool {
	if i.prefix || i.name == "" {
		return strings.HasPrefix(name, i.name) != i.invert
	}
	return (name == i.name) != i.invert
}

// String returns the name as it is typed.
func (i iface) String() string {
	if i.prefix || i.name == "" {
		return i.name + "+"
	}
	return i.name
}

// list returns the column of a listing.
func (i iface) list(any string) string {
	if i.isAny() {
		return any
	}
	return bang(i.invert) + i.String()
}

// save writes the option as iptables -S does.
func (i iface) save(b *strings.Builder, option string) {
	if !i.isAny() {
		writeNot(b, i.invert)
		b.WriteString(" " + option + " " + i.String())
	}
}

// parseIface reads an interface's name. The kernel has names of up to 15 bytes without blanks and slashes; quotes would not
// survive iptables-save.
func parseIface(arg string) (iface, error) {
	switch {
	case arg == "":
		return iface{}, usage("Empty interface is likely to be undesired")
	case len(arg) > 15:
		return iface{}, usage("interface name `%s' must be shorter than IFNAMSIZ (15)", arg)
	case strings.ContainsAny(arg, " \t/\"'\\") || hasControl(arg):
		return iface{}, usage("weird character in interface `%s' (quotes, '/' and ' ' are not allowed)", arg)
	}
	name, prefix := strings.CutSuffix(arg, "+")
	return iface{name: name, prefix: prefix}, nil
}

// protocol is a condition on the IP protocol. The zero value is any protocol.
type protocol struct {
	number uint8
	invert bool
}

// matches reports whether the condition holds.
func (p protocol) matches(number uint8) bool {
	return p.number == 0 || (p.number == number) != p.invert
}

// is reports whether the rule's packets are surely of this protocol.
func (p protocol) is(number uint8) bool { return p.number == number && !p.invert }

// fragment is the condition -f: second and further fragments only, or with ! all others.
type fragment struct{ set, invert bool }

// matches reports whether the condition holds; later says that the packet is a second or further fragment.
func (f fragment) matches(later bool) bool { return !f.set || later != f.invert }

// list returns the column "opt" of a listing.
func (f fragment) list() string {
	switch {
	case !f.set:
		return "--"
	case f.invert:
		return "!f"
	}
	return "-f"
}

// conditions returns the first half of the rule's text: everything before -j, each option with a leading blank.
func (s *spec) conditions() string {
	var b strings.Builder
	s.src.save(&b, "-s")
	s.dst.save(&b, "-d")
	s.in.save(&b, "-i")
	s.out.save(&b, "-o")
	if s.proto.number != 0 {
		writeNot(&b, s.proto.invert)
		b.WriteString(" -p " + protocolName(s.proto.number))
	}
	if s.fragment.set {
		writeNot(&b, s.fragment.invert)
		b.WriteString(" -f")
	}
	for _, m := range s.matches {
		b.WriteString(" -m " + m.name())
		m.save(&b)
	}
	return b.String()
}

// verdict returns the second half of the rule's text: -j or -g with its options, with a leading blank.
func (s *spec) verdict() string {
	var b strings.Builder
	switch {
	case s.isGoto:
		b.WriteString(" -g " + s.jump)
	case s.jump != "":
		b.WriteString(" -j " + s.jump)
	case s.target != nil:
		b.WriteString(" -j " + s.target.name())
		s.target.save(&b)
	}
	return b.String()
}

// targetName returns the word behind -j or -g, or nothing.
func (s *spec) targetName() string {
	if s.target != nil {
		return s.target.name()
	}
	return s.jump
}
