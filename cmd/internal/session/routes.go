package session

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// routes returns the networks that this machine has routes to, so that a lab chooses no subnet among them.
func routes() []netip.Prefix {
	text, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return nil // not Linux: labs are simulated there, and disturb nobody
	}
	return parseRoutes(string(text))
}

// parseRoutes reads the kernel's table: a line for each route, with numbers in hexadecimal in the machine's byte order.
//
//	Iface  Destination  Gateway   Flags  RefCnt  Use  Metric  Mask      MTU  Window  IRTT
//	eth0   0002000A     00000000  0001   0       0    0       00FFFFFF  0    0       0
func parseRoutes(text string) (prefixes []netip.Prefix) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 8 {
			continue
		}
		destination, err := strconv.ParseUint(fields[1], 16, 32)
		mask, err2 := strconv.ParseUint(fields[7], 16, 32)
		if err != nil || err2 != nil || mask == 0 { // the heading, or the default route
			continue
		}
		var a, m [4]byte
		binary.NativeEndian.PutUint32(a[:], uint32(destination))
		binary.NativeEndian.PutUint32(m[:], uint32(mask))
		ones, _ := net.IPMask(m[:]).Size()
		prefixes = append(prefixes, netip.PrefixFrom(netip.AddrFrom4(a), ones).Masked())
	}
	return prefixes
}
