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
