package trace

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"uswitch/switch/frame"
)

// FilterSpec is a filter as a person types it. Empty fields ask for nothing. What is given must all hold; of several
// hosts, or several hooks, one is enough.
type FilterSpec struct {
	Hosts []string // names of the lab, or addresses; at either end
	From  []string // the same, as senders; answers are not followed
	Port  string   // of TCP or UDP, at either end
	Proto string   // arp, ip, ipv6, icmp, tcp, udp, or an IP protocol number
	Hooks []string // names of hooks
	Drops bool     // only the steps that drop; a printer still puts the packet's head above each
}

// Compile checks the spec and makes its Filter. hosts are the lab's hosts with their addresses. An error names the
// word that is wrong and what could stand there.
func (s FilterSpec) Compile(hosts map[string][]netip.Addr) (*Filter, error) {
	f := &Filter{drops: s.Drops}
	var err error
	if f.hosts, err = findHosts(s.Hosts, hosts); err != nil {
		return nil, err
	}
	if f.from, err = findHosts(s.From, hosts); err != nil {
		return nil, err
	}
	for _, word := range s.Hooks {
		hook, ok := ParseHook(word)
		if !ok {
			return nil, fmt.Errorf("hook %q: there is no such hook; there are %s", word, hookNames())
		}
		f.hooks = append(f.hooks, hook)
	}
	if f.port, err = parsePort(s.Port); err != nil {
		return nil, err
	}
	f.proto, err = parseProto(s.Proto)
	return f, err
}

func findHosts(words []string, hosts map[string][]netip.Addr) (found []host, err error) {
	for _, word := range words {
		h, err := findHost(word, hosts)
		if err != nil {
			return nil, err
		}
		found = append(found, h)
	}
	return found, nil
}

func findHost(word string, hosts map[string][]netip.Addr) (host, error) {
	if addrs, ok := hosts[word]; ok {
		h := host{name: word, addrs: addrs}
		for other, theirs := range hosts {
			if other != word && slices.ContainsFunc(theirs, func(a netip.Addr) bool { return slices.Contains(addrs, a) }) {
				h.shared = append(h.shared, other)
			}
		}
		return h, nil
	}
	if addr, err := netip.ParseAddr(word); err == nil {
		return host{addrs: []netip.Addr{addr}}, nil
	}
	names := slices.Sorted(maps.Keys(hosts))
	if len(names) > 10 {
		names = append(names[:10], "...")
	}
	return host{}, fmt.Errorf("host %q: neither an address nor a host of this lab; there are %s",
		word, or(strings.Join(names, ", "), "none"))
}

func parsePort(word string) (uint16, error) {
	if word == "" {
		return 0, nil
	}
	port, err := strconv.ParseUint(word, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("port %q: want a number from 1 to 65535", word)
	}
	return uint16(port), nil
}

// parseProto returns nil for an empty word.
func parseProto(word string) (func(etherType uint16, ipProto uint8) bool, error) {
	ofType := func(want uint16) func(uint16, uint8) bool {
		return func(etherType uint16, _ uint8) bool { return etherType == want }
	}
	ofProto := func(want uint8) func(uint16, uint8) bool {
		return func(etherType uint16, proto uint8) bool {
			return (etherType == frame.TypeIPv4 || etherType == frame.TypeIPv6) && proto == want
		}
	}
	switch strings.ToLower(word) {
	case "":
		return nil, nil
	case "arp":
		return ofType(frame.TypeARP), nil
	case "ip", "ipv4":
		return ofType(frame.TypeIPv4), nil
	case "ip6", "ipv6":
		return ofType(frame.TypeIPv6), nil
	case "icmp":
		return ofProto(frame.ProtoICMP), nil
	case "icmp6", "icmpv6":
		return ofProto(frame.ProtoICMPv6), nil
	case "tcp":
		return ofProto(frame.ProtoTCP), nil
	case "udp":
		return ofProto(frame.ProtoUDP), nil
	}
	if n, err := strconv.ParseUint(word, 10, 8); err == nil {
		return ofProto(uint8(n)), nil
	}
	return nil, fmt.Errorf("protocol %q: want arp, ip, ipv6, icmp, icmp6, tcp, udp, or an IP protocol number", word)
}

func hookNames() string {
	var names []string
	for _, h := range Hooks() {
		names = append(names, h.String())
	}
	return strings.Join(names, ", ")
}
