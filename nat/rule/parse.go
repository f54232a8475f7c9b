package rule

import (
	"strings"

	"uswitch/switch/frame"
)

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

// jump sets the target of -j, or the chain of -j and -g.
func (p *parser) jump(name string, isGoto bool) error {
	switch {
	case name == "":
		return usage("Invalid target name (too short)")
	case len(name) > maxChainName:
		return usage("Invalid target name `%s' (28 chars max)", name)
	}
	t := newTarget(p.family, name)
	if t == nil || isGoto {
		if isTargetName(p.family, name) && !isGoto {
			return usage("Couldn't load target `%s': not supported here; there are %s", name, supportedTargets)
		}
		p.rule.jump, p.rule.isGoto = name, isGoto
		return nil
	}
	p.rule.target = t
	p.exts = append(p.exts, &loaded{extension: t})
	return nil
}

// loadMatch does what -m says.
func (p *parser) loadMatch(name string) error {
	m := newMatch(p.family, name)
	if m == nil {
		return usage("Couldn't load match `%s': not supported here; there are %s", name, supportedMatches)
	}
	p.rule.matches = append(p.rule.matches, m)
	p.exts = append(p.exts, &loaded{extension: m})
	return nil
}

// loadByProtocol loads the match that bears the name of the rule's protocol, once: what lets -p tcp take --dport.
func (p *parser) loadByProtocol() bool {
	if p.byProto {
		return false
	}
	name := map[uint8]string{frame.ProtoTCP: "tcp", frame.ProtoUDP: "udp", frame.ProtoICMP: "icmp", protoICMPv6: "icmp6"}
	m := name[p.rule.proto.number]
	if m == "" || newMatch(p.family, m) == nil {
		return false
	}
	p.byProto = true
	return p.loadMatch(m) == nil
}
