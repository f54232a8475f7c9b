package rule

import (
	"strings"
	"unicode"
)

// maxChainName is the longest name of a chain in bytes (XT_EXTENSION_MAXNAMELEN less the end).
const maxChainName = 28

// finish makes the checks that need the whole line.
func (p *parser) finish() error {
	if p.verb == nil {
		return usage("no command specified")
	}
	if err := p.checkOptions(); err != nil {
		return err
	}
	if p.verb.letter == 'N' || p.verb.letter == 'E' {
		if err := p.checkNames(); err != nil {
			return err
		}
	}
	if p.table == NAT && (p.rule.targetName() == "DROP" || p.verb.letter == 'P' && p.second == "DROP") {
		return usage("The \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.")
	}
	if !p.aboutRule() {
		return nil
	}
	if err := p.checkInterfaces(); err != nil {
		return err
	}
	for _, list := range []*[]network{&p.srcs, &p.dsts} {
		if len(*list) == 0 {
			*list = []network{{}}
		}
	}
	if len(p.srcs)*len(p.dsts) > 1 && (p.srcs[0].invert || p.dsts[0].invert) {
		return usage("! not allowed with multiple source or destination IP addresses")
	}
	if p.verb.letter == 'R' && len(p.srcs)*len(p.dsts) > 1 {
		return usage("Replacement rule does not specify a unique address")
	}
	for _, l := range p.exts {
		if err := l.done(&p.rule); err != nil {
			return err
		}
	}
	return nil
}

// checkOptions refuses options that the command has no use for.
func (p *parser) checkOptions() error {
	allowed := p.verb.options + "twW46"
	if p.verb.letter == 'D' && p.number > 0 {
		allowed = "vtwW46"
	}
	for _, g := range globals {
		if !p.given[g.letter] || strings.IndexByte(allowed, g.letter) >= 0 {
			continue
		}
		if g.letter == '0' {
			return usage("Illegal option `--line-numbers' with this command")
		}
		return usage("Illegal option `-%c' with this command", g.letter)
	}
	if p.foreign && !p.inFile {
		return usage("-4 and -6 are for files that both iptables-restore and ip6tables-restore read")
	}
	return nil
}

// checkNames refuses names that no new chain may have.
func (p *parser) checkNames() error {
	name := p.chain
	if p.verb.letter == 'E' {
		name = p.second
	}
	switch {
	case len(name) > maxChainName:
		return usage("chain name `%s' too long (must be under 29 chars)", name)
	case name == "" || isTargetName(p.family, name):
		return usage("chain name may not clash with target name")
	case name[0] == '-' || name[0] == '!':
		return usage("chain name not allowed to start with `%c'", name[0])
	case strings.ContainsFunc(name, unicode.IsSpace) || strings.ContainsAny(name, "\"'\\") || hasControl(name):
		return usage("Invalid chain name `%s'", name)
	}
	return nil
}

// checkInterfaces refuses interfaces that a built-in chain's packets do not have.
func (p *parser) checkInterfaces() error {
	switch p.chain {
	case "PREROUTING", "INPUT":
		if !p.rule.out.isAny() {
			return usage("Can't use -o with %s", p.chain)
		}
	case "POSTROUTING", "OUTPUT":
		if !p.rule.in.isAny() {
			return usage("Can't use -i with %s", p.chain)
		}
	}
	return nil
}
