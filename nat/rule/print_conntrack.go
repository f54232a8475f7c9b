package rule

import "strings"

func (m *conntrackMatch) save(b *strings.Builder)         { m.write(b, "--", true) }
func (m *conntrackMatch) list(b *strings.Builder, n bool) { m.write(b, "", n) }

// write prints the options in iptables' order, each with dashes or none before it.
func (m *conntrackMatch) write(b *strings.Builder, dashes string, numeric bool) {
	word := func(invert bool, option, value string) {
		writeNot(b, invert)
		b.WriteString(" " + dashes + option + " " + value)
	}
	if m.states != 0 {
		word(m.notStates, "ctstate", m.states.String())
	}
	if m.hasProto {
		word(m.notProto, "ctproto", decimal(m.proto))
	}
	for f, a := range m.addrs {
		if a.set {
			word(a.invert, ctAddrOptions[f], a.list(numeric || dashes != ""))
		}
	}
	for f, r := range m.ports {
		if r.set {
			text := decimal(r.low)
			if r.high != r.low {
				text += ":" + decimal(r.high)
			}
			word(r.invert, ctPortOptions[f], text)
		}
	}
	if m.hasDir && m.direction == Original {
		word(false, "ctdir", "ORIGINAL")
	} else if m.hasDir {
		word(false, "ctdir", "REPLY")
	}
}

// list returns the address as it was typed, a whole one without its mask.
func (a ctAddr) list(numeric bool) string {
	bits, _ := a.text.prefixLen()
	switch {
	case bits == a.text.ip.BitLen():
		return a.text.ip.String()
	case bits == 0 && !numeric:
		return "anywhere"
	}
	return a.text.ip.String() + a.text.suffix()
}
