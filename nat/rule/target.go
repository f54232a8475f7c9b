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
