package rule

import "uswitch/switch/frame"

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
