package rule

import "strings"

// takeGlobal handles one of iptables' own options.
func (p *parser) takeGlobal(g *global, arg string) error {
	letter := g.letter
	if letter == 'g' {
		letter = 'j' // a rule has one or the other
	}
	switch {
	case p.invert && letter == 'j':
		return usage("cannot have ! before -%c", g.letter)
	case p.invert && !g.not:
		return usage("unexpected ! flag before --%s", g.long)
	case arg == "!" && g.not:
		return usage("the ! stands before its option: `! -%c ...', not `-%c !'", g.letter, g.letter)
	case p.given[letter] && !strings.ContainsRune("mvtwW", rune(letter)):
		return usage("multiple -%c flags not allowed", g.letter)
	}
	p.given[letter] = true
	return p.apply(g.letter, arg)
}

// apply notes what the option says.
func (p *parser) apply(letter byte, arg string) (err error) {
	switch letter {
	case 's':
		p.srcs, err = p.networks(arg)
	case 'd':
		p.dsts, err = p.networks(arg)
	case 'p':
		p.rule.proto.invert = p.invert
		p.rule.proto.number, err = parseProtocol(arg)
		if err == nil && p.rule.proto.number == 0 && p.invert {
			err = usage("rule would never match protocol")
		}
	case 'i':
		p.rule.in, err = p.iface(arg)
	case 'o':
		p.rule.out, err = p.iface(arg)
	case 'f':
		p.rule.fragment = fragment{set: true, invert: p.invert}
		if p.family == IPv6 {
			err = usage("`-f' is not supported in IPv6")
		}
	case 'm':
		err = p.loadMatch(arg)
	case 'j', 'g':
		err = p.jump(arg, letter == 'g')
	case 't':
		if p.inFile {
			return usage("The -t option cannot be used in iptables-restore.")
		}
		p.table, err = tableNamed(arg)
	case 'c':
		err = p.setCounters(arg)
	case 'w':
		err = p.wait()
	case '4', '6':
		p.foreign = (letter == '6') != (p.family == IPv6)
	}
	return err
}

// networks reads the argument of -s and -d.
func (p *parser) networks(arg string) ([]network, error) {
	list, err := parseNetworks(p.family, arg)
	if err != nil {
		return nil, err
	}
	if p.invert && list[0].isAny() {
		return nil, usage("rule would never match: `! %s' is no address at all", arg)
	}
	for i := range list {
		list[i].invert = p.invert
	}
	return list, nil
}

// iface reads the argument of -i and -o.
func (p *parser) iface(arg string) (iface, error) {
	i, err := parseIface(arg)
	i.invert = p.invert
	return i, err
}

// setCounters reads the two numbers of -c: separate words, or one with a comma.
func (p *parser) setCounters(packets string) error {
	packets, bytes, comma := strings.Cut(packets, ",")
	if !comma {
		if !p.argument() {
			return usage("-c requires packet and byte counter")
		}
		bytes = p.next()
	}
	n, ok := parseNumber(packets, 1<<64-1)
	if !ok {
		return usage("-c packet counter not numeric")
	}
	b, ok := parseNumber(bytes, 1<<64-1)
	if !ok {
		return usage("-c byte counter not numeric")
	}
	p.counters = counterOf(n, b)
	return nil
}

// wait reads the seconds of -w. Commands always wait for each other here, so that there is nothing to set.
func (p *parser) wait() error {
	if p.argument() {
		if w := p.next(); strings.Trim(w, "0123456789") != "" {
			return usage("wait seconds not numeric")
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
