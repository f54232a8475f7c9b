package snapshot

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"uswitch/arp"
	"uswitch/sim"
	"uswitch/switch/frame"
)

// The readers of /proc/net (proc(5)). A line that cannot be read is left out: a kernel that says more than expected is no
// reason to know nothing.

// States of a socket (include/net/tcp_states.h). A UDP socket that is not connected is "closed".
const (
	tcpListen = "0A"
	udpOpen   = "07"
)

// parseSockets reads /proc/net/tcp, tcp6, udp or udp6: the local ends of the sockets in a state. Those of IPv6 count where
// they take IPv4 too, at all addresses.
func parseSockets(text, state string) (open []netip.AddrPort) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 4 || words[3] != state {
			continue
		}
		host, port, _ := strings.Cut(words[1], ":")
		a, ok := parseAddr(host)
		p, err := strconv.ParseUint(port, 16, 16)
		if ok && err == nil && p > 0 {
			open = append(open, netip.AddrPortFrom(a, uint16(p)))
		}
	}
	return open
}

// parseAddr reads an address as the kernel prints it: each 32 bits of it as a number in this machine's byte order.
func parseAddr(text string) (netip.Addr, bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.Addr{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	a, ok := netip.AddrFromSlice(raw)
	if a = a.Unmap(); a.Is6() {
		return netip.IPv4Unspecified(), a.IsUnspecified()
	}
	return a, ok
}

// Flags of a route (include/uapi/linux/route.h).
const (
	routeUp     = 1
	routeReject = 0x200
)

// parseRoutes reads /proc/net/route. Of several routes to a prefix the one with the lowest metric counts.
func parseRoutes(text string) (routes []sim.HostRoute) {
	metrics := map[netip.Prefix]uint64{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 8 {
			continue
		}
		dst, ok1 := parseAddr(words[1])
		via, ok2 := parseAddr(words[2])
		mask, ok3 := parseAddr(words[7])
		flags, err1 := strconv.ParseUint(words[3], 16, 32)
		metric, err2 := strconv.ParseUint(words[6], 10, 64)
		if !ok1 || !ok2 || !ok3 || err1 != nil || err2 != nil || flags&routeUp == 0 || flags&routeReject != 0 {
			continue
		}
		m := mask.As4()
		bits := 0
		for number := binary.BigEndian.Uint32(m[:]); number&(1<<31) != 0; number <<= 1 {
			bits++
		}
		r := sim.HostRoute{Prefix: netip.PrefixFrom(dst, bits).Masked(), Card: words[0]}
		if !via.IsUnspecified() {
			r.Via = via
		}
		before, known := metrics[r.Prefix]
		if known && before <= metric {
			continue
		}
		metrics[r.Prefix] = metric
		routes = append(routes, r)
	}
	return lowest(routes)
}

// lowest keeps the last of the routes to each prefix, which has the lowest metric.
func lowest(routes []sim.HostRoute) (kept []sim.HostRoute) {
	for i, r := range routes {
		last := true
		for _, later := range routes[i+1:] {
			last = last && later.Prefix != r.Prefix
		}
		if last {
			kept = append(kept, r)
		}
	}
	return kept
}

// Flags of a neighbour (include/uapi/linux/if_arp.h).
const (
	neighborComplete  = 2
	neighborPermanent = 4
)

// parseNeighbors reads /proc/net/arp. How long ago a neighbour was heard of is not told there: it counts as stale, which is
// good enough to send to.
func parseNeighbors(text string) (rows []neighbor) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 6 {
			continue
		}
		a, err1 := netip.ParseAddr(words[0])
		flags, err2 := strconv.ParseUint(strings.TrimPrefix(words[2], "0x"), 16, 16)
		mac, err3 := frame.ParseMAC(words[3])
		if err1 != nil || err2 != nil || err3 != nil || !a.Is4() || flags&neighborComplete == 0 {
			continue
		}
		state := arp.Stale
		if flags&neighborPermanent != 0 {
			state = arp.Permanent
		}
		rows = append(rows, neighbor{arp.Neighbor{Addr: a, MAC: mac, State: state}, words[5]})
	}
	return rows
}
