package rule

import (
	"strings"
	"sync/atomic"
	"time"
)

// limitScale is the unit of a period: 1/10000 s, the kernel's XT_LIMIT_SCALE.
const limitScale = 10000

// limitUnits are the units of a rate, from the longest.
var limitUnits = []struct {
	name   string
	period uint64 // in 1/10000 s
}{
	{"day", limitScale * 24 * 60 * 60}, {"hour", limitScale * 60 * 60}, {"min", limitScale * 60}, {"sec", limitScale},
}

// limitMatch is -m limit: a bucket of burst tokens that gains one every period; a packet that finds a token takes it and
// matches.
type limitMatch struct {
	rate, period uint64 // so many in the unit's period
	unit         string
	burst        uint64
	bucket       *bucket
}

// bucket is the state of a limit, shared by all rulesets that hold the rule. It is the moment, in nanoseconds of the Unix
// epoch, at which the bucket will be full again: one number, and so one compare-and-swap.
type bucket struct{ full atomic.Int64 }

func (m *limitMatch) name() string { return "limit" }

func (m *limitMatch) options() []option {
	return []option{{name: "limit", args: 1}, {name: "limit-burst", args: 1}}
}

func (m *limitMatch) set(g given) error {
	if g.option == "limit" {
		return m.setRate(g.args[0])
	}
	n, ok := parseNumber(g.args[0], 10000)
	if !ok {
		return usage("limit: bad value for option \"--limit-burst\", or out of range (0-10000).")
	}
	m.burst = n
	return nil
}

// setRate reads number[/unit], where the beginning of the unit's name is enough, and brings it into iptables' form: the
// period in whole 1/10000 s, counted in the longest unit that suits it.
func (m *limitMatch) setRate(arg string) error {
	count, unit, hasUnit := strings.Cut(arg, "/")
	whole := uint64(limitScale)
	if hasUnit {
		whole = 0
		for _, u := range limitUnits {
			long := u.name + map[string]string{"min": "ute", "sec": "ond"}[u.name]
			if unit != "" && len(unit) <= len(long) && strings.EqualFold(long[:len(unit)], unit) {
				whole = u.period
			}
		}
	}
	n, ok := parseNumber(count, 1<<32-1)
	switch {
	case !ok || n == 0 || whole == 0:
		return usage("bad rate \"%s\"'", arg)
	case n > whole:
		return usage("Rate too fast \"%s\"", arg)
	}
	m.normalize(whole / n)
	return nil
}

// normalize chooses the unit as iptables' print_rate does.
func (m *limitMatch) normalize(period uint64) {
	i := 1
	for ; i < len(limitUnits); i++ {
		if u := limitUnits[i].period; period > u || u/period < u%period {
			break
		}
	}
	m.unit, m.period = limitUnits[i-1].name, limitUnits[i-1].period
	m.rate = m.period / period
}

func (m *limitMatch) finish(*spec) error {
	if m.rate == 0 {
		m.normalize(limitScale * 60 * 60 / 3)
	}
	if m.burst == 0 {
		m.burst = 5
	}
	m.bucket = new(bucket)
	return nil
}

// fresh returns the same limit with a bucket of its own.
func (m *limitMatch) fresh() match {
	c := *m
	c.bucket = new(bucket)
	return &c
}

// fork returns the same limit with a bucket of its own that is as full.
func (m *limitMatch) fork() match {
	c := *m
	c.bucket = new(bucket)
	c.bucket.full.Store(m.bucket.full.Load())
	return &c
}

// holds takes a token if there is one.
func (m *limitMatch) holds(p *Packet) bool {
	cost := int64(m.period) * int64(time.Second/limitScale) / int64(m.rate)
	return m.bucket.take(p.Now, cost, int64(m.burst))
}

// take moves the moment of fullness by the cost of one token, unless that would leave less than nothing. A clock that was
// set back finds the bucket at most empty, and it fills from there.
func (b *bucket) take(now time.Time, cost, burst int64) bool {
	at := now.UnixNano()
	empty := at + burst*cost
	for {
		full := b.full.Load()
		next := max(full, at) + cost
		enough := next <= empty
		if !enough {
			next = min(full, empty)
		}
		if next == full || b.full.CompareAndSwap(full, next) {
			return enough
		}
	}
}

func (m *limitMatch) save(b *strings.Builder) {
	b.WriteString(" --limit " + m.text())
	if m.burst != 5 {
		b.WriteString(" --limit-burst " + decimal(int(m.burst)))
	}
}

func (m *limitMatch) list(b *strings.Builder, _ bool) {
	b.WriteString(" limit: avg " + m.text() + " burst " + decimal(int(m.burst)))
}

// text returns the rate as it is printed.
func (m *limitMatch) text() string { return decimal(int(m.rate)) + "/" + m.unit }
