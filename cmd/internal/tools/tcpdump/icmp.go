package tcpdump

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"

	"uswitch/switch/frame"
)

// icmp prints an ICMP message (RFC 792; print-icmp.c).
func (p *Printer) icmp(k packet) {
	b := k.payload
	if len(b) < 8 {
		p.f(" [|icmp]")
		return
	}
	id, seq := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	said := frame.ICMP(b).Error().Words().Tcpdump
	text := cmp.Or(said, fmt.Sprintf("type-#%d", b[0]))
	switch b[0] {
	case 0:
		text = fmt.Sprintf("echo reply, id %d, seq %d", id, seq)
	case 8:
		text = fmt.Sprintf("echo request, id %d, seq %d", id, seq)
	case 3:
		text = unreachable(b)
	case 5:
		text = redirect(b)
	case 11:
		text = fmt.Sprintf("time exceeded-#%d", b[1])
		if said != "" {
			text = said
		}
	case 13:
		text = fmt.Sprintf("time stamp query id %d seq %d", id, seq)
	case 14:
		if p.short(b, 20, "icmp") {
			return
		}
		text = fmt.Sprintf("time stamp reply id %d seq %d: org %s, recv %s, xmit %s", id, seq,
			clock(be.Uint32(b[8:])), clock(be.Uint32(b[12:])), clock(be.Uint32(b[16:])))
	case 18:
		if p.short(b, 12, "icmp") {
			return
		}
		text = fmt.Sprintf("address mask is 0x%08x", be.Uint32(b[8:]))
	case 12:
		text = fmt.Sprintf("parameter problem - octet %d", b[4])
		if b[1] != 0 {
			text = fmt.Sprintf("parameter problem - code %d", b[1])
		}
	}
	p.f("ICMP %s, length %d", text, k.length)
}

// clock writes milliseconds since midnight.
func clock(ms uint32) string {
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3600000, ms/60000%60, ms/1000%60, ms%1000)
}

// quoted reads the packet that an ICMP error is about.
func quoted(b []byte) (dst netip.Addr, proto uint8, payload []byte, ok bool) {
	if len(b) < 8+frame.IPv4Header {
		return dst, 0, nil, false
	}
	b = b[8:]
	dst, _ = netip.AddrFromSlice(b[16:20])
	header := min(int(b[0]&0xf)*4, len(b))
	return dst, b[9], b[header:], true
}

func unreachable(b []byte) string {
	dst, proto, payload, ok := quoted(b)
	code, said := b[1], frame.ICMP(b).Error().Words()
	switch {
	case said.Ping == "": // there is no such code
		return fmt.Sprintf("#%d %v unreachable", code, dst)
	case !ok:
		return "[|icmp]"
	case code == 2:
		return fmt.Sprintf("%v protocol %d unreachable", dst, proto)
	case code == 3 && len(payload) >= 4:
		port := binary.BigEndian.Uint16(payload[2:])
		switch proto {
		case frame.ProtoTCP:
			return fmt.Sprintf("%v tcp port %d unreachable", dst, port)
		case frame.ProtoUDP:
			return fmt.Sprintf("%v udp port %d unreachable", dst, port)
		}
		return fmt.Sprintf("%v protocol %d port %d unreachable", dst, proto, port)
	case code == 3:
		return "[|icmp]"
	case code == 4:
		mtu := binary.BigEndian.Uint16(b[6:]) // RFC 1191 4
		if mtu == 0 {
			return fmt.Sprintf("%v unreachable - need to frag", dst)
		}
		return fmt.Sprintf("%v unreachable - need to frag (mtu %d)", dst, mtu)
	}
	return fmt.Sprintf(said.Tcpdump, dst)
}

func redirect(b []byte) string {
	dst, _, _, ok := quoted(b)
	if !ok {
		return "[|icmp]"
	}
	forms := [...]string{"redirect %v to net %v", "redirect %v to host %v", "redirect-tos %v to net %v", "redirect-tos %v to host %v"}
	form := fmt.Sprintf("redirect-#%d %%v to host %%v", b[1])
	if int(b[1]) < len(forms) {
		form = forms[b[1]]
	}
	gateway, _ := netip.AddrFromSlice(b[4:8])
	return fmt.Sprintf(form, dst, gateway)
}
