package rule

import (
	"strings"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// addrtypeMatch is -m addrtype.
type addrtypeMatch struct {
	src, dst         AddrType // zero: not asked for
	notSrc, notDst   bool
	limitIn, limitTo bool // ask about the interface that the packet came by, or leaves by
}

func (m *addrtypeMatch) name() string { return "addrtype" }

func (m *addrtypeMatch) options() []option {
	return []option{
		{name: "src-type", args: 1, not: true},
		{name: "dst-type", args: 1, not: true},
		{name: "limit-iface-in", group: "limit"},
		{name: "limit-iface-out", group: "limit"},
	}
}

func (m *addrtypeMatch) set(g given) (err error) {
	switch g.option {
	case "src-type":
		m.notSrc = g.invert
		m.src, err = parseAddrTypes(g.args[0])
	case "dst-type":
		m.notDst = g.invert
		m.dst, err = parseAddrTypes(g.args[0])
	case "limit-iface-in":
		m.limitIn = true
	case "limit-iface-out":
		m.limitTo = true
	}
	return err
}

func (m *addrtypeMatch) finish(*spec) error {
	if m.src|m.dst == 0 {
		return usage("addrtype: you must specify --src-type or --dst-type")
	}
	return nil
}

// forbids reports whether the packets of a hook lack the interface that the rule asks about.
func (m *addrtypeMatch) forbids(h trace.Hook) string {
	switch {
	case m.limitTo && (h == trace.Prerouting || h == trace.Input):
		return "--limit-iface-out"
	case m.limitIn && (h == trace.Postrouting || h == trace.Output):
		return "--limit-iface-in"
	}
	return ""
}

func (m *addrtypeMatch) holds(p *Packet) bool {
	iface := ""
	switch {
	case m.limitIn:
		iface = p.InIface
	case m.limitTo:
		iface = p.OutIface
	}
	return (m.src == 0 || (p.typeOf(p.Tuple.SrcIP, iface)&m.src != 0) != m.notSrc) &&
		(m.dst == 0 || (p.typeOf(p.Tuple.DstIP, iface)&m.dst != 0) != m.notDst)
}

func (m *addrtypeMatch) save(b *strings.Builder) {
	if m.src != 0 {
		writeNot(b, m.notSrc)
		b.WriteString(" --src-type " + m.src.String())
	}
	if m.dst != 0 {
		writeNot(b, m.notDst)
		b.WriteString(" --dst-type " + m.dst.String())
	}
	if m.limitIn {
		b.WriteString(" --limit-iface-in")
	}
	if m.limitTo {
		b.WriteString(" --limit-iface-out")
	}
}

func (m *addrtypeMatch) list(b *strings.Builder, _ bool) {
	b.WriteString(" ADDRTYPE match")
	if m.src != 0 {
		b.WriteString(" src-type " + bang(m.notSrc) + m.src.String())
	}
	if m.dst != 0 {
		b.WriteString(" dst-type " + bang(m.notDst) + m.dst.String())
	}
	if m.limitIn {
		b.WriteString(" limit-in")
	}
	if m.limitTo {
		b.WriteString(" limit-out")
	}
}

// AddrType is what an address is to the gateway, as a bit: linux/rtnetlink.h's RTN_ types.
type AddrType uint16

// The types, in the order of the kernel, which is that of printing.
const (
	TypeUnspec AddrType = 1 << iota
	TypeUnicast
	TypeLocal
	TypeBroadcast
	TypeAnycast
	TypeMulticast
	TypeBlackhole
	TypeUnreachable
	TypeProhibit
	TypeThrow
	TypeNAT
	TypeXResolve
)

var addrTypeNames = strings.Fields(
	"UNSPEC UNICAST LOCAL BROADCAST ANYCAST MULTICAST BLACKHOLE UNREACHABLE PROHIBIT THROW NAT XRESOLVE")

// AddrTyper says what an address is. iface is empty, or the one interface that the question is limited to: an address of
// another interface is not local then. It is asked from the data path: it must not allocate or block.
type AddrTyper interface {
	AddrType(addr frame.Addr, iface string) AddrType
}

// String returns the names with commas.
func (t AddrType) String() string {
	var names []string
	for i, name := range addrTypeNames {
		if t>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// parseAddrTypes reads a list with commas; the beginning of a name is enough, as in iptables.
func parseAddrTypes(arg string) (types AddrType, err error) {
next:
	for part := range strings.SplitSeq(arg, ",") {
		for i, name := range addrTypeNames {
			if part != "" && len(part) <= len(name) && strings.EqualFold(name[:len(part)], part) {
				types |= 1 << i
				continue next
			}
		}
		return 0, usage("addrtype: bad type \"%s\"", part)
	}
	return types, nil
}
