package rule

// Family says whose addresses the rules speak of: iptables' or ip6tables'. The zero value is invalid.
type Family uint8

// The families. Rules of IPv6 are read, kept and printed; only those of IPv4 are evaluated.
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
