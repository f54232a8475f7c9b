package rule

import (
	"net/netip"
	"strings"

	"uswitch/switch/frame"
)

// network is an address with a mask, as -s and -d take it; the mask need not be a prefix. The zero value is any address.
type network struct {
	ip, mask netip.Addr // both valid, or both invalid in the zero value
	invert   bool

	match, bits frame.Addr // the same for matching
}

// isAny reports whether every address belongs to the network.
func (n network) isAny() bool { return !n.mask.IsValid() || n.mask.IsUnspecified() }

// contains reports whether the rule's condition holds for an address.
func (n *network) contains(a frame.Addr) bool {
	return (a.Mask(n.bits) == n.match) != n.invert
}

// masked returns the network with the host's bits cleared.
func (n network) masked() network {
	ip, mask := n.ip.AsSlice(), n.mask.AsSlice()
	for i := range ip {
		ip[i] &= mask[i]
	}
	n.ip, _ = netip.AddrFromSlice(ip)
	n.match, n.bits = frame.AddrOf(n.ip), frame.AddrOf(n.mask)
	return n
}

// prefixLen returns the number of leading ones of the mask, and whether nothing follows them.
func (n network) prefixLen() (bits int, ok bool) {
	for _, b := range n.mask.AsSlice() {
		for bit := 7; bit >= 0; bit-- {
			if b>>bit&1 == 1 {
				if ok {
					return 0, false
				}
				bits++
			} else {
				ok = true // zeroes have begun
			}
		}
	}
	return bits, true
}

// suffix is the mask as it is printed behind the address: "/24", or spelled out if it is no prefix.
func (n network) suffix() string {
	if bits, ok := n.prefixLen(); ok {
		return "/" + decimal(bits)
	}
	return "/" + n.mask.String()
}

// save writes the network as iptables -S does, with its option: " ! -s 10.0.0.0/8".
func (n network) save(b *strings.Builder, option string) {
	if n.isAny() && !n.invert {
		return
	}
	writeNot(b, n.invert)
	b.WriteString(" " + option + " " + n.ip.String() + n.suffix())
}

// list returns the network as iptables -L prints it.
func (n network) list(f Family, numeric bool) string {
	if n.isAny() && !n.invert {
		if numeric {
			return f.unspecified()
		}
		return "anywhere"
	}
	if f == IPv6 && n.ip.IsUnspecified() && !numeric {
		return "anywhere" // as ip6tables has it, whatever the mask
	}
	if bits, ok := n.prefixLen(); ok && bits == f.bits() {
		return n.ip.String()
	}
	return n.ip.String() + n.suffix()
}

// parseNetworks reads the argument of -s and -d: one network, or several with commas.
func parseNetworks(f Family, arg string) ([]network, error) {
	var list []network
	for part := range strings.SplitSeq(arg, ",") {
		n, err := parseNetwork(f, part)
		if err != nil {
			return nil, err
		}
		list = append(list, n.masked())
	}
	return list, nil
}

// parseNetwork reads one network: an address, or an address with a prefix length or a mask. The host's bits are kept.
func parseNetwork(f Family, arg string) (network, error) {
	host, mask, masked := strings.Cut(arg, "/")
	n := network{}
	var ok bool
	if n.ip, ok = parseAddr(f, host, true); !ok {
		return n, usage("host/network `%s' not found", host)
	}
	if !masked {
		n.mask = prefixMask(f, f.bits())
		return n, nil
	}
	if n.mask, ok = parseAddr(f, mask, false); ok {
		return n, nil
	}
	bits, ok := parseNumber(mask, uint64(f.bits()))
	if !ok {
		return n, usage("invalid mask `%s' specified", mask)
	}
	n.mask = prefixMask(f, int(bits))
	return n, nil
}

// prefixMask returns the mask with so many leading ones.
func prefixMask(f Family, bits int) netip.Addr {
	b := make([]byte, f.bits()/8)
	for i := range bits {
		b[i/8] |= 0x80 >> (i % 8)
	}
	mask, _ := netip.AddrFromSlice(b)
	return mask
}

// parseAddr reads an address. Of IPv4 missing octets may be left out at the end where short says so (10/8 is 10.0.0.0/8),
// and octets may be octal or hexadecimal, all as in iptables (xtables_numeric_to_ipaddr). Names are not looked up.
func parseAddr(f Family, s string, short bool) (netip.Addr, bool) {
	if f == IPv6 {
		a, err := netip.ParseAddr(s)
		return a, err == nil && !a.Is4() && a.Zone() == ""
	}
	parts := strings.Split(s, ".")
	if len(parts) > 4 || len(parts) < 4 && !short {
		return netip.Addr{}, false
	}
	var b [4]byte
	for i, part := range parts {
		octet, ok := parseNumber(part, 255)
		if !ok {
			return netip.Addr{}, false
		}
		b[i] = byte(octet)
	}
	return netip.AddrFrom4(b), true
}

// Family says whose addresses the rules speak of: iptables' or ip6tables'. The zero value is invalid.
type Family uint8

// The families.
const (
	IPv4 Family = iota + 1
	IPv6
)

// tool is the name of the command that edits the family's rules.
func (f Family) tool() string {
	if f == IPv6 {
		return "ip6tables"
	}
	return "iptables"
}

// bits is the length of an address.
func (f Family) bits() int {
	if f == IPv6 {
		return 128
	}
	return 32
}

// unspecified is the address that listings print for "any".
func (f Family) unspecified() string {
	if f == IPv6 {
		return "::/0"
	}
	return "0.0.0.0/0"
}
