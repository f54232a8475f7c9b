package rule

import (
	"net/netip"
	"strings"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// translate is SNAT and DNAT: the packet gets an address of the rule's.
type translate struct {
	target string
	family Family
	to     Range
	flags  natFlags
}

func (t *translate) name() string { return t.target }

func (t *translate) place() place {
	if t.target == "SNAT" {
		return place{NAT, []trace.Hook{trace.Input, trace.Postrouting}}
	}
	return place{NAT, []trace.Hook{trace.Prerouting, trace.Output}}
}

// option is the name of the one that takes the range.
func (t *translate) option() string {
	if t.target == "SNAT" {
		return "to-source"
	}
	return "to-destination"
}

func (t *translate) options() []option {
	all := []option{{name: t.option(), args: 1, must: true}, {name: "random"}, {name: "persistent"}}
	if t.target == "SNAT" {
		all = append(all, option{name: "random-fully"})
	}
	return all
}

func (t *translate) set(g given) (err error) {
	if g.option == t.option() {
		t.to, err = parseRange(t.family, g.args[0], t.target == "DNAT")
		return err
	}
	t.flags.set(g.option)
	return nil
}

func (t *translate) finish(s *spec) error {
	t.to.Random, t.to.Persistent = t.flags.random || t.flags.fully, t.flags.persistent
	return needPorts(s, t.to.HasPorts)
}

func (t *translate) save(b *strings.Builder) {
	b.WriteString(" --" + t.option() + " " + t.to.text(t.family))
	for _, w := range t.flags.words() {
		b.WriteString(" --" + w)
	}
}

func (t *translate) list(b *strings.Builder, _ bool) {
	b.WriteString(" to:" + t.to.text(t.family))
	for _, w := range t.flags.words() {
		b.WriteString(" " + w)
	}
}

func (t *translate) decide(d *Decision) {
	d.Verdict, d.NAT = SNAT, t.to
	if t.target == "DNAT" {
		d.Verdict = DNAT
	}
}

// natFlags are the options behind a range, as they are typed and listed.
type natFlags struct{ random, fully, persistent bool }

func (f natFlags) words() (words []string) {
	if f.random {
		words = append(words, "random")
	}
	if f.fully {
		words = append(words, "random-fully")
	}
	if f.persistent {
		words = append(words, "persistent")
	}
	return words
}

// set takes one of the options.
func (f *natFlags) set(option string) {
	switch option {
	case "random":
		f.random = true
	case "random-fully":
		f.fully = true
	case "persistent":
		f.persistent = true
	}
}

// Range is what a translation may choose from.
type Range struct {
	MinAddr, MaxAddr netip.Addr // invalid where the rule names no address: it stays, or it is the gateway's own
	HasPorts         bool       // whether the rule names ports; else the port stays if it can
	MinPort, MaxPort uint16
	Shifted          bool // the ports are moved together: MinPort stands for BasePort, the next one for the next
	BasePort         uint16
	Random           bool // --random or --random-fully: not the first free port but any
	Persistent       bool // --persistent: the same address for the same client
}

// text returns the range as --to-source and --to-destination take it: addr[-addr][:port[-port]].
func (r Range) text(f Family) string {
	addr := ""
	if r.MinAddr.IsValid() {
		addr = r.MinAddr.String()
		if r.MaxAddr != r.MinAddr {
			addr += "-" + r.MaxAddr.String()
		}
	}
	if !r.HasPorts {
		return addr
	}
	if f == IPv6 && addr != "" {
		addr = "[" + addr + "]"
	}
	return addr + ":" + r.ports()
}

// ports returns the ports as --to-ports takes them: port[-port], with DNAT's base behind a slash.
func (r Range) ports() string {
	s := decimal(r.MinPort)
	if r.MaxPort != r.MinPort {
		s += "-" + decimal(r.MaxPort)
	}
	if r.Shifted {
		s += "/" + decimal(r.BasePort)
	}
	return s
}

// parseRange reads addr[-addr][:port[-port]], of IPv6 [addr[-addr]]:port[-port]; shift allows a base port behind a slash.
func parseRange(f Family, arg string, shift bool) (Range, error) {
	addrs, ports, hasPorts := strings.Cut(arg, ":")
	if f == IPv4 && strings.Contains(ports, ":") {
		return Range{}, usage("Bad IP address \"%s\"", arg)
	}
	if f == IPv6 {
		addrs, ports, hasPorts = arg, "", false
		if inner, ok := strings.CutPrefix(arg, "["); ok {
			var closed bool
			addrs, ports, closed = strings.Cut(inner, "]")
			if !closed || ports != "" && ports[0] != ':' {
				return Range{}, usage("Invalid address format")
			}
			ports, hasPorts = strings.CutPrefix(ports, ":")
		}
	}
	var r Range
	if hasPorts {
		var err error
		if r, err = parsePorts(ports, shift); err != nil {
			return r, err
		}
	}
	if addrs == "" && hasPorts {
		return r, nil
	}
	low, high, between := strings.Cut(addrs, "-")
	if !between {
		high = low
	}
	for _, end := range []struct {
		text string
		addr *netip.Addr
	}{{low, &r.MinAddr}, {high, &r.MaxAddr}} {
		a, err := netip.ParseAddr(end.text)
		if err != nil || a.Is4() != (f == IPv4) || a.Zone() != "" {
			return r, usage("Bad IP address \"%s\"", end.text)
		}
		*end.addr = a
	}
	return r, nil
}

// parsePorts reads port[-port], with a base port behind a slash if the ports are a range, as iptables does (libxt_NAT.c):
// numbers are read as far as they go, and a name of a service, which may hold a dash, stands alone or is the base. The base
// of whoever cannot shift is 0.
func parsePorts(arg string, shift bool) (r Range, err error) {
	r.HasPorts = true
	low, rest, isNumber := leadingNumber(arg, 65535)
	if !isNumber {
		r.MinPort, err = natService(arg)
		r.MaxPort = r.MinPort
		return r, err
	}
	r.MinPort, r.MaxPort = uint16(low), uint16(low)
	switch {
	case rest == "":
		return r, nil
	case rest[0] == ':':
		return r, usage("Invalid port:port syntax - use dash")
	case rest[0] != '-':
		return r, usage("Garbage after port value: `%s'", rest)
	}
	arg = rest[1:]
	high, rest, isNumber := leadingNumber(arg, 65535)
	switch {
	case !isNumber:
		return r, usage("Port `%s' not valid", arg)
	case high < low:
		return r, usage("Port range `%s' funky", arg)
	}
	r.MaxPort = uint16(high)
	switch {
	case rest == "":
		return r, nil
	case rest[0] != '/':
		return r, usage("Garbage after port range: `%s'", rest)
	}
	r.Shifted = true
	base, _, isNumber := leadingNumber(rest[1:], 65535)
	switch {
	case !isNumber || base == 0:
		r.BasePort, err = natService(rest[1:])
	default:
		r.BasePort = uint16(base)
	}
	if !shift {
		r.BasePort = 0
	}
	return r, err
}

// natService reads the name of a service.
func natService(arg string) (uint16, error) {
	if port, ok := servicePort(arg); ok {
		return port, nil
	}
	return 0, usage("Port `%s' not valid", arg)
}

// needPorts refuses ports where the rule's protocol has none.
func needPorts(s *spec, hasPorts bool) error {
	switch s.proto.number {
	case frame.ProtoTCP, frame.ProtoUDP, frame.ProtoICMP, frame.ProtoICMPv6, protoSCTP, protoDCCP:
		return nil
	}
	if hasPorts {
		return usage("Need TCP, UDP, SCTP or DCCP with port specification")
	}
	return nil
}
