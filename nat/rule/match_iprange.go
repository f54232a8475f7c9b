package rule

import (
	"net/netip"
	"strings"

	"uswitch/switch/frame"
)

// iprangeMatch is -m iprange: the source, the destination or both are in a range of addresses that need be no prefix.
type iprangeMatch struct {
	family   Family
	src, dst addressRange
}

// addressRange is a range of addresses, both ends included. The zero value is any address.
type addressRange struct {
	low, high   netip.Addr
	first, last frame.Addr // the same for matching
	invert      bool
}

func (m *iprangeMatch) name() string { return "iprange" }

func (m *iprangeMatch) options() []option {
	return []option{{name: "src-range", args: 1, not: true}, {name: "dst-range", args: 1, not: true}}
}

func (m *iprangeMatch) set(g given) (err error) {
	r, err := parseAddressRange(m.family, g)
	if g.option == "src-range" {
		m.src = r
	} else {
		m.dst = r
	}
	return err
}

// parseAddressRange reads address[-address]. A range that is reversed is kept: no address is in it.
func parseAddressRange(f Family, g given) (addressRange, error) {
	r := addressRange{invert: g.invert}
	low, high, between := strings.Cut(g.args[0], "-")
	if !between {
		high = low
	}
	for _, end := range []struct {
		text string
		addr *netip.Addr
	}{{low, &r.low}, {high, &r.high}} {
		a, ok := parseAddr(f, end.text, true)
		if !ok {
			return r, usage("iprange: Bad value for \"--%s\" option: \"%s\"", g.option, end.text)
		}
		*end.addr = a
	}
	r.first, r.last = frame.AddrOf(r.low), frame.AddrOf(r.high)
	return r, nil
}

func (m *iprangeMatch) finish(*spec) error {
	if !m.src.low.IsValid() && !m.dst.low.IsValid() {
		return usage("iprange match: You must specify `--src-range' or `--dst-range'")
	}
	return nil
}

// warnings is what iptables says of a range that is reversed, and which it takes all the same.
func (m *iprangeMatch) warnings() (all []string) {
	for _, r := range []addressRange{m.src, m.dst} {
		if r.low.IsValid() && r.high.Less(r.low) {
			all = append(all, "xt_iprange: range "+r.String()+" is reversed and will never match")
		}
	}
	return all
}

func (m *iprangeMatch) holds(p *Packet) bool {
	return m.src.contains(p.Tuple.SrcIP) && m.dst.contains(p.Tuple.DstIP)
}

// contains reports whether the condition holds for an address.
func (r *addressRange) contains(a frame.Addr) bool {
	return !r.low.IsValid() || (r.first.Compare(a) <= 0 && a.Compare(r.last) <= 0) != r.invert
}

func (m *iprangeMatch) save(b *strings.Builder) {
	m.src.save(b, "src-range")
	m.dst.save(b, "dst-range")
}

func (r addressRange) save(b *strings.Builder, option string) {
	if r.low.IsValid() {
		writeNot(b, r.invert)
		b.WriteString(" --" + option + " " + r.String())
	}
}

func (m *iprangeMatch) list(b *strings.Builder, _ bool) {
	m.src.list(b, "source")
	m.dst.list(b, "destination")
}

func (r addressRange) list(b *strings.Builder, word string) {
	if r.low.IsValid() {
		b.WriteString(" " + word + " IP range")
		writeNot(b, r.invert)
		b.WriteString(" " + r.String())
	}
}

func (r addressRange) String() string { return r.low.String() + "-" + r.high.String() }
