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
