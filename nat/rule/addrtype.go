package rule

import "strings"

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
	AddrType(addr [4]byte, iface string) AddrType
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
