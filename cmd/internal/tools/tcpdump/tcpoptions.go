package tcpdump

import "encoding/hex"

// tcpOptions prints the options behind TCP's header (RFC 9293 3.2); ok is false if one of them made it stop. theirs is
// where the numbers of selective acknowledgements count from.
func (p *Printer) tcpOptions(b []byte, theirs uint32) (ok bool) {
	for i := 0; len(b) > 0; i++ {
		if i > 0 {
			p.f(",")
		}
		kind := b[0]
		if kind == 0 {
			p.f("eol")
			return true
		}
		if kind == 1 {
			p.f("nop")
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			p.f("[bad opt]")
			return false
		}
		p.tcpOption(kind, b[2:b[1]], theirs)
		b = b[b[1]:]
	}
	return true
}

// tcpOption prints one option: its name, and its value if it has the length that it should have.
func (p *Printer) tcpOption(kind byte, value []byte, theirs uint32) {
	lengths := map[byte]int{2: 2, 3: 1, 4: 0, 8: 8}
	switch kind {
	case 2:
		p.f("mss")
		if len(value) >= 2 {
			p.f(" %d", be.Uint16(value))
		}
	case 3:
		p.f("wscale")
		if len(value) >= 1 {
			p.f(" %d", value[0])
		}
	case 4:
		p.f("sackOK")
	case 5:
		p.f("sack")
		if len(value)%8 != 0 {
			p.f(" invalid sack")
			return
		}
		p.f(" %d ", len(value)/8)
		for ; len(value) > 0; value = value[8:] {
			p.f("{%d:%d}", be.Uint32(value)-theirs, be.Uint32(value[4:])-theirs)
		}
	case 8:
		p.f("TS")
		if len(value) >= 8 {
			p.f(" val %d ecr %d", be.Uint32(value), be.Uint32(value[4:]))
		}
	case 34: // RFC 7413 4.1.1
		p.f("tfo ")
		p.cookie(value)
	case 253, 254: // RFC 6994 3
		if len(value) >= 2 && be.Uint16(value) == 0xf989 {
			p.f("exp-tfo")
			p.cookie(value[2:])
			return
		}
		p.f("unknown-%d", kind)
		if len(value) > 0 {
			p.f(" 0x%s", hex.EncodeToString(value))
		}
	default:
		p.f("unknown-%d", kind)
		if len(value) > 0 {
			p.f(" 0x%s", hex.EncodeToString(value))
		}
	}
	if want, fixed := lengths[kind]; fixed && len(value) != want {
		p.f("[len %d]", len(value)+2)
	}
}

// cookie prints that of fast open.
func (p *Printer) cookie(value []byte) {
	if len(value) == 0 {
		p.f(" cookiereq")
		return
	}
	p.f(" cookie %s", hex.EncodeToString(value))
}
