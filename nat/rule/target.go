package rule

import (
	"strings"

	"uswitch/switch/trace"
)

// target is what -j names, unless that is a chain of the user's.
type target interface {
	extension
	save(b *strings.Builder)               // the options, each with a leading blank
	list(b *strings.Builder, numeric bool) // the same for a listing
	place() place                          // where such a rule may stand
}

// decider is a target that ends the evaluation; it fills in what it decided.
type decider interface{ decide(d *Decision) }

// place is where a rule may stand; zero fields allow everything.
type place struct {
	table Table
	hooks []trace.Hook
}

// newTarget makes a target by its name, or nil where there is none.
func newTarget(f Family, name string) target {
	switch name {
	case "ACCEPT", "DROP", "RETURN":
		return &standard{verdict: name}
	case "REJECT":
		return &reject{family: f}
	case "LOG":
		return &logTarget{level: logWarning}
	case "MARK":
		return &setMark{}
	case "MASQUERADE", "REDIRECT":
		return &ownAddress{target: name}
	case "TCPMSS":
		return &setMSS{family: f}
	case "SNAT", "DNAT":
		return &translate{target: name, family: f}
	}
	return nil
}

// supportedTargets is what the error about such a target offers.
const supportedTargets = "ACCEPT DROP RETURN REJECT LOG MARK TCPMSS MASQUERADE SNAT DNAT REDIRECT"

// foreignTargets are targets of iptables that are refused by name.
var foreignTargets = strings.Fields(`AUDIT CHECKSUM CLASSIFY CLUSTERIP CONNMARK CONNSECMARK CT DNPT DSCP ECN HL HMARK
	IDLETIMER LED NETMAP NFLOG NFQUEUE NOTRACK QUEUE RATEEST SECMARK SET SNPT SYNPROXY TCPOPTSTRIP TEE TOS TPROXY
	TRACE TTL ULOG`)

// isTargetName reports whether a chain of this name would hide a target.
func isTargetName(f Family, name string) bool {
	for _, t := range foreignTargets {
		if t == name {
			return true
		}
	}
	return newTarget(f, name) != nil
}

// standard is a target without options: ACCEPT, DROP, RETURN.
type standard struct{ verdict string }

func (t *standard) name() string                { return t.verdict }
func (t *standard) options() []option           { return nil }
func (t *standard) set(given) error             { return nil }
func (t *standard) finish(*spec) error          { return nil }
func (t *standard) save(*strings.Builder)       {}
func (t *standard) list(*strings.Builder, bool) {}
func (t *standard) place() place                { return place{} }

func (t *standard) decide(d *Decision) {
	d.Verdict = Accept
	if t.verdict == "DROP" {
		d.Verdict = Drop
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
