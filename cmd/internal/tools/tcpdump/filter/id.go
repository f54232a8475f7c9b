package filter

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"uswitch/switch/frame"
)

// id makes the matcher for one ID with its qualifiers.
func (p *parser) id(q qualifier, id string) (matcher, error) {
	kind := q.kind
	if kind == "" {
		kind = "host"
	}
	switch {
	case kind == "proto":
		return protoOf(q.proto, id)
	case kind == "port" || kind == "portrange":
		return p.port(q, kind, id)
	case q.proto == "ether":
		return p.etherHost(q, kind, id)
	case slices.Contains([]string{"tcp", "udp", "icmp", "icmp6"}, q.proto):
		return nil, fmt.Errorf("'%s' modifier applied to %s", q.proto, kind)
	case kind == "net":
		return p.net(q, id)
	}
	return p.host(q, id)
}

func (p *parser) host(q qualifier, id string) (matcher, error) {
	var addrs []netip.Addr
	if a, err := netip.ParseAddr(id); err == nil {
		addrs = []netip.Addr{a}
	} else if strings.Contains(id, "/") {
		return p.net(q, id)
	} else if _, err := frame.ParseMAC(id); err == nil {
		return nil, fmt.Errorf("ethernet address used in non-ether expression: want \"ether host %s\"", id)
	} else if addrs = p.names(id); len(addrs) == 0 {
		return nil, fmt.Errorf("unknown host '%s'", id)
	}
	return addressed(q, func(a netip.Addr) bool { return slices.Contains(addrs, a) }), nil
}

func (p *parser) net(q qualifier, id string) (matcher, error) {
	if _, ok := p.take("mask"); ok {
		mask, err := netip.ParseAddr(p.peek())
		if err != nil || !mask.Is4() {
			return nil, errSyntax
		}
		p.words = p.words[1:]
		bits := 0
		for _, octet := range mask.AsSlice() {
			for bit := 7; bit >= 0 && octet>>bit&1 == 1; bit-- {
				bits++
			}
		}
		id += "/" + strconv.Itoa(bits)
	}
	text, bits, hasBits := strings.Cut(id, "/")
	if n := strings.Count(text, ".") + 1; n < 4 && !strings.Contains(text, ":") { // 11.11 is 11.11.0.0/16
		text += strings.Repeat(".0", 4-n)
		if !hasBits {
			bits = strconv.Itoa(8 * n)
		}
	} else if !hasBits { // all four octets are one host
		bits = "32"
	}
	prefix, err := netip.ParsePrefix(text + "/" + bits)
	if err != nil {
		return nil, fmt.Errorf("unknown network '%s'", id)
	}
	if prefix != prefix.Masked() {
		return nil, fmt.Errorf("non-network bits set in \"%s\"", id)
	}
	return addressed(q, prefix.Contains), nil
}

// addressed matches by the addresses of IP and ARP.
func addressed(q qualifier, is func(netip.Addr) bool) matcher {
	return func(v *view) bool {
		if q.proto != "" && v.etherType() != etherTypes[q.proto] {
			return false
		}
		src, dst, n := v.addresses()
		return n > 0 && either(q.dir, func() bool { return is(v.address(src, n)) }, func() bool { return is(v.address(dst, n)) })
	}
}

// either combines what is found at the two ends; it looks no further than it has to.
func either(dir string, src, dst func() bool) bool {
	switch dir {
	case "src":
		return src()
	case "dst":
		return dst()
	case "and":
		return src() && dst()
	}
	return src() || dst()
}

func (p *parser) etherHost(q qualifier, kind, id string) (matcher, error) {
	mac, err := frame.ParseMAC(id)
	if kind != "host" || err != nil {
		return nil, fmt.Errorf("ether %s %s: want a hardware address, as in 02:42:0b:0b:0b:02", kind, id)
	}
	is := func(v *view, at int) func() bool {
		return func() bool { m, ok := v.mac(at); return ok && m == mac }
	}
	return func(v *view) bool { return either(q.dir, is(v, 6), is(v, 0)) }, nil
}

