package rule

import (
	"strings"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// setMSS is the target TCPMSS: the maximum segment size that a SYN offers becomes a value, or what fits through the
// interfaces that the connection passes, and never larger. Evaluation goes on.
type setMSS struct {
	family Family
	value  uint16
	clamp  bool
	given  bool
}

func (t *setMSS) name() string { return "TCPMSS" }

// place is where the kernel takes the target (xt_TCPMSS.c): what fits is known only once the packet has a route.
func (t *setMSS) place() place {
	if t.clamp {
		return place{hooks: []trace.Hook{trace.Forward, trace.Output, trace.Postrouting}}
	}
	return place{}
}

func (t *setMSS) options() []option {
	return []option{{name: "set-mss", args: 1}, {name: "clamp-mss-to-pmtu"}}
}

func (t *setMSS) set(g given) error {
	t.given = true
	if g.option == "clamp-mss-to-pmtu" {
		t.clamp = true
		return nil
	}
	limit := 65535 - 20 // less the shortest header of IP
	if t.family == IPv6 {
		limit = 65535 - 40
	}
	n, ok := parseNumber(g.args[0], uint64(limit))
	if !ok {
		return usage("TCPMSS: bad value for option \"--set-mss\", or out of range (0-%d).", limit)
	}
	t.value = uint16(n)
	return nil
}

func (t *setMSS) finish(*spec) error {
	if !t.given {
		return usage("TCPMSS target: At least one parameter is required")
	}
	return nil
}

// invalid says what the kernel refuses.
func (t *setMSS) invalid(s *spec) string {
	if !s.proto.is(frame.ProtoTCP) {
		return "TCPMSS needs -p tcp"
	}
	return ""
}

// apply notes on the packet what its sender may offer at most, as the rule r says.
func (t *setMSS) apply(p *Packet, r *Rule) {
	switch {
	case t.clamp:
		p.MSS.Clamp, p.MSS.Rule = true, r
	case !p.MSS.Set || t.value < p.MSS.Value:
		p.MSS.Set, p.MSS.Value, p.MSS.Rule = true, t.value, r
	}
}

func (t *setMSS) save(b *strings.Builder) {
	if t.clamp {
		b.WriteString(" --clamp-mss-to-pmtu")
		return
	}
	b.WriteString(" --set-mss " + decimal(t.value))
}

func (t *setMSS) list(b *strings.Builder, _ bool) {
	b.WriteString(" TCPMSS ")
	if t.clamp {
		b.WriteString("clamp to PMTU")
		return
	}
	b.WriteString("set " + decimal(t.value))
}
