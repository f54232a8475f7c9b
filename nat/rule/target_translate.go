package rule

import (
	"strings"

	"uswitch/switch/trace"
)

// translate is SNAT and DNAT: the packet gets an address of the rule's.
type translate struct {
	target string
	family Family
	to     Range
	flags  natFlags
}

func (t *translate) name() string { return t.target }

func (t *translate) place() place {
	if t.target == "SNAT" {
		return place{NAT, []trace.Hook{trace.Input, trace.Postrouting}}
	}
	return place{NAT, []trace.Hook{trace.Prerouting, trace.Output}}
}

// option is the name of the one that takes the range.
func (t *translate) option() string {
	if t.target == "SNAT" {
		return "to-source"
	}
	return "to-destination"
}

func (t *translate) options() []option {
	all := []option{{name: t.option(), args: 1, must: true}, {name: "random"}, {name: "persistent"}}
	if t.target == "SNAT" {
		all = append(all, option{name: "random-fully"})
	}
	return all
}

func (t *translate) set(g given) (err error) {
	if g.option == t.option() {
		t.to, err = parseRange(t.family, g.args[0], t.target == "DNAT")
		return err
	}
	t.flags.set(g.option)
	return nil
}

func (t *translate) finish(s *spec) error {
	t.to.Random, t.to.Persistent = t.flags.random || t.flags.fully, t.flags.persistent
	return needPorts(s, t.to.HasPorts)
}

func (t *translate) save(b *strings.Builder) {
	b.WriteString(" --" + t.option() + " " + t.to.text(t.family))
	for _, w := range t.flags.words() {
		b.WriteString(" --" + w)
	}
}

func (t *translate) list(b *strings.Builder, _ bool) {
	b.WriteString(" to:" + t.to.text(t.family))
	for _, w := range t.flags.words() {
		b.WriteString(" " + w)
	}
}

func (t *translate) decide(d *Decision) {
	d.Verdict, d.NAT = SNAT, t.to
	if t.target == "DNAT" {
		d.Verdict = DNAT
	}
}
