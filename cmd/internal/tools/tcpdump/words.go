package tcpdump

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// be reads numbers of a packet.
var be = binary.BigEndian

// short prints that a packet ends before its protocol's header does, and reports whether it does.
func (p *Printer) short(b []byte, want int, protocol string) bool {
	if len(b) < want {
		p.f(" [|%s]", protocol)
		return true
	}
	return false
}

// word returns what a table calls a number, or the number in the form of unknown.
func word[K uint8 | uint16](table map[K]string, n K, unknown string) string {
	if text, ok := table[n]; ok {
		return text
	}
	if strings.Contains(unknown, "%") {
		return fmt.Sprintf(unknown, n)
	}
	return unknown
}

// bits are the names of flags, in the order in which they are printed.
type bits []struct {
	bit  uint8
	name string
}

// of writes the flags that are set.
func (all bits) of(flags uint8, none string) string {
	var set []string
	for _, b := range all {
		if flags&b.bit != 0 {
			set = append(set, b.name)
		}
	}
	if len(set) == 0 {
		return none
	}
	return strings.Join(set, ", ")
}

// v4 and v6 read addresses.
func v4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b[:4])) }
func v6(b []byte) netip.Addr { return netip.AddrFrom16([16]byte(b[:16])) }
