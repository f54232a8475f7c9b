package rule

// takeVerb sets the command. glued is what stood in the same word: the chain's name, usually empty.
func (p *parser) takeVerb(v *verb, glued string) error {
	switch {
	case p.invert:
		return usage("unexpected ! flag before --%s", v.long)
	case p.verb != nil && v.letter == 'Z' && (p.verb.letter == 'L' || p.verb.letter == 'S'):
		p.zero = true
	case p.verb != nil && p.verb.letter == 'Z' && (v.letter == 'L' || v.letter == 'S'):
		p.verb, p.zero = v, true
	case p.verb != nil:
		return usage("Cannot use -%c with -%c", v.letter, p.verb.letter)
	default:
		p.verb = v
	}
	switch {
	case glued != "":
		p.chain = glued
	case v.chain && p.at == len(p.args):
		return usage("option \"-%c\" requires an argument", v.letter)
	case v.chain || v.options != "" && p.argument():
		p.chain = p.next()
	}
	if v.second != "" {
		if !p.argument() {
			return usage("%s", v.second)
		}
		p.second = p.next()
	}
	if v.number && p.argument() {
		return p.takeNumber(p.next())
	}
	if v.letter == 'R' {
		return usage("-R requires a rule number")
	}
	return nil
}

// takeNumber reads the number of a rule.
func (p *parser) takeNumber(w string) error {
	n, ok := parseNumber(w, 1<<31-1)
	if !ok || n == 0 {
		return usage("Invalid rule number `%s'", w)
	}
	p.number = int(n)
	return nil
}
