package rule

import (
	"strings"

	"uswitch/switch/trace"
)

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
		if t.to, err = parsePorts(g.args[0], false); err == nil && t.to.Shifted && t.target == "REDIRECT" {
			err = usage("Shifted portmap ranges not supported with this kernel")
		}
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
