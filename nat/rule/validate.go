package rule

import (
	"fmt"
	"slices"
	"strings"

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
