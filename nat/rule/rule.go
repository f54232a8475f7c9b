package rule

import "sync/atomic"

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
