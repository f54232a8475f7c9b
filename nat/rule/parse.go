package rule

import "strings"

// parser reads one command line as iptables does with getopt_long: options in any order, long ones abbreviated, short
// ones in a bunch, and ! before what it negates.
type parser struct {
	command
	family  Family
	args    []string
	at      int // the next word
	invert  bool
	exts    []*loaded // matches, and the target, in the order in which they were loaded
	byProto bool      // the protocol's own match was looked for
	inFile  bool      // a line of Restore: the table is given, -t is refused
}

// parse reads a command line. table is where the command works unless -t says otherwise.
func parse(f Family, args []string, table Table, inFile bool) (*command, error) {
	p := &parser{family: f, args: args, inFile: inFile}
	p.table, p.given, p.rule.family = table, map[byte]bool{}, f
	for p.at < len(p.args) {
		if err := p.word(p.next()); err != nil {
			return nil, err
		}
	}
	if p.invert {
		return nil, usage("nothing appropriate following !")
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return &p.command, nil
}

// next takes a word. There must be one.
func (p *parser) next() string {
	p.at++
	return p.args[p.at-1]
}

// argument reports whether the next word is one that an option may take if it likes: not an option, not !.
func (p *parser) argument() bool {
	return p.at < len(p.args) && !strings.HasPrefix(p.args[p.at], "-") && !strings.HasPrefix(p.args[p.at], "!")
}

// word handles the word at hand.
func (p *parser) word(w string) error {
	switch {
	case w == "!" && p.invert:
		return usage("multiple consecutive ! not allowed")
	case w == "!":
		p.invert = true
		return nil
	case len(w) > 2 && strings.HasPrefix(w, "--"):
		defer func() { p.invert = false }()
		return p.long(w[2:])
	case len(w) > 1 && w[0] == '-' && w[1] != '-':
		defer func() { p.invert = false }()
		return p.short(w[1:])
	}
	return usage("Bad argument `%s'", w)
}

// short handles letters behind one dash: the last may take what follows it as its argument.
func (p *parser) short(letters string) error {
	for letters != "" {
		letter, rest := letters[0], letters[1:]
		if v := verbOf(letter); v != nil {
			return p.takeVerb(v, rest)
		}
		g := globalOf(letter)
		if g == nil || letter == '0' {
			return usage("unknown option \"-%c\"", letter)
		}
		if g.args == 0 {
			if err := p.takeGlobal(g, ""); err != nil {
				return err
			}
			letters = rest
			continue
		}
		if rest == "" {
			if p.at == len(p.args) {
				return usage("option \"-%c\" requires an argument", letter)
			}
			rest = p.next()
		}
		return p.takeGlobal(g, rest)
	}
	return nil
}

// verbOf finds a command by its letter.
func verbOf(letter byte) *verb {
	for i := range verbs {
		if verbs[i].letter == letter {
			return &verbs[i]
		}
	}
	return nil
}

// globalOf finds an option by its letter.
func globalOf(letter byte) *global {
	for i := range globals {
		if globals[i].letter == letter {
			return &globals[i]
		}
	}
	return nil
}

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
