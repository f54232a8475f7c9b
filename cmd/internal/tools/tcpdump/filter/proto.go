package filter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"uswitch/switch/frame"
)

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
