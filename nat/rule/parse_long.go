package rule

import "strings"

// long handles an option with two dashes: exact names first, then beginnings of exactly one, then those of the match that
// belongs to the protocol.
func (p *parser) long(w string) error {
	spelling, value, hasValue := strings.Cut(w, "=")
	for _, exact := range []bool{true, false} {
		found := p.candidates(spelling, exact)
		if len(found) == 1 || len(found) > 1 && exact {
			return p.takeLong(found[0], spelling, value, hasValue)
		}
	}
	if p.loadByProtocol() {
		p.at--
		return p.word(p.next())
	}
	return usage("unknown option \"--%s\"", spelling)
}

// candidate is something that a long name may mean: one of the three.
type candidate struct {
	verb   *verb
	global *global
	ext    *loaded
	option option
}

// candidates finds what a spelling may mean; of extensions the last loaded comes first.
func (p *parser) candidates(spelling string, exact bool) (found []candidate) {
	fits := func(name string) bool {
		return name == spelling || !exact && strings.HasPrefix(name, spelling)
	}
	for i := range verbs {
		if fits(verbs[i].long) || verbs[i].letter == 'N' && spelling == "new" {
			found = append(found, candidate{verb: &verbs[i]})
		}
	}
	for i := range globals {
		if fits(globals[i].long) || globals[i].also != "" && fits(globals[i].also) {
			found = append(found, candidate{global: &globals[i]})
		}
	}
	for i := len(p.exts) - 1; i >= 0; i-- {
		for _, o := range find(p.exts[i].options(), spelling, exact) {
			found = append(found, candidate{ext: p.exts[i], option: o})
		}
	}
	return found
}

// takeLong gives an option its arguments and hands it over.
func (p *parser) takeLong(c candidate, spelling, value string, hasValue bool) error {
	if c.verb != nil {
		return p.takeVerb(c.verb, value)
	}
	want := c.option.args
	if c.global != nil {
		want = c.global.args
	}
	var args []string
	if hasValue && want > 0 {
		args = append(args, value)
	} else if hasValue {
		return usage("option \"--%s\" takes no argument", spelling)
	}
	for len(args) < want {
		if want == 2 && (len(args) == 1 && !p.argument() || p.at == len(p.args)) {
			return usage("--%s requires two args.", c.option.name)
		}
		if p.at == len(p.args) {
			return usage("option \"--%s\" requires an argument", spelling)
		}
		args = append(args, p.next())
	}
	if c.global != nil {
		return p.takeGlobal(c.global, strings.Join(args, ""))
	}
	return c.ext.take(c.option, given{option: c.option.name, args: args, invert: p.invert})
}