func (p *parser) port(q qualifier, kind, id string) (matcher, error) {
	if !slices.Contains([]string{"", "tcp", "udp"}, q.proto) {
		return nil, fmt.Errorf("illegal qualifier of 'port'")
	}
	first, last := id, id
	if kind == "portrange" {
		var ok bool
		if first, last, ok = strings.Cut(id, "-"); !ok {
			last = first
		}
	}
	from, err := portNumber(first)
	if err != nil {
		return nil, err
	}
	to, err := portNumber(last)
	if err != nil {
		return nil, err
	}
	from, to = min(from, to), max(from, to)
	in := func(v *view, at int) func() bool {
		return func() bool { port := v.number(v.network, at); return from <= port && port <= to }
	}
	return func(v *view) bool {
		at, ok := v.ports()
		return ok && (q.proto == "" || v.proto() == ipProtos[q.proto]) && either(q.dir, in(v, at), in(v, at+2))
	}, nil
}

// services are the names of ports that tutorials use (/etc/services).
var services = map[string]int{"ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "http": 80, "ntp": 123, "https": 443}

func portNumber(text string) (int, error) {
	if n, ok := services[text]; ok {
		return n, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 0:
		return 0, fmt.Errorf("unknown port '%s'", text)
	case n > 65535:
		return 0, fmt.Errorf("illegal port number %d > 65535", n)
	}
	return n, nil
}

func (p *parser) size(word string) (matcher, error) {
	n, err := strconv.Atoi(p.peek())
	if err != nil {
		return nil, errSyntax
	}
	p.words = p.words[1:]
	if word == "less" {
		return func(v *view) bool { return v.length <= n }, nil
	}
	return func(v *view) bool { return v.length >= n }, nil
}

// etherTypes of the protocols that have one.
var etherTypes = map[string]int{"ip": int(frame.TypeIPv4), "ip6": int(frame.TypeIPv6), "arp": int(frame.TypeARP), "rarp": typeRARP}

// ipProtos are the others.
var ipProtos = map[string]int{"icmp": int(frame.ProtoICMP), "tcp": int(frame.ProtoTCP), "udp": int(frame.ProtoUDP), "icmp6": icmpv6}

// protocolOf matches a protocol that stands alone.
func protocolOf(name string) matcher {
	if t, ok := etherTypes[name]; ok {
		return func(v *view) bool { return v.etherType() == t }
	}
	n := ipProtos[name]
	switch name {
	case "icmp":
		return func(v *view) bool { return v.etherType() == etherTypes["ip"] && v.proto() == n }
	case "icmp6":
		return func(v *view) bool { return v.etherType() == etherTypes["ip6"] && v.proto() == n }
	}
	return func(v *view) bool { return v.proto() == n }
}

// protoOf matches "ether proto X", "ip proto X" and "ip6 proto X"; X may have a backslash in front, as for tcpdump.
func protoOf(qualifier, id string) (matcher, error) {
	name := strings.TrimPrefix(id, `\`)
	n, err := strconv.ParseUint(name, 0, 16)
	number := int(n)
	switch {
	case qualifier == "ether":
		if t, ok := etherTypes[name]; ok {
			number, err = t, nil
		}
		if err == nil {
			return func(v *view) bool { return v.etherType() == number }, nil
		}
		return nil, fmt.Errorf("unknown ether proto '%s'", id)
	case !slices.Contains([]string{"", "ip", "ip6"}, qualifier):
		return nil, fmt.Errorf("'%s' modifier applied to proto", qualifier)
	}
	if known, ok := ipProtos[name]; ok {
		number, err = known, nil
	}
	if err != nil || number > 255 {
		return nil, fmt.Errorf("unknown ip proto '%s'", id)
	}
	return func(v *view) bool {
		return (qualifier == "" || v.etherType() == etherTypes[qualifier]) && v.proto() == number
	}, nil
}

// castOf matches broadcast and multicast, of the link or (ip multicast) of IP.
func castOf(proto, cast string) (matcher, error) {
	switch {
	case (proto == "" || proto == "ether") && cast == "broadcast":
		return func(v *view) bool { m, ok := v.mac(0); return ok && m.IsBroadcast() }, nil
	case (proto == "" || proto == "ether") && cast == "multicast":
		return func(v *view) bool { return v.link != nil && v.field(v.link, 0, 1)[0]&1 == 1 }, nil
	case proto == "ip" && cast == "multicast":
		return func(v *view) bool { return v.etherType() == etherTypes["ip"] && v.field(v.network, 16, 1)[0] >= 224 }, nil
	}
	return nil, fmt.Errorf("\"%s %s\" is not answered in filters here", proto, cast)
}
