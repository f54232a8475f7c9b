package rule

import (
	"math"
	"strconv"
	"strings"
	"sync/atomic"
)

// certain is the probability of what always happens, in the kernel's unit: 1/2^31 (xt_statistic.c).
const certain = 1 << 31

// statisticMatch is -m statistic: some packets, drawn at random or counted off.
type statisticMatch struct {
	mode      string // "random" or "nth"
	invert    bool
	hasChance bool
	chance    uint32 // of certain
	every     uint32 // every so many packets
	packet    uint32 // which of them: 0 is the first
	hasEvery  bool
	hasPacket bool
	nth       *ordinal
}

// ordinal counts the packets that a rule has seen, shared by all rulesets that hold it: how many of the current round, and
// every-1 when the next one begins a new round.
type ordinal struct{ seen atomic.Uint32 }

// Dice gives random numbers to -m statistic. It is asked from the data path and from many goroutines at once.
type Dice interface{ Uint32() uint32 }

func (m *statisticMatch) name() string { return "statistic" }

func (m *statisticMatch) options() []option {
	return []option{
		{name: "mode", args: 1, must: true},
		{name: "probability", args: 1, not: true},
		{name: "every", args: 1, not: true, needs: "packet"},
		{name: "packet", args: 1},
	}
}

func (m *statisticMatch) set(g given) error {
	switch g.option {
	case "mode":
		if g.args[0] != "random" && g.args[0] != "nth" {
			return usage("Bad mode \"%s\"", g.args[0])
		}
		m.mode = g.args[0]
	case "probability":
		chance, err := strconv.ParseFloat(g.args[0], 64)
		if err != nil || !(chance >= 0 && chance <= 1) {
			return usage("statistic: bad value for option \"--probability\", or out of range (0-1).")
		}
		m.chance, m.hasChance, m.invert = uint32(math.Round(chance*certain)), true, g.invert
	case "every":
		n, ok := parseNumber(g.args[0], 1<<32-1)
		if !ok || n == 0 {
			return usage("statistic: bad value for option \"--every\", or out of range (1-4294967295).")
		}
		m.every, m.hasEvery, m.invert = uint32(n), true, g.invert
	case "packet":
		n, ok := parseNumber(g.args[0], 1<<32-1)
		if !ok {
			return badValue("statistic", "packet")
		}
		m.packet, m.hasPacket = uint32(n), true
	}
	return nil
}

func (m *statisticMatch) finish(*spec) error {
	switch {
	case m.mode != "nth" && !m.hasChance:
		return usage("--probability must be specified when using random mode")
	case m.mode == "nth" && !m.hasEvery && !m.hasPacket:
		return usage("--every and --packet must be specified when using nth mode")
	case m.mode == "nth" && m.packet >= m.every:
		return usage("the --packet p must be 0 <= p <= n-1")
	}
	m.nth = new(ordinal)
	m.nth.seen.Store(m.every - 1 - m.packet)
	return nil
}

// fresh returns the same condition that counts from the beginning.
func (m *statisticMatch) fresh() match {
	c := *m
	_ = c.finish(nil)
	return &c
}

// fork returns the same condition that counts on by itself.
func (m *statisticMatch) fork() match {
	c := *m
	c.nth = new(ordinal)
	c.nth.seen.Store(m.nth.seen.Load())
	return &c
}

// holds draws a number, or counts the packet. Without dice nothing is drawn, and only what is certain happens.
func (m *statisticMatch) holds(p *Packet) bool {
	if m.mode == "nth" {
		return m.nth.count(m.every) != m.invert
	}
	number := uint32(certain - 1)
	if p.Dice != nil {
		number = p.Dice.Uint32() & (certain - 1)
	}
	return (number < m.chance) != m.invert
}

// count takes one packet and reports whether a round begins with it.
func (o *ordinal) count(every uint32) bool {
	for {
		seen := o.seen.Load()
		next := seen + 1
		if next >= every {
			next = 0
		}
		if o.seen.CompareAndSwap(seen, next) {
			return next == 0
		}
	}
}

func (m *statisticMatch) save(b *strings.Builder) {
	m.write(b, " --")
	if m.mode == "nth" {
		b.WriteString(" --packet " + strconv.FormatUint(uint64(m.packet), 10))
	}
}

func (m *statisticMatch) list(b *strings.Builder, _ bool) {
	b.WriteString(" statistic")
	m.write(b, " ")
	if m.packet != 0 {
		b.WriteString(" packet " + strconv.FormatUint(uint64(m.packet), 10))
	}
}

// write prints the mode and how often, each behind dashes or a blank.
func (m *statisticMatch) write(b *strings.Builder, before string) {
	b.WriteString(before + "mode " + m.mode)
	writeNot(b, m.invert)
	if m.mode == "random" {
		b.WriteString(before + "probability " + strconv.FormatFloat(float64(m.chance)/certain, 'f', 11, 64))
		return
	}
	b.WriteString(before + "every " + strconv.FormatUint(uint64(m.every), 10))
}
