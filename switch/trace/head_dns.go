package trace

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

const dnsPort = 53

// dnsWords reads as much of a DNS message (RFC 1035 4.1) as fits in a head: whether it asks or answers, the first name
// and type asked for, and how many answers came. ok is false for anything that does not look like one.
func dnsWords(b []byte, src netip.Addr, n namer) (words string, ok bool) {
	const header = 12
	if len(b) < header || binary.BigEndian.Uint16(b[4:6]) == 0 {
		return "", false
	}
	answer, code, answers := b[2]&0x80 != 0, b[3]&15, binary.BigEndian.Uint16(b[6:8])
	name, rest, ok := dnsName(b[header:])
	if !ok || len(rest) < 4 {
		return "", false
	}
	question := dnsType(binary.BigEndian.Uint16(rest[0:2])) + " of " + name
	switch {
	case !answer:
		return "asks for the " + question + n.unknown(src, name), true
	case code == 3:
		return "no such name: " + name, true
	case code != 0:
		return fmt.Sprintf("refuses the %s (code %d)", question, code), true
	case answers == 1:
		return "tells the " + question + ": 1 record", true
	}
	return fmt.Sprintf("tells the %s: %d records", question, answers), true
}

// dnsName reads the name that a question begins with. A question is never compressed in practice.
func dnsName(b []byte) (name string, rest []byte, ok bool) {
	const maxName = 255 // RFC 1035 2.3.4
	var labels []string
	for total := 0; len(b) > 0 && total <= maxName; {
		n := int(b[0])
		if n == 0 {
			return or(strings.Join(labels, "."), "."), b[1:], true
		}
		if n > 63 || 1+n > len(b) {
			return "", nil, false
		}
		labels = append(labels, string(b[1:1+n]))
		b, total = b[1+n:], total+1+n
	}
	return "", nil, false
}

func dnsType(t uint16) string {
	names := map[uint16]string{1: "address", 2: "name server", 5: "alias", 6: "SOA", 12: "name", 15: "mail server", 16: "text",
		28: "IPv6 address", 33: "service", 65: "HTTPS record", 255: "everything"}
	return or(names[t], fmt.Sprintf("type %d", t))
}
