package plan

import "net/netip"

// claim is a host port that a service asks for.
type claim struct {
	port  uint16
	proto string
}

// holder is who asks for it, and on which address.
type holder struct {
	ip   netip.Addr
	host string
}

// claim notes a published port, and refuses it where another one would bind the same: the wildcard address holds a port on
// every address. A port that is any free one, or any of a range, collides with nothing yet.
func (b *builder) claim(p Publish, host string, at path) {
	if p.HostPort == 0 || p.HostPortEnd != 0 {
		return
	}
	if b.claims == nil {
		b.claims = make(map[claim][]holder)
	}
	key := claim{p.HostPort, p.Proto}
	for _, other := range b.claims[key] {
		if other.ip == p.HostIP || other.ip.IsUnspecified() || p.HostIP.IsUnspecified() {
			// The first half is Docker's own sentence.
			b.wrong(at, "Bind for %v failed: port is already allocated: %s publishes %v/%s",
				netip.AddrPortFrom(p.HostIP, p.HostPort), other.host, netip.AddrPortFrom(other.ip, p.HostPort), p.Proto)
			return
		}
	}
	b.claims[key] = append(b.claims[key], holder{p.HostIP, host})
}
