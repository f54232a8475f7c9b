package rule

import (
	"net/netip"
	"strings"

	"uswitch/switch/trace"
)

// Range is what a translation may choose from.
type Range struct {
	MinAddr, MaxAddr netip.Addr // invalid where the rule names no address: it stays, or it is the gateway's own
	HasPorts         bool       // whether the rule names ports; else the port stays if it can
	MinPort, MaxPort uint16
	BasePort         uint16 // DNAT with a shift: MinPort stands for this one, and so on; 0 is no shift
	Random           bool   // --random or --random-fully: not the first free port but any
	Persistent       bool   // --persistent: the same address for the same client
}

// natFlags are the options behind a range, as they are typed and listed.
type natFlags struct{ random, fully, persistent bool }

func (f natFlags) words() (words []string) {
	if f.random {
		words = append(words, "random")
	}
	if f.fully {
		words = append(words, "random-fully")
	}
	if f.persistent {
		words = append(words, "persistent")
	}
	return words
}

// set takes one of the options.
func (f *natFlags) set(option string) {
	switch option {
	case "random":
		f.random = true
	case "random-fully":
		f.fully = true
	case "persistent":
		f.persistent = true
	}
}

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

// ownAddress is MASQUERADE and REDIRECT: the packet gets the address of the interface that it leaves or came by.
type ownAddress struct {
	target string
	to     Range
	flags  natFlags
}

func (t *ownAddress) name() string { return t.target }

func (t *ownAddress) place() place {
	if t.target == "MASQUERADE" {
		return place{NAT, []trace.Hook{trace.Postrouting}}
	}
	return place{NAT, []trace.Hook{trace.Prerouting, trace.Output}}
}

func (t *ownAddress) options() []option {
	all := []option{{name: "to-ports", args: 1}, {name: "random"}}
	if t.target == "MASQUERADE" {
		all = append(all, option{name: "random-fully"})
	}
	return all
}

func (t *ownAddress) set(g given) (err error) {
	if g.option == "to-ports" {
		t.to, err = parsePortsOf(g.args[0])
		return err
	}
	t.flags.set(g.option)
	return nil
}

func (t *ownAddress) finish(s *spec) error {
	t.to.Random = t.flags.random || t.flags.fully
	return needPorts(s, t.to.HasPorts)
}

func (t *ownAddress) save(b *strings.Builder) {
	if t.to.HasPorts {
		b.WriteString(" --to-ports " + t.to.ports())
	}
	for _, w := range t.flags.words() {
		b.WriteString(" --" + w)
	}
}

func (t *ownAddress) list(b *strings.Builder, _ bool) {
	if t.to.HasPorts && t.target == "MASQUERADE" {
		b.WriteString(" masq ports: " + t.to.ports())
	} else if t.to.HasPorts {
		b.WriteString(" redir ports " + t.to.ports())
	}
	for _, w := range t.flags.words() {
		b.WriteString(" " + w)
	}
}

func (t *ownAddress) decide(d *Decision) {
	d.Verdict, d.NAT = Redirect, t.to
	if t.target == "MASQUERADE" {
		d.Verdict = Masquerade
	}
}
