package rule

import (
	"strings"

	"uswitch/switch/frame"
)

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
	if p.invert && len(list) > 1 {
		return nil, usage("! not allowed with multiple source or destination IP addresses")
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
