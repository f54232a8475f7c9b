package rule

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"uswitch/switch/trace"
)

// violation is a rule that may not stand where it stands: the kernel's half of iptables' checks.
type violation struct {
	rule   *Rule
	errno  string // in the C library's words
	detail string
}

// hookSet is a set of hooks, one bit each.
type hookSet uint16

// validate checks a table as a whole: no loops, no calls that are too deep, no rule where its packets lack what it needs.
// It returns the first violation in the order of the chains, or nil.
func (s *Ruleset) validate(t Table) *violation {
	v := validator{ruleset: s, table: t, height: map[*chain]int{}, open: map[*chain]bool{}, reach: map[*chain]hookSet{}}
	for _, c := range s.tables[t] {
		if bad := v.visit(c); bad != nil {
			return bad
		}
	}
	for _, c := range slices.Backward(v.order) { // callers before those that they call
		if c.builtin() {
			v.reach[c] |= 1 << c.hook
		}
		for _, r := range c.rules {
			if r.jump != "" {
				v.reach[v.callee(r)] |= v.reach[c]
			}
		}
	}
	for _, c := range s.tables[t] {
		for _, r := range c.rules {
			if bad := v.place(c, r); bad != nil {
				return bad
			}
		}
	}
	return nil
}

// validator is the state of one validation.
type validator struct {
	ruleset *Ruleset
	table   Table
	height  map[*chain]int     // of chains that are done: how many chains deep they go, themselves included
	open    map[*chain]bool    // chains that the visit is inside of
	order   []*chain           // the chains that are done, called ones before their callers
	reach   map[*chain]hookSet // the hooks from which a chain can be reached
}

func (v *validator) callee(r *Rule) *chain { return v.ruleset.find(v.table, r.jump) }

// visit goes down the calls of a chain, once for each chain.
func (v *validator) visit(c *chain) *violation {
	if v.height[c] > 0 {
		return nil
	}
	v.open[c] = true
	deepest := 0
	for _, r := range c.rules {
		if r.jump == "" {
			continue
		}
		to := v.callee(r)
		if v.open[to] {
			return &violation{r, "Too many links", fmt.Sprintf("chain %s would call itself", to.name)}
		}
		if bad := v.visit(to); bad != nil {
			return bad
		}
		deepest = max(deepest, v.height[to])
		if c.builtin() && deepest >= maxDepth {
			return &violation{r, "Too many links", fmt.Sprintf("chains call each other more than %d deep", maxDepth-1)}
		}
	}
	v.open[c], v.height[c] = false, deepest+1
	v.order = append(v.order, c)
	return nil
}

// place checks that a rule may stand in the table and at all hooks that reach its chain.
func (v *validator) place(c *chain, r *Rule) *violation {
	var at place
	if r.target != nil {
		at = r.target.place()
	}
	if at.table != 0 && at.table != v.table {
		return &violation{r, "Invalid argument", fmt.Sprintf("%s is for the %s table", r.Target(), at.table)}
	}
	if what := r.invalid(); what != "" {
		return &violation{r, "Invalid argument", what}
	}
	for _, h := range tableHooks[v.table] {
		if v.reach[c]>>h&1 == 0 {
			continue
		}
		from := ""
		if !c.builtin() {
			from = fmt.Sprintf(", and %s is called from %s", c.name, builtinName(h))
		}
		if at.hooks != nil && !slices.Contains(at.hooks, h) {
			return &violation{r, "Invalid argument", fmt.Sprintf("%s is for %s only%s", r.Target(), hookList(at.hooks), from)}
		}
		if what := r.forbids(h); what != "" {
			return &violation{r, "Invalid argument", fmt.Sprintf("%s means nothing in %s%s", what, builtinName(h), from)}
		}
	}
	return nil
}

// invalid says what the kernel refuses of the rule wherever it stands, or nothing.
func (s *spec) invalid() string {
	type picky interface{ invalid(*spec) string }
	for _, m := range s.matches {
		if m, ok := m.(picky); ok {
			if what := m.invalid(s); what != "" {
				return what
			}
		}
	}
	if t, ok := s.target.(picky); ok {
		return t.invalid(s)
	}
	return ""
}

// forbids returns the match that cannot be asked at a hook, or nothing.
func (s *spec) forbids(h trace.Hook) string {
	for _, m := range s.matches {
		if f, ok := m.(interface{ forbids(trace.Hook) string }); ok {
			if what := f.forbids(h); what != "" {
				return what
			}
		}
	}
	return ""
}

// hookList names hooks by their built-in chains.
func hookList(hooks []trace.Hook) string {
	names := make([]string, len(hooks))
	for i, h := range hooks {
		names[i] = builtinName(h)
	}
	return strings.Join(names, " and ")
}

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
